//! Facts about stands and their allocation.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AircraftType, AllocationId, CodeLetter, FlightId, StandId, StandKind, Turnaround, Weights};
use crate::kernel::{Interval, Note};
use crate::support::SiteId;

/// A stand was set up, or its description changed; holds the whole description.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StandDefined {
    /// The stand.
    pub stand: StandId,
    /// Where.
    pub site: SiteId,
    /// Civil or military.
    pub kind: StandKind,
    /// The largest aircraft that it takes.
    pub code: CodeLetter,
    /// Whether passengers board through a jetway.
    pub jetway: bool,
    /// Way to the terminal, in metres.
    pub distance_m: u32,
}

/// The rules of allocation of a site, as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AllocationRulesSet {
    /// The site.
    pub site: SiteId,
    /// Counts the site's rules: 1, 2, 3, …
    pub version: u32,
    /// Minutes that a stand stays free between two stays.
    pub buffer_minutes: u32,
    /// For aircraft types without a rule of their own.
    pub default_turnaround: Turnaround,
    /// What the choice of a stand weighs.
    pub weights: Weights,
}

/// The turnaround minutes of an aircraft type at a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TurnaroundRuleSet {
    /// The site.
    pub site: SiteId,
    /// The type.
    pub aircraft_type: AircraftType,
    /// Its minutes.
    pub turnaround: Turnaround,
}

/// An allocation that a closure hits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AllocationHit {
    /// The allocation.
    pub allocation: AllocationId,
    /// Its flight.
    pub flight: FlightId,
    /// Its stay.
    pub interval: Interval,
}

/// A stand is closed for a time, perhaps without a known end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StandClosed {
    /// The stand.
    pub stand: StandId,
    /// Where.
    pub site: SiteId,
    /// When.
    pub interval: Interval,
    /// Why.
    pub reason: Note,
    /// Allocations that it takes the ground from; each becomes a conflict.
    pub hits: Vec<AllocationHit>,
}

/// A stand is open again for a time, perhaps without a known end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StandReopened {
    /// The stand.
    pub stand: StandId,
    /// Where.
    pub site: SiteId,
    /// When.
    pub interval: Interval,
    /// Why.
    pub note: Note,
    /// Allocations that were in conflict with the closure and no longer are.
    pub relieved: Vec<AllocationHit>,
}

/// Why a stand was not chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Rejection {
    /// It takes smaller aircraft only.
    TooSmall {
        /// The largest that it takes.
        code: CodeLetter,
    },
    /// It is closed for part of the stay.
    Closed {
        /// When.
        interval: Interval,
    },
    /// Another stay, with its buffer, overlaps.
    Occupied {
        /// Whose.
        flight: FlightId,
        /// When.
        interval: Interval,
    },
    /// It is military, and a civil one was found.
    CivilFirst,
    /// Another one has fewer points.
    MorePoints,
}

/// A stand that was looked at for a flight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Candidate {
    /// The stand.
    pub stand: StandId,
    /// Its points of penalty, if it was suitable; the fewest win.
    pub points: Option<u32>,
    /// Why it lost; the chosen one has none.
    pub rejected: Option<Rejection>,
}

/// A flight has a stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StandAllocated {
    /// The allocation.
    pub allocation: AllocationId,
    /// Where.
    pub site: SiteId,
    /// The stand.
    pub stand: StandId,
    /// The flight that asked.
    pub flight: FlightId,
    /// The other leg of its turnaround, if it is linked.
    pub turnaround: Option<FlightId>,
    /// The stay.
    pub interval: Interval,
    /// The buffer in force, in minutes.
    pub buffer_minutes: u32,
    /// The aircraft type.
    pub aircraft_type: AircraftType,
    /// Its code letter.
    pub code: CodeLetter,
    /// Version of the site's allocation rules; 0 for the built-in ones.
    pub rules_version: u32,
    /// Whether the stand was asked for by name.
    pub requested: bool,
    /// Set when a civil flight stands on a military stand: why.
    pub overflow: Option<String>,
    /// The stands that were looked at.
    pub candidates: Vec<Candidate>,
    /// What the operator wrote.
    pub note: Note,
}

/// An allocation was moved to another stand; its stay is the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AllocationMoved {
    /// The allocation.
    pub allocation: AllocationId,
    /// Where.
    pub site: SiteId,
    /// The flight that asked for it.
    pub flight: FlightId,
    /// The other leg of its turnaround.
    pub turnaround: Option<FlightId>,
    /// The stand before.
    pub from: StandId,
    /// The stand now.
    pub to: StandId,
    /// The stay.
    pub interval: Interval,
    /// The buffer in force, in minutes.
    pub buffer_minutes: u32,
    /// Set when the stand is military: why.
    pub overflow: Option<String>,
    /// What the operator wrote.
    pub note: Note,
}

/// The aircraft has left its stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StandFreed {
    /// The allocation.
    pub allocation: AllocationId,
    /// Where.
    pub site: SiteId,
    /// The stand.
    pub stand: StandId,
    /// The flight that asked for it.
    pub flight: FlightId,
    /// The other leg of its turnaround.
    pub turnaround: Option<FlightId>,
    /// The stay that was planned.
    pub planned: Interval,
    /// When the aircraft left; the stay ends here.
    pub off_block_at: DateTime<Utc>,
    /// The buffer in force, in minutes.
    pub buffer_minutes: u32,
}

/// Why an allocation is no longer wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum CancelCause {
    /// A person.
    Operator {
        /// What the person wrote.
        note: Note,
    },
    /// Its flight was cancelled.
    FlightCancelled {
        /// The leg that was cancelled.
        flight: FlightId,
    },
}

/// An allocation is no longer wanted; the stay never was, or is not any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AllocationCancelled {
    /// The allocation.
    pub allocation: AllocationId,
    /// Where.
    pub site: SiteId,
    /// The stand.
    pub stand: StandId,
    /// The flight that asked for it.
    pub flight: FlightId,
    /// The other leg of its turnaround.
    pub turnaround: Option<FlightId>,
    /// The stay that was planned.
    pub planned: Interval,
    /// The buffer in force, in minutes.
    pub buffer_minutes: u32,
    /// Why.
    pub cause: CancelCause,
}

/// No stand was left for a flight; recorded once until it has one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NoStandFound {
    /// The flight.
    pub flight: FlightId,
    /// Where.
    pub site: SiteId,
    /// The stay that it asked for.
    pub interval: Interval,
    /// The aircraft's code letter.
    pub code: CodeLetter,
    /// Every stand and why it was not to be had.
    pub candidates: Vec<Candidate>,
}
