//! Facts about flights, as a source reports them.
//!
//! A source says one thing at a time of how far a flight has come: its [`Progress`]. Each report is a fact that
//! carries what was known before, so that a correction of the past can be read from the fact alone.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Aircraft, AirportCode, Carrier, FlightId};
use crate::kernel::{Note, Tag, events::Describe};
use crate::support::SiteId;

/// Which source said it, and when by its own clock. Reports of a flight are ordered by this clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Clock {
    /// The source, such as `hkia`, `operator` or `demo`.
    pub source: String,
    /// The source's time.
    pub observed_at: DateTime<Utc>,
}

/// A step on the way to departure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Late, without a new time.
    Delayed,
    /// Boarding is near.
    BoardingSoon,
    /// Passengers board.
    Boarding,
    /// Last passengers are called.
    FinalCall,
    /// Nobody boards any more.
    GateClosed,
}

/// How far a flight has come, as last reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "is", content = "at", rename_all = "snake_case")]
pub enum Progress {
    /// Nothing but the schedule is known.
    #[default]
    Scheduled,
    /// Expected at (EIBT or EOBT).
    Estimated(DateTime<Utc>),
    /// On the ground since (ALDT).
    Landed(DateTime<Utc>),
    /// On block since (AIBT).
    Arrived(DateTime<Utc>),
    /// Gone since (AOBT).
    Departed(DateTime<Utc>),
    /// A step on the way to departure.
    Phase(Phase),
    /// Does not take place.
    Cancelled,
}

/// Gate and ways through the terminal; empty fields are unknown.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Placement {
    /// Gate of a departure.
    pub gate: String,
    /// Baggage belt of an arrival.
    pub belt: String,
    /// Terminal.
    pub terminal: String,
    /// Check-in aisle of a departure.
    pub aisle: String,
    /// Hall of an arrival.
    pub hall: String,
}

/// What does not change from hour to hour.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Details {
    /// ICAO designator of the operator, if the source gives it.
    pub operator: Option<Carrier>,
    /// Flight numbers under which other airlines sell it.
    pub codeshares: Vec<String>,
    /// Further airports on the way, in the source's order.
    pub via: Vec<AirportCode>,
    /// Whether it carries freight only.
    pub cargo: bool,
}

macro_rules! facts {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        pub struct $name {
            /// The flight.
            pub flight: FlightId,
            /// Where.
            pub site: SiteId,
            $($(#[$fdoc])* pub $field: $type,)*
            /// Who says so.
            pub clock: Clock,
        }

        impl Describe for $name {
            fn site(&self) -> Option<&SiteId> { Some(&self.site) }
            fn tags(&self) -> Vec<Tag> { vec![self.flight.tag()] }
        }
    )*};
}

facts! {
    /// A flight is known: the first report of it.
    FlightRegistered {
        /// Scheduled in-block or off-block time (SIBT or SOBT).
        scheduled_at: DateTime<Utc>,
        /// What else is known.
        details: Details,
    }
    /// A flight was scheduled for another time of its day.
    FlightRescheduled {
        /// Before.
        from: DateTime<Utc>,
        /// Now.
        to: DateTime<Utc>,
    }
    /// A flight is expected at a time.
    FlightEstimated {
        /// When it is expected on or off block.
        at: DateTime<Utc>,
        /// What was known before.
        was: Progress,
    }
    /// A flight has landed.
    FlightLanded {
        /// When.
        at: DateTime<Utc>,
        /// What was known before.
        was: Progress,
    }
    /// A flight has come on block.
    FlightArrived {
        /// When.
        at: DateTime<Utc>,
        /// What was known before.
        was: Progress,
    }
    /// A flight has left.
    FlightDeparted {
        /// When.
        at: DateTime<Utc>,
        /// What was known before.
        was: Progress,
    }
    /// A departure has come a step nearer, or is late without a time.
    FlightPhaseReported {
        /// The step.
        phase: Phase,
        /// What was known before.
        was: Progress,
    }
    /// A flight is cancelled.
    FlightCancelled {
        /// What was known before.
        was: Progress,
        /// What the operator wrote; empty when a source reports it.
        note: Note,
    }
    /// A cancelled flight takes place after all; what else is known follows as a fact of its own.
    FlightReinstated {
        /// What the operator wrote; empty when a source reports it.
        note: Note,
    }
    /// The source took back what it had said; only the schedule is left.
    FlightReverted {
        /// What was known before.
        was: Progress,
    }
    /// The source named gate, belt, hall or terminal.
    FlightPlaced {
        /// Before.
        from: Placement,
        /// Now.
        to: Placement,
    }
    /// The source corrected codeshares, route or kind.
    DetailsCorrected {
        /// Before.
        from: Details,
        /// Now.
        to: Details,
    }
    /// The aircraft of a flight is known, or another one flies it.
    AircraftAssigned {
        /// The aircraft.
        aircraft: Aircraft,
        /// The one before, if one was known. Version 1 kept its type alone: lifted, it has no registration.
        was: Option<Aircraft>,
    }
}

/// An arrival and a departure are flown by the same aircraft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TurnaroundLinked {
    /// Where.
    pub site: SiteId,
    /// The flight that comes.
    pub arrival: FlightId,
    /// The flight that goes.
    pub departure: FlightId,
}

impl Describe for TurnaroundLinked {
    fn site(&self) -> Option<&SiteId> {
        Some(&self.site)
    }
    fn tags(&self) -> Vec<Tag> {
        vec![self.arrival.tag(), self.departure.tag()]
    }
}
