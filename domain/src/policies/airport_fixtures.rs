//! Facts of the airport that policies react to.

use chrono::{DateTime, Duration, Utc};

use crate::airport::{
    AircraftType, AllocationCancelled, AllocationHit, AllocationMoved, CancelCause, Clock, CodeLetter, FlightCancelled,
    NoStandFound, Progress, StandAllocated, StandClosed, StandFreed, StandId, StandReopened,
};
use crate::alerts::fixtures::{allocation, flight};
use crate::kernel::{Interval, Note, spec};
use crate::support::SiteId;

fn site() -> SiteId {
    SiteId::new("LFW").unwrap()
}

fn stand(name: &str) -> StandId {
    StandId::at(&site(), name).unwrap()
}

fn at(hours: i64) -> DateTime<Utc> {
    spec::noon() + Duration::hours(hours)
}

pub(crate) fn stay() -> Interval {
    Interval::new(at(1), at(2)).unwrap()
}

fn hit(number: u128) -> AllocationHit {
    AllocationHit { allocation: allocation(number), flight: flight(), interval: stay() }
}

pub(crate) fn closed(hits: &[u128]) -> StandClosed {
    let hits = hits.iter().map(|number| hit(*number)).collect();
    StandClosed {
        stand: stand("C03"),
        site: site(),
        interval: Interval::starting(at(0)),
        reason: Note::default(),
        hits,
    }
}

pub(crate) fn reopened(relieved: &[u128]) -> StandReopened {
    let relieved = relieved.iter().map(|number| hit(*number)).collect();
    let interval = Interval::starting(at(0));
    StandReopened { stand: stand("C03"), site: site(), interval, note: Note::default(), relieved }
}

pub(crate) fn allocated() -> StandAllocated {
    StandAllocated {
        allocation: allocation(1),
        site: site(),
        stand: stand("C03"),
        flight: flight(),
        turnaround: None,
        interval: stay(),
        buffer_minutes: 15,
        aircraft_type: AircraftType::new("A333").unwrap(),
        code: CodeLetter::E,
        rules_version: 0,
        requested: false,
        overflow: None,
        candidates: vec![],
        note: Note::default(),
    }
}

pub(crate) fn moved() -> AllocationMoved {
    AllocationMoved {
        allocation: allocation(1),
        site: site(),
        flight: flight(),
        turnaround: None,
        from: stand("C03"),
        to: stand("C04"),
        interval: stay(),
        buffer_minutes: 15,
        overflow: None,
        note: Note::default(),
    }
}

pub(crate) fn freed() -> StandFreed {
    StandFreed {
        allocation: allocation(1),
        site: site(),
        stand: stand("C03"),
        flight: flight(),
        turnaround: None,
        planned: stay(),
        off_block_at: at(2),
        buffer_minutes: 15,
    }
}

pub(crate) fn cancelled() -> AllocationCancelled {
    AllocationCancelled {
        allocation: allocation(1),
        site: site(),
        stand: stand("C03"),
        flight: flight(),
        turnaround: None,
        planned: stay(),
        buffer_minutes: 15,
        cause: CancelCause::FlightCancelled { flight: flight() },
    }
}

pub(crate) fn no_stand() -> NoStandFound {
    NoStandFound { flight: flight(), site: site(), interval: stay(), code: CodeLetter::E, candidates: vec![] }
}

pub(crate) fn flight_cancelled() -> FlightCancelled {
    let clock = Clock { source: "spec".into(), observed_at: at(0) };
    FlightCancelled {
        flight: flight(),
        site: site(),
        was: Progress::Scheduled,
        note: crate::kernel::Note::default(),
        clock,
    }
}
