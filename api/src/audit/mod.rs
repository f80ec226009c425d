//! The audit trail and what was refused, as GraphQL, downloads and the terminal ask for them: one filter, one way to
//! page through what it lets through.
//!
//! Statements are put together from fixed pieces; what comes from a caller is only ever bound.

mod conditions;
pub(crate) mod export;
mod filter;
mod moments;
mod pages;
mod rows;

pub(crate) use filter::{AuditFilter, FilterError, RefusalFilter, check_day};
pub(crate) use moments::{day, position_at};
pub(crate) use pages::{Listed, Order, PAGE, Paged, is_known, page, pages};
pub(crate) use rows::{AuditRow, Change, RefusalRow};
