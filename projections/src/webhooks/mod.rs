//! Who receives which events, where.

mod endpoints;

pub use endpoints::{EndpointRow, EndpointState, Endpoints, RowSecret};
