//! Who stands where, and when.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use vigie_domain::Event;
use vigie_domain::airport::{
    AircraftType, AirportEvent, AllocationCancelled, AllocationId, AllocationMoved, CancelCause, Candidate, CodeLetter,
    FlightId, StandAllocated, StandId, names,
};
use vigie_domain::support::SiteId;

use crate::engine::row;
use crate::{Entry, FoldError, ReadModel, Rows};

/// A move to another stand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Move {
    /// The stand before.
    pub from: StandId,
    /// The stand after.
    pub to: StandId,
    /// When.
    pub at: DateTime<Utc>,
    /// Who or what moved it.
    pub by: String,
    /// What was noted.
    pub note: String,
}

/// Whether an allocation holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AllocationStatus {
    /// It holds its stand.
    Active,
    /// The aircraft has left.
    Freed,
    /// It is no longer wanted.
    Cancelled,
}

/// An allocation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the columns are described in the migration")]
pub struct AllocationRow {
    pub allocation: AllocationId,
    pub site: SiteId,
    pub stand: StandId,
    pub flight: FlightId,
    pub turnaround: Option<FlightId>,
    pub from_at: DateTime<Utc>,
    pub to_at: Option<DateTime<Utc>>,
    pub planned_to: Option<DateTime<Utc>>,
    pub buffer_minutes: u32,
    pub aircraft_type: AircraftType,
    pub code: CodeLetter,
    pub status: AllocationStatus,
    pub overflow: Option<String>,
    pub requested: bool,
    pub rules_version: u32,
    pub candidates: Vec<Candidate>,
    pub note: String,
    pub moves: Vec<Move>,
    pub conflict: Option<String>,
    pub cancelled_by: Option<String>,
    pub cancel_note: Option<String>,
    pub actor: String,
    pub ended_at: Option<DateTime<Utc>>,
    pub position: i64,
    pub created_at: DateTime<Utc>,
    pub changed_at: DateTime<Utc>,
}
row!(AllocationRow in "allocations" by allocation: AllocationId);

/// Allocations from the first to the last word about them.
pub struct Allocations;

impl ReadModel for Allocations {
    const NAME: &'static str = "allocations";
    const VERSION: i32 = 2;
    const EVENTS: &'static [&'static str] = &[
        names::STAND_ALLOCATED,
        names::ALLOCATION_MOVED,
        names::STAND_FREED,
        names::ALLOCATION_CANCELLED,
        names::STAND_CLOSED,
        names::STAND_REOPENED,
    ];
    type Rows = (AllocationRow,);

    fn keys(entry: &Entry, rows: &mut Rows) {
        let Event::Airport(event) = entry.event() else { return };
        for allocation in allocations(event) {
            rows.want::<AllocationRow>((allocation,));
        }
    }

    fn fold(entry: &Entry, rows: &mut Rows) -> Result<(), FoldError> {
        let Event::Airport(event) = entry.event() else { return Ok(()) };
        if let AirportEvent::StandAllocated(allocated) = event {
            let new =
                |row: Option<&AllocationRow>| row.cloned().unwrap_or_else(|| AllocationRow::new(allocated, entry));
            return rows.put(&(allocated.allocation,), entry, new);
        }
        for allocation in allocations(event) {
            rows.change(&(allocation,), entry, |row: &mut AllocationRow| row.evolve(event, entry))?;
        }
        Ok(())
    }
}

/// The allocations that an event changes.
fn allocations(event: &AirportEvent) -> Vec<AllocationId> {
    match event {
        AirportEvent::StandAllocated(e) => vec![e.allocation],
        AirportEvent::AllocationMoved(e) => vec![e.allocation],
        AirportEvent::StandFreed(e) => vec![e.allocation],
        AirportEvent::AllocationCancelled(e) => vec![e.allocation],
        AirportEvent::StandClosed(e) => e.hits.iter().map(|hit| hit.allocation).collect(),
        AirportEvent::StandReopened(e) => e.relieved.iter().map(|hit| hit.allocation).collect(),
        AirportEvent::StandDefined(_) | about_rules!() | about_flights!() => Vec::new(),
    }
}

impl AllocationRow {
    fn new(allocated: &StandAllocated, entry: &Entry) -> Self {
        let recorded_at = entry.stamp().recorded_at;
        Self {
            allocation: allocated.allocation,
            site: allocated.site.clone(),
            stand: allocated.stand.clone(),
            flight: allocated.flight.clone(),
            turnaround: allocated.turnaround.clone(),
            from_at: allocated.interval.from(),
            to_at: allocated.interval.to(),
            planned_to: allocated.interval.to(),
            buffer_minutes: allocated.buffer_minutes,
            aircraft_type: allocated.aircraft_type.clone(),
            code: allocated.code,
            status: AllocationStatus::Active,
            overflow: allocated.overflow.clone(),
            requested: allocated.requested,
            rules_version: allocated.rules_version,
            candidates: allocated.candidates.clone(),
            note: allocated.note.as_str().to_owned(),
            moves: Vec::new(),
            conflict: None,
            cancelled_by: None,
            cancel_note: None,
            actor: entry.stamp().actor.clone(),
            ended_at: None,
            position: 0,
            created_at: recorded_at,
            changed_at: recorded_at,
        }
    }

    fn evolve(&mut self, event: &AirportEvent, entry: &Entry) {
        let at = entry.stamp().occurred_at;
        match event {
            AirportEvent::AllocationMoved(moved) => self.moved(moved, entry),
            AirportEvent::StandFreed(freed) => {
                self.status = AllocationStatus::Freed;
                self.to_at = Some(freed.off_block_at);
                self.ended_at = Some(freed.off_block_at);
                self.conflict = None;
            }
            AirportEvent::AllocationCancelled(cancelled) => self.cancelled(cancelled, at),
            AirportEvent::StandClosed(closed) => self.conflict = Some(closed.reason.as_str().to_owned()),
            AirportEvent::StandReopened(_) => self.conflict = None,
            AirportEvent::StandAllocated(_) | AirportEvent::StandDefined(_) | about_rules!() | about_flights!() => {}
        }
    }

    fn moved(&mut self, moved: &AllocationMoved, entry: &Entry) {
        self.stand = moved.to.clone();
        self.buffer_minutes = moved.buffer_minutes;
        self.overflow.clone_from(&moved.overflow);
        // The stand that it was in conflict with is no longer its own.
        self.conflict = None;
        self.moves.push(Move {
            from: moved.from.clone(),
            to: moved.to.clone(),
            at: entry.stamp().occurred_at,
            by: entry.stamp().actor.clone(),
            note: moved.note.as_str().to_owned(),
        });
    }

    fn cancelled(&mut self, cancelled: &AllocationCancelled, at: DateTime<Utc>) {
        self.status = AllocationStatus::Cancelled;
        self.ended_at = Some(at);
        self.conflict = None;
        let (by, note) = match &cancelled.cause {
            CancelCause::Operator { note } => ("operator", note.as_str().to_owned()),
            CancelCause::FlightCancelled { flight } => ("flight_cancelled", format!("{flight} was cancelled")),
        };
        self.cancelled_by = Some(by.to_owned());
        self.cancel_note = Some(note);
    }
}
