//! Train passes: cars and springs as the cameras measured them, judged by limits, confirmed by people.

mod events;
mod ids;
mod measures;

pub use events::{
    CarMeasured, CompletenessDeclared, LimitsSet, PassCompleted, PassConfirmed, PassRegistered, PassReopened,
    RailEvent, SpringOutOfLimits, names,
};
pub use ids::PassId;
pub use measures::{Level, Limit, Quality, Reading, Value, ValueError};
