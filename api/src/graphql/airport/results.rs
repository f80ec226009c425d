//! What the airport's commands are answered.

use async_graphql::{Enum, ID, SimpleObject};

use super::allocation::{Allocation, Candidate};
use super::flight::Flight;
use super::refusals::Refused;
use super::stand::Stand;
use crate::graphql::command::Receipt;
use crate::graphql::refusal::{
    AllocationRefusal, FlightRefusal, SiteRefusal, StandRefusal, TurnaroundRefusal, ValueRefusal, results,
};
use crate::graphql::support::Site;

/// A stand has been set up, closed or opened.
#[derive(SimpleObject)]
pub(crate) struct StandPayload {
    #[graphql(flatten)]
    pub(super) receipt: Receipt,
    /// The stand.
    pub(super) stand: Option<Stand>,
    /// Allocations that a closure hits, or that a reopening relieves.
    pub(super) allocations: Vec<Allocation>,
}

/// The rules of a site have been set.
#[derive(SimpleObject)]
pub(crate) struct RulesPayload {
    #[graphql(flatten)]
    pub(super) receipt: Receipt,
    /// The site.
    pub(super) site: Option<Site>,
}

/// What is known of a flight has changed.
#[derive(SimpleObject)]
pub(crate) struct FlightPayload {
    #[graphql(flatten)]
    pub(super) receipt: Receipt,
    /// The flight.
    pub(super) flight: Option<Flight>,
}

/// Whether an allocation was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum AllocateOutcome {
    /// The flight has a stand now.
    Allocated,
    /// It had one before.
    AlreadyAllocated,
    /// No stand is left.
    NoStand,
}

/// The search for a stand has ended.
#[derive(SimpleObject)]
pub(crate) struct AllocateStandPayload {
    #[graphql(flatten)]
    pub(super) receipt: Receipt,
    /// How it ended.
    pub(super) outcome: AllocateOutcome,
    /// Id of the allocation, also while the read models are behind.
    pub(super) allocation_id: Option<ID>,
    /// The allocation.
    pub(super) allocation: Option<Allocation>,
    /// The flight.
    pub(super) flight: Option<Flight>,
    /// When no stand is left: every stand and why it was not to be had.
    pub(super) candidates: Vec<Candidate>,
}

/// An allocation has been moved, freed or cancelled.
#[derive(SimpleObject)]
pub(crate) struct AllocationPayload {
    #[graphql(flatten)]
    pub(super) receipt: Receipt,
    /// The allocation.
    pub(super) allocation: Option<Allocation>,
}

macro_rules! airport_results {
    ($($(#[$doc:meta])* $name:ident = $payload:ident;)*) => { results! {$(
        $(#[$doc])*
        $name = $payload, Refused [SiteRefusal, ValueRefusal, StandRefusal, FlightRefusal, AllocationRefusal, TurnaroundRefusal];
    )*} };
}

airport_results! {
    /// The stand, or the rule that forbids it.
    StandResult = StandPayload;
    /// The site with its rules, or the rule that forbids it.
    RulesResult = RulesPayload;
    /// The flight, or the rule that forbids it.
    FlightResult = FlightPayload;
    /// The allocation, or the rule that forbids it.
    AllocateStandResult = AllocateStandPayload;
    /// The allocation, or the rule that forbids it.
    AllocationResult = AllocationPayload;
}
