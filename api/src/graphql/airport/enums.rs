//! Words of the airport.

use async_graphql::Enum;
use vigie_domain::airport as domain;

/// Whose stand it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, sqlx::Type)]
#[graphql(remote = "domain::StandKind")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub(crate) enum StandKind {
    /// For civil flights.
    Civil,
    /// Lent to civil flights when no civil stand is left.
    Military,
}

/// ICAO aerodrome reference code letter: the wingspan that a stand takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, sqlx::Type)]
#[graphql(remote = "domain::CodeLetter")]
#[sqlx(type_name = "text")]
pub(crate) enum CodeLetter {
    /// Below 15 m.
    A,
    /// Below 24 m.
    B,
    /// Below 36 m.
    C,
    /// Below 52 m.
    D,
    /// Below 65 m.
    E,
    /// Below 80 m.
    F,
}

/// Towards the site or away from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, sqlx::Type)]
#[graphql(remote = "domain::Direction")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub(crate) enum Direction {
    /// Comes to the site.
    Arrival,
    /// Leaves the site.
    Departure,
}

/// A step on the way to departure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, sqlx::Type)]
#[graphql(remote = "domain::Phase")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub(crate) enum Phase {
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

/// How far a flight has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub(crate) enum FlightStatus {
    /// Nothing but the schedule is known.
    Scheduled,
    /// Expected at a time.
    Estimated,
    /// On the ground.
    Landed,
    /// On block.
    Arrived,
    /// Gone.
    Departed,
    /// A step on the way to departure.
    Phase,
    /// Does not take place.
    Cancelled,
}

/// What a stand is at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub(crate) enum StandStatus {
    /// Free for an aircraft.
    Available,
    /// A stay is running.
    Occupied,
    /// Within the buffer before or after a stay.
    Reserved,
    /// Closed.
    Closed,
}

/// Where an allocation has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub(crate) enum AllocationStatus {
    /// Holds its stand.
    Active,
    /// The aircraft has left.
    Freed,
    /// No longer wanted.
    Cancelled,
}
