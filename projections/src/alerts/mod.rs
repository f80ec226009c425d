//! Alerts.

mod alert_list;

pub use alert_list::{AlertRow, AlertStatus, Alerts};
