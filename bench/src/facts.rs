//! Facts of the airport, as the rules write them, put straight into the log.

use chrono::{DateTime, Days, Duration, Utc};
use uuid::Uuid;
use vigie_domain::Event;
use vigie_domain::airport::{
    AircraftType, AirportCode, AllocationId, AllocationMoved, Candidate, Carrier, Clock, CodeLetter, Details,
    Direction, FlightEstimated, FlightId, FlightRegistered, Leg, Progress, StandAllocated, StandDefined, StandFreed,
    StandId, StandKind,
};
use vigie_domain::alerts::{AlertAcknowledged, AlertId, AlertKind, AlertRaised, AlertResolved, Severity, Subject};
use vigie_domain::kernel::{Interval, Note, Tag};
use vigie_domain::rail::{
    CarMeasured, CompletenessDeclared, Level, PassCompleted, PassId, PassRegistered, Quality, Reading,
    SpringOutOfLimits, Value,
};
use vigie_domain::support::{SiteDefined, SiteId, SiteKind, Zone};
use vigie_eventlog::{Append, Log, Metadata, NewEvent};

use crate::{Outcome, load};

/// How many events are appended at once while a log is prepared.
const AT_ONCE: usize = 1_000;
/// Cars of a train.
const CARS: u16 = 30;
/// Events of a thousand flights and ten passes.
const EACH: usize = 9_000 + 10 * (CARS as usize + 11);

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

/// A train pass from its registration to its end: thirty cars of four readings, two of them out of limits, each with an
/// alert that somebody acknowledges and that is resolved.
pub(crate) fn pass(n: usize) -> Outcome<Vec<Event>> {
    let (site, passed_at) = (SiteId::new("SANGATTE")?, stay(n)?.from());
    let pass = PassId::at(&site, &format!("p{n:06}"))?;
    let registered =
        PassRegistered { pass: pass.clone(), site: site.clone(), track: "V1".into(), passed_at, train: None };
    let mut events = vec![registered.into()];
    for car in 1..=CARS {
        let readings = (1..=4).map(|spring| reading(spring, 249.5)).collect::<Outcome<_>>()?;
        let measured = CarMeasured {
            pass: pass.clone(),
            site: site.clone(),
            car,
            vehicle: None,
            camera: "cam1".into(),
            readings,
            limits_version: Some(1),
        };
        events.push(measured.into());
    }
    for car in [3, 17] {
        events.extend(out_of_limits(&pass, &site, car)?);
    }
    events.push(CompletenessDeclared { pass: pass.clone(), site: site.clone(), cars: CARS }.into());
    events.push(PassCompleted { pass, site, cars: CARS, springs: u32::from(CARS) * 4 }.into());
    Ok(events)
}

fn reading(spring: u16, value: f64) -> Outcome<Reading> {
    let (spring, value) = (format!("L{spring}"), Value::new(value)?);
    Ok(Reading { spring, quantity: "height".into(), unit: "mm".into(), value, quality: Quality::Good })
}

fn out_of_limits(pass: &PassId, site: &SiteId, car: u16) -> Outcome<[Event; 4]> {
    let found = SpringOutOfLimits {
        pass: pass.clone(),
        site: site.clone(),
        car,
        spring: "L1".into(),
        quantity: "height".into(),
        unit: "mm".into(),
        value: Value::new(201.5)?,
        quality: Quality::Good,
        level: Level::Alarm,
        bound: Value::new(210.5)?,
        limits_version: 1,
    };
    let alert = AlertId::of(AlertKind::SpringOutOfLimits, &format!("{pass}/{car}"));
    let subject = Subject::Spring { pass: pass.clone(), car, spring: "L1".into(), quantity: "height".into() };
    let raised = AlertRaised {
        alert,
        site: site.clone(),
        kind: AlertKind::SpringOutOfLimits,
        severity: Severity::Critical,
        subject: subject.clone(),
        message: format!("Spring L1 of car {car} is too low"),
        cause: Uuid::from_u128(car.into()),
    };
    let (site, note) = (site.clone(), Note::new("seen")?);
    let acknowledged = AlertAcknowledged { alert, site: site.clone(), subject: subject.clone(), note };
    let resolved = AlertResolved { alert, site, subject, reason: Note::new("measured again")? };
    Ok([found.into(), raised.into(), acknowledged.into(), resolved.into()])
}

/// Lives of flights that [`days`] of so many events does not hold, a hundred side by side.
pub(crate) fn days_of_flights(after: usize) -> impl Iterator<Item = Outcome<Event>> {
    let first = after.div_ceil(EACH) * 1_000;
    (0..).flat_map(move |n| {
        let from = first + n * 100;
        side_by_side(from..from + 100)
            .map_or_else(|error| vec![Err(error)], |events| events.into_iter().map(Ok).collect())
    })
}

/// The first facts of all of them, then the second ones, and so on.
fn side_by_side(flights: std::ops::Range<usize>) -> Outcome<Vec<Event>> {
    let mut lives: Vec<_> = flights.map(life).map(|life| life.map(Vec::into_iter)).collect::<Outcome<_>>()?;
    Ok((0..9).flat_map(|_| lives.iter_mut().filter_map(Iterator::next).collect::<Vec<_>>()).collect())
}

/// The first facts of the two hundred flights after those of [`days`]: stays that are not over.
pub(crate) fn begun(events: usize) -> Outcome<Vec<Event>> {
    let first = events.div_ceil(EACH) * 1_000;
    let lives: Vec<_> = (first..first + 200).map(life).collect::<Outcome<_>>()?;
    Ok(lives.into_iter().flat_map(|life| life.into_iter().take(8)).collect())
}

/// At least so many events as a site with an airport and a railway has them: the lives of a thousand flights at a time
/// lie side by side, with ten train passes to each thousand.
pub(crate) fn days(events: usize) -> impl Iterator<Item = Outcome<Event>> {
    let thousand = |n: usize| -> Outcome<Vec<Event>> {
        let mut events = side_by_side(n * 1_000..(n + 1) * 1_000)?;
        for n in n * 10..(n + 1) * 10 {
            events.extend(pass(n)?);
        }
        Ok(events)
    };
    (0..events.div_ceil(EACH)).flat_map(move |n| {
        thousand(n).map_or_else(|error| vec![Err(error)], |events| events.into_iter().map(Ok).collect())
    })
}

/// The event as the log takes it.
pub(crate) fn to_append(event: &Event) -> NewEvent {
    let encoded = event.encode();
    NewEvent {
        kind: encoded.name.to_owned(),
        version: encoded.version,
        site: event.site_name().to_owned(),
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
