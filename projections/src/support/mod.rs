//! Sites.

mod sites;

pub use sites::{SiteRow, Sites};
