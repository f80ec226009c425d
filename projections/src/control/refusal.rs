//! Why something cannot be done to a read model.

use serde::Serialize;
use vigie_domain::kernel::{Refused, plain};

/// The rule that forbids an operation on a read model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(tag = "rule", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Refusal {
    /// There is none of that name.
    #[error("there is no read model {projection:?}; there are {}", known.join(", "))]
    ProjectionUnknown {
        /// The name as given.
        projection: String,
        /// The names that there are.
        known: Vec<&'static str>,
    },
    /// An event has stopped it, so that nobody can resume it.
    #[error(
        "{projection} is not paused: the event at position {stopped_at} has stopped it; retry it, or skip that event"
    )]
    ProjectionStopped {
        /// The read model.
        projection: String,
        /// The event.
        stopped_at: i64,
    },
    /// It is paused, so that trying again is no use.
    #[error("{projection} was paused by {by}: resume it")]
    ProjectionPaused {
        /// The read model.
        projection: String,
        /// Who has paused it.
        by: String,
    },
    /// It is being rebuilt already, or somebody has asked for that.
    #[error("{projection} is being rebuilt already, as asked for by {by}; cancel that first")]
    RebuildUnderWay {
        /// The read model.
        projection: String,
        /// Who has asked for it.
        by: String,
    },
    /// It is not being rebuilt.
    #[error("{projection} is not being rebuilt")]
    NoRebuild {
        /// The read model.
        projection: String,
    },
    /// The log does not hold the position.
    #[error("{projection} can be rebuilt until a position from {first} to {last}, and {position} is none of them")]
    UntilOutOfRange {
        /// The read model.
        projection: String,
        /// The position as given.
        position: i64,
        /// The first that would do.
        first: i64,
        /// The last that would do.
        last: i64,
    },
    /// A person must say why.
    #[error("say why {projection} is paused")]
    ReasonMissing {
        /// The read model.
        projection: String,
    },
}

impl Refused for Refusal {
    fn code(&self) -> &'static str {
        match self {
            Self::ProjectionUnknown { .. } => "PROJECTION_UNKNOWN",
            Self::ProjectionStopped { .. } => "PROJECTION_STOPPED",
            Self::ProjectionPaused { .. } => "PROJECTION_PAUSED",
            Self::RebuildUnderWay { .. } => "REBUILD_UNDER_WAY",
            Self::NoRebuild { .. } => "NO_REBUILD",
            Self::UntilOutOfRange { .. } => "UNTIL_OUT_OF_RANGE",
            Self::ReasonMissing { .. } => "REASON_MISSING",
        }
    }
    fn details(&self) -> serde_json::Value {
        plain(self)
    }
}
