//! Train passes.

mod limits;
mod pass_rows;
mod passes;

pub use limits::{SpringLimits, SpringLimitsRow};
pub use pass_rows::{CarRow, PassRow, PassStatus, SpringRow};
pub use passes::Passes;
