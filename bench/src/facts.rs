//! Facts of the airport, as the rules write them, put straight into the log.

use chrono::{DateTime, Days, Duration, Utc};
use uuid::Uuid;
use vigie_domain::Event;
use vigie_domain::airport::{
    AircraftType, AirportCode, AllocationId, AllocationMoved, Candidate, Carrier, Clock, CodeLetter, Details,
    Direction, FlightEstimated, FlightId, FlightRegistered, Leg, Progress, StandAllocated, StandDefined, StandFreed,
    StandId, StandKind,
};
use vigie_domain::kernel::{Interval, Note, Tag};
use vigie_domain::support::{SiteDefined, SiteId, SiteKind, Zone};
use vigie_eventlog::{Append, Log, Metadata, NewEvent};

use crate::{Outcome, load};

/// How many events are appended at once while a log is prepared.
const AT_ONCE: usize = 1_000;

/// The first day of the load.
pub(crate) fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_225_600, 0).unwrap_or_default()
}

pub(crate) fn site_id() -> Outcome<SiteId> {
    Ok(SiteId::new("LFW")?)
}

pub(crate) fn stand_id(n: usize) -> Outcome<StandId> {
    Ok(StandId::at(&site_id()?, &format!("C{n:03}"))?)
}

pub(crate) fn site() -> Outcome<Event> {
    let (name, zone) = ("Lomé".to_owned(), Zone::new("Africa/Lome")?);
    Ok(SiteDefined { site: site_id()?, name, kind: SiteKind::Airport, zone, icao: None }.into())
}

pub(crate) fn stand(n: usize) -> Outcome<Event> {
    let (kind, code) = (StandKind::Civil, CodeLetter::E);
    Ok(StandDefined { stand: stand_id(n)?, site: site_id()?, kind, code, jetway: true, distance_m: 10 }.into())
}

/// The flight of this number; 9,000 a day.
pub(crate) fn flight(n: usize) -> Outcome<FlightId> {
    let day = Days::new(u64::try_from(n / 9_000)?);
    let leg = Leg {
        site: site_id()?,
        carrier: Carrier::new("AF")?,
        number: (n % 9_000 + 1).to_string(),
        date: start().date_naive().checked_add_days(day).ok_or("the load ends before the calendar")?,
        direction: Direction::Arrival,
        airport: AirportCode::new("CDG")?,
        ordinal: 1,
    };
    Ok(leg.id()?)
}

/// Two hours, from a time of its own.
fn stay(n: usize) -> Outcome<Interval> {
    let from = start() + Duration::minutes(i64::try_from(n)?);
    Ok(Interval::new(from, from + Duration::hours(2))?)
}

pub(crate) fn allocated(n: usize, stand: &StandId) -> Outcome<Event> {
    let chosen = Candidate { stand: stand.clone(), points: Some(120), rejected: None };
    Ok(StandAllocated {
        allocation: AllocationId(Uuid::from_u128(u128::try_from(n)?)),
        site: site_id()?,
        stand: stand.clone(),
        flight: flight(n)?,
        turnaround: None,
        interval: stay(n)?,
        buffer_minutes: 15,
        aircraft_type: AircraftType::new("B738")?,
        code: CodeLetter::C,
        rules_version: 0,
        requested: false,
        overflow: None,
        candidates: vec![chosen],
        note: Note::new("first of the day")?,
    }
    .into())
}

pub(crate) fn freed(n: usize, stand: &StandId) -> Outcome<Event> {
    let planned = stay(n)?;
    Ok(StandFreed {
        allocation: AllocationId(Uuid::from_u128(u128::try_from(n)?)),
        site: site_id()?,
        stand: stand.clone(),
        flight: flight(n)?,
        turnaround: None,
        planned,
        off_block_at: planned.from() + Duration::minutes(100),
        buffer_minutes: 15,
    }
    .into())
}

/// A flight from the first report to the free stand: nine facts.
pub(crate) fn life(n: usize) -> Outcome<Vec<Event>> {
    let (flight, at) = (flight(n)?, stay(n)?.from());
    let (first, second) = (stand_id(n % 50)?, stand_id(n % 50 + 50)?);
    let clock = |minutes| Clock { source: "bench".into(), observed_at: at + Duration::minutes(minutes) };
    let registered = FlightRegistered {
        flight: flight.clone(),
        site: site_id()?,
        scheduled_at: at,
        details: Details::default(),
        clock: clock(0),
    };
    let mut events = vec![registered.into()];
    for minutes in 1..6 {
        let (at, was) = (at + Duration::minutes(minutes * 7), Progress::Scheduled);
        events
            .push(FlightEstimated { flight: flight.clone(), site: site_id()?, at, was, clock: clock(minutes) }.into());
    }
    events.push(allocated(n, &first)?);
    let moved = AllocationMoved {
        allocation: AllocationId(Uuid::from_u128(u128::try_from(n)?)),
        site: site_id()?,
        flight,
        turnaround: None,
        from: first,
        to: second.clone(),
        interval: stay(n)?,
        buffer_minutes: 15,
        overflow: None,
        note: Note::new("tow")?,
    };
    events.push(moved.into());
    events.push(freed(n, &second)?);
    Ok(events)
}

/// The event as the log takes it.
pub(crate) fn to_append(event: &Event) -> NewEvent {
    let encoded = event.encode();
    NewEvent {
        kind: encoded.name.to_owned(),
        version: encoded.version,
        site: event.site().to_string(),
        tags: event.tags().into_iter().map(Tag::into_string).collect(),
        data: encoded.data,
        occurred_at: start(),
    }
}

/// Appends facts without asking any rule.
pub(crate) async fn put(log: &Log, events: impl IntoIterator<Item = Outcome<Event>>) -> Outcome<()> {
    let mut waiting = Vec::new();
    for event in events {
        waiting.push(to_append(&event?));
        if waiting.len() == AT_ONCE {
            put_at_once(log, std::mem::take(&mut waiting)).await?;
        }
    }
    if waiting.is_empty() { Ok(()) } else { put_at_once(log, waiting).await }
}

async fn put_at_once(log: &Log, events: Vec<NewEvent>) -> Outcome<()> {
    let metadata: Metadata = load::metadata();
    log.append(Append { events, metadata, conditions: Vec::new(), answer: None }).await?;
    Ok(())
}
