//! Train passes: cars and springs as the cameras measured them, judged by limits, confirmed by people.

pub mod bounds;
mod confirm_pass;
mod events;
#[cfg(test)]
pub(crate) mod fixtures;
mod ids;
mod measures;
mod part_refusal;
mod pass_parts;
mod pass_review;
mod rail_site;
mod record_part;
mod reopen_pass;
mod set_limits;
mod site_limits;

pub use confirm_pass::{ConfirmPass, ConfirmRefusal, Confirmed};
pub use events::{
    CarMeasured, CompletenessDeclared, LimitsSet, PassCompleted, PassConfirmed, PassRegistered, PassReopened,
    RailEvent, SpringOutOfLimits, names,
};
pub use ids::PassId;
pub use measures::{Level, Limit, Quality, Reading, Value, ValueError};
pub use part_refusal::PartRefusal;
pub use pass_parts::{CarDifference, PassParts};
pub use pass_review::{PassReview, SpringRef};
pub use rail_site::RailSiteError;
pub use record_part::{CarPart, PartRecorded, PassHeader, PassPart, RecordPassPart};
pub use reopen_pass::{ReopenPass, Reopened};
pub use set_limits::{LimitsAnswer, LimitsRefusal, MAX_LIMITS, SetLimits};
pub use site_limits::{SiteLimits, UnitError};
