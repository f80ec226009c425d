//! What the airport's commands are told.

use async_graphql::{ID, InputObject};
use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::enums::{CodeLetter, Direction, Phase, StandKind};

macro_rules! inputs {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, InputObject)]
        pub(crate) struct $name {
            /// Sent again with the same id, the command gets its first answer.
            pub(super) command_id: Option<Uuid>,
            $($(#[$fdoc])* pub(super) $field: $type,)*
        }
    )*};
}

inputs! {
    /// A stand's description.
    DefineStandInput {
        /// Site and name, such as `LFW/C03`.
        stand: ID,
        /// Civil or military.
        kind: StandKind,
        /// The largest aircraft that it takes.
        code: CodeLetter,
        /// Whether passengers board through a jetway.
        jetway: bool,
        /// Way to the terminal, in metres.
        distance_m: u32,
    }
    /// The rules of allocation of a site, as a whole.
    SetAllocationRulesInput {
        /// The site.
        site: ID,
        /// Minutes that a stand stays free between two stays.
        buffer_minutes: u32,
        /// For aircraft types without a rule of their own.
        default_turnaround: TurnaroundInput,
        /// What the choice of a stand weighs.
        weights: WeightsInput,
    }
    /// The turnaround of an aircraft type at a site.
    SetTurnaroundRuleInput {
        /// The site.
        site: ID,
        /// ICAO designator.
        aircraft_type: String,
        /// Its minutes.
        turnaround: TurnaroundInput,
    }
    /// When a stand is closed.
    CloseStandInput {
        /// The stand.
        stand: ID,
        /// From then on.
        from: DateTime<Utc>,
        /// Until then, if that is known.
        to: Option<DateTime<Utc>>,
        /// Why.
        reason: Option<String>,
    }
    /// When a stand is open again.
    ReopenStandInput {
        /// The stand.
        stand: ID,
        /// From then on.
        from: DateTime<Utc>,
        /// Until then; without it, for good.
        to: Option<DateTime<Utc>>,
        /// Why.
        note: Option<String>,
    }
    /// What an operator knows of a flight, as a whole.
    ReportFlightInput {
        /// Which flight.
        leg: LegInput,
        /// Scheduled in-block or off-block time.
        scheduled_at: DateTime<Utc>,
        /// How far it has come; without it nothing but the schedule is known.
        progress: Option<ProgressInput>,
        /// ICAO designator of the aircraft type, if known.
        aircraft_type: Option<String>,
        /// Gate and ways through the terminal.
        placement: Option<PlacementInput>,
        /// Operator, codeshares, route.
        details: Option<DetailsInput>,
        /// When this was observed; now without it. Reports of a flight are ordered by it.
        observed_at: Option<DateTime<Utc>>,
    }
    /// A flight and why.
    FlightInput {
        /// The flight.
        flight: ID,
        /// Why.
        note: Option<String>,
    }
    /// The aircraft of a flight.
    AssignAircraftInput {
        /// The flight.
        flight: ID,
        /// ICAO designator.
        aircraft_type: String,
        /// Registration, if known.
        registration: Option<String>,
    }
    /// An arrival and a departure that are flown by the same aircraft.
    LinkTurnaroundInput {
        /// The flight that comes.
        arrival: ID,
        /// The flight that goes.
        departure: ID,
    }
    /// The flight that needs a stand.
    AllocateStandInput {
        /// The flight.
        flight: ID,
        /// The stand; without it the best is chosen.
        stand: Option<ID>,
        /// Start of the stay; without it the best known arrival.
        from: Option<DateTime<Utc>>,
        /// End of the stay; without it the best known departure, or the usual turnaround later.
        to: Option<DateTime<Utc>>,
        /// Why.
        note: Option<String>,
    }
    /// Where an allocation is moved to.
    MoveAllocationInput {
        /// The allocation.
        allocation: ID,
        /// The stand; without it the best other one is chosen.
        to: Option<ID>,
        /// Why.
        note: Option<String>,
    }
    /// The stay that has ended, by its allocation or by its flight.
    FreeStandInput {
        /// The allocation.
        allocation: Option<ID>,
        /// The flight.
        flight: Option<ID>,
        /// When the aircraft left; now without it.
        off_block_at: Option<DateTime<Utc>>,
    }
    /// An allocation that is no longer wanted.
    CancelAllocationInput {
        /// The allocation.
        allocation: ID,
        /// Why.
        note: Option<String>,
    }
}

/// Minutes that an aircraft needs between arriving and leaving: 1 ≤ min ≤ typical ≤ max ≤ 2,880.
#[derive(Debug, Clone, InputObject)]
pub(crate) struct TurnaroundInput {
    pub(super) min: u32,
    pub(super) typical: u32,
    pub(super) max: u32,
}

/// Points of penalty in the choice of a stand.
#[derive(Debug, Clone, InputObject)]
pub(crate) struct WeightsInput {
    /// For each code letter that the stand is larger than needed.
    pub(super) spare_letter: u32,
    /// For a stand without jetway.
    pub(super) no_jetway: u32,
    /// For each metre to the terminal.
    pub(super) metre: u32,
}

/// What tells one flight leg from another.
#[derive(Debug, Clone, InputObject)]
pub(crate) struct LegInput {
    /// The airport that watches it.
    pub(super) site: ID,
    /// The operating airline by its IATA or ICAO designator.
    pub(super) carrier: String,
    /// 1 to 4 digits and perhaps a letter.
    pub(super) number: String,
    /// The scheduled date in the site's zone.
    pub(super) date: NaiveDate,
    /// Arrival or departure.
    pub(super) direction: Direction,
    /// Where it comes from or goes to, by its IATA or ICAO code.
    pub(super) airport: String,
    /// Its place among legs that share all of the above; 1 without it.
    pub(super) ordinal: Option<u8>,
}

/// How far a flight has come: exactly one of these.
#[derive(Debug, Clone, async_graphql::OneofObject)]
pub(crate) enum ProgressInput {
    /// Expected at this time.
    Estimated(DateTime<Utc>),
    /// On the ground since.
    Landed(DateTime<Utc>),
    /// On block since.
    Arrived(DateTime<Utc>),
    /// Gone since.
    Departed(DateTime<Utc>),
    /// A step on the way to departure.
    Phase(Phase),
}

/// Gate and ways through the terminal.
#[derive(Debug, Clone, Default, InputObject)]
pub(crate) struct PlacementInput {
    /// Gate of a departure.
    #[graphql(default)]
    pub(super) gate: String,
    /// Baggage belt of an arrival.
    #[graphql(default)]
    pub(super) belt: String,
    /// Terminal.
    #[graphql(default)]
    pub(super) terminal: String,
    /// Check-in aisle of a departure.
    #[graphql(default)]
    pub(super) aisle: String,
    /// Hall of an arrival.
    #[graphql(default)]
    pub(super) hall: String,
}

/// What does not change from hour to hour.
#[derive(Debug, Clone, Default, InputObject)]
pub(crate) struct DetailsInput {
    /// ICAO designator of the operator.
    pub(super) operator: Option<String>,
    /// Flight numbers under which other airlines sell it.
    #[graphql(default)]
    pub(super) codeshares: Vec<String>,
    /// Further airports on the way, in order.
    #[graphql(default)]
    pub(super) via: Vec<String>,
    /// Whether it carries freight only.
    #[graphql(default)]
    pub(super) cargo: bool,
}
