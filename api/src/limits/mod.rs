//! What nobody may exceed, so that no query hurts the server: how large a document is, what it costs, how long it runs,
//! how many run at once, and how much a caller spends in a time.
//!
//! `document::check` looks at a document before anything else does: first at its text, because parsing recurses as
//! deep as the text nests, then at what it would do with its fragments written out. Everything that walks a document
//! later (validation walks it many times) walks one whose size is known.

mod address;
mod cost;
mod deadline;
mod document;
#[cfg(test)]
mod documented;
mod list;
mod rate;
mod shapes;
mod slots;
mod tokens;
mod weigh;

use std::net::IpAddr;
use std::time::Duration;

pub(crate) use address::{Address, client};
pub(crate) use deadline::{timed_out, was_in_vain, within};
pub(crate) use document::{Cost, check};
pub use list::Limit;
pub(crate) use list::{Exceeded, describe};
pub(crate) use rate::{Overdrawn, Rates};
#[cfg(test)]
pub(crate) use shapes::schema_fields;
pub(crate) use shapes::{SHAPES, answers, root};
pub(crate) use slots::{Slot, Slots};

/// How much is allowed. Each value has its setting; [`Limit`] says which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Tokens of a document.
    pub tokens: u64,
    /// Brackets inside brackets in a document, and selections inside selections with its fragments written out.
    pub nesting: u64,
    /// Fields inside fields.
    pub depth: u64,
    /// Fields of a document, its fragments written out.
    pub fields: u64,
    /// Fields with an alias, likewise.
    pub aliases: u64,
    /// Directives, likewise.
    pub directives: u64,
    /// Fields on the root of an operation.
    pub root_fields: u64,
    /// Rows of a page.
    pub page: u64,
    /// The cost of an operation.
    pub cost: u64,
    /// How long an operation may run.
    pub operation: Duration,
    /// Queries and mutations of a caller at once.
    pub operations: u64,
    /// Subscriptions of a caller at once.
    pub subscriptions: u64,
    /// Operations on a socket at once.
    pub socket_operations: u64,
    /// What a caller may spend in a window; 0 for no limit.
    pub rate: u64,
    /// The window.
    pub rate_window: Duration,
    /// How many callers' worth an address may have and spend.
    pub address_share: u64,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Whether every answer tells its cost.
    pub show_cost: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            tokens: 5_000,
            nesting: 64,
            depth: 20,
            fields: 2_000,
            aliases: 100,
            directives: 100,
            root_fields: 50,
            page: 200,
            cost: 200_000,
            operation: Duration::from_secs(30),
            operations: 200,
            subscriptions: 1_000,
            socket_operations: 100,
            rate: 6_000_000,
            rate_window: Duration::from_secs(60),
            address_share: 10,
            trusted_proxies: Vec::new(),
            show_cost: false,
        }
    }
}
