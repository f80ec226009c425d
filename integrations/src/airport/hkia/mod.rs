//! Captures of the flight schedule of Hong Kong International Airport.
//!
//! A capture is one JSON object: `generatedAt`, the source's clock, and `flights`, a row per leg. It is read twice
//! from the start: once for `generatedAt`, which may stand behind the rows, and for legs that share carrier, number,
//! date, direction and airport, which get ordinals in order of their scheduled time; then row by row. Memory is the
//! keys of one capture and one row, whatever the length of the file.
//!
//! The ordinals of a capture follow from that capture alone: should one of two such legs vanish from the feed, the
//! other is taken for the first of the day.
//!
//! A row that is not in a capture says nothing: absence is not a cancellation.

mod row;
pub mod status;
mod stream;

use std::collections::{HashMap, HashSet};
use std::io::{self, Read, Seek};
use std::ops::ControlFlow;

use chrono::{DateTime, NaiveDateTime, SubsecRound, Utc};
use chrono_tz::Tz;
use serde_json::Value;
use serde_json::value::RawValue;
use vigie_domain::airport::FlightId;
use vigie_domain::support::SiteId;

pub use row::{Problem, Said};
pub use stream::{LONGEST_ROW, MOST_ROWS};

use stream::{Broken, Header};

/// The name of this source in clocks and actors.
pub const SOURCE: &str = "hkia";

/// Whose schedule it is, and how it is to be read.
#[derive(Debug, Clone)]
pub struct Feed {
    /// The airport.
    pub site: SiteId,
    /// Its time zone.
    pub zone: Tz,
    /// A `generatedAt` after this is an error of the source; taken as it is, it would make every later report stale.
    pub latest: DateTime<Utc>,
}

/// A row that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// Its place in the capture, from 1.
    pub row: u32,
    /// The flight.
    pub flight: FlightId,
    /// What is said of it; the leg carries its ordinal.
    pub said: Said,
    /// When the source said it, by its own clock.
    pub observed_at: DateTime<Utc>,
    /// The row as it was read.
    pub raw: Box<str>,
}

/// A row, or the rest of a file, that was not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aside {
    /// Its place in the capture, from 1; none for what is not about one row.
    pub row: Option<u32>,
    /// What is wrong; the pointer starts at the capture.
    pub problem: Problem,
    /// The row as it was read; empty where there is none.
    pub raw: Box<str>,
}

/// What comes out of a capture, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A row that was understood.
    Row(Box<Observation>),
    /// One that was not.
    Aside(Aside),
}

/// How a capture ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct End {
    /// Rows that were seen, a broken last one included.
    pub rows: u32,
    /// The number of rows that the capture says it has.
    pub declared: Option<u64>,
}

/// Reads a capture and hands out what is in it, until `each` breaks off.
///
/// # Errors
/// The input cannot be read. What is wrong with its text comes out as [`Item::Aside`].
pub fn read<R: Read + Seek>(
    mut input: R,
    feed: &Feed,
    each: &mut dyn FnMut(Item) -> ControlFlow<()>,
) -> io::Result<End> {
    input.rewind()?;
    let mut header = Header::default();
    let mut keys = Keys::default();
    // What is broken shows up again in the second reading, and is told there.
    let first = stream::rows(&mut input, &mut header, &mut |_, raw| {
        keys.count(raw, feed);
        ControlFlow::Continue(())
    });
    if let Err(Broken::Io(error)) = first {
        return Err(error);
    }
    keys.settle();
    input.rewind()?;
    let clock = clock(header.generated_at.as_ref(), feed.latest);
    let mut second = Header::default();
    let outcome = stream::rows(&mut input, &mut second, &mut |row, raw| {
        each(match observation(row, raw, feed, &clock, &mut keys) {
            Ok(observation) => Item::Row(Box::new(observation)),
            Err(problem) => Item::Aside(Aside { row: Some(row), problem: in_row(row, problem), raw: raw.get().into() }),
        })
    });
    let rest = |row: Option<u32>, pointer: &str, reason: String| {
        Item::Aside(Aside { row, problem: Problem { pointer: pointer.to_owned(), reason }, raw: "".into() })
    };
    match outcome {
        Err(Broken::Io(error)) => return Err(error),
        Err(Broken::Stopped) => {}
        Err(Broken::Text(reason)) => {
            let pointer = if second.has_flights { "/flights" } else { "" };
            let reason = format!("cannot be read from here on: {reason}");
            let _ = each(rest(Some(second.rows).filter(|row| *row > 0), pointer, reason));
        }
        Ok(()) if !second.has_flights => {
            let _ = each(rest(None, "/flights", "is missing".to_owned()));
        }
        Ok(()) => {}
    }
    Ok(End { rows: second.rows, declared: second.declared })
}

fn observation(
    row: u32,
    raw: &RawValue,
    feed: &Feed,
    clock: &Result<DateTime<Utc>, Problem>,
    keys: &mut Keys,
) -> Result<Observation, Problem> {
    let observed_at = clock.clone()?;
    let value = value(raw)?;
    let mut said = row::said(&value, &feed.site, feed.zone)?;
    let scheduled = row::named(&value, &feed.site)?.scheduled;
    let base = said.leg.id().map_err(|error| whole(error.to_string()))?;
    said.leg.ordinal = keys.ordinal(&base, scheduled)?;
    let flight = said.leg.id().map_err(|error| whole(error.to_string()))?;
    Ok(Observation { row, flight, said, observed_at, raw: raw.get().into() })
}

fn value(raw: &RawValue) -> Result<Value, Problem> {
    serde_json::from_str(raw.get()).map_err(|error| whole(error.to_string()))
}

fn whole(reason: String) -> Problem {
    Problem { pointer: String::new(), reason }
}

/// The pointer from the capture on; `/generatedAt` is there already.
fn in_row(row: u32, problem: Problem) -> Problem {
    if problem.pointer == GENERATED_AT {
        return problem;
    }
    Problem { pointer: format!("/flights/{}{}", row - 1, problem.pointer), ..problem }
}

const GENERATED_AT: &str = "/generatedAt";

/// The source's clock, in the microseconds that the log keeps.
fn clock(stated: Option<&Value>, latest: DateTime<Utc>) -> Result<DateTime<Utc>, Problem> {
    let wrong = |reason: String| Problem { pointer: GENERATED_AT.to_owned(), reason };
    let text = match stated {
        Some(Value::String(text)) => text,
        Some(_) => {
            return Err(wrong("is not a text: without the source's clock its reports cannot be put in order".into()));
        }
        None => return Err(wrong("is missing: without the source's clock its reports cannot be put in order".into())),
    };
    let at = DateTime::parse_from_rfc3339(text)
        .map_err(|_| wrong(format!("{text:?} is not a time as 2026-01-15T09:58:53.489Z")))?
        .to_utc()
        .trunc_subsecs(6);
    if at > latest { Err(wrong(format!("{text} has not come yet"))) } else { Ok(at) }
}

/// The legs of a capture that share a key.
#[derive(Default)]
struct Keys {
    /// Scheduled times by the id of the first leg.
    times: HashMap<FlightId, Vec<NaiveDateTime>>,
    taken: HashSet<(FlightId, NaiveDateTime)>,
}

impl Keys {
    fn count(&mut self, raw: &RawValue, feed: &Feed) {
        // A row that cannot be read takes no part; it is set aside in the second reading.
        let Ok(value) = value(raw) else { return };
        if let Ok(said) = row::said(&value, &feed.site, feed.zone)
            && let Ok(named) = row::named(&value, &feed.site)
            && let Ok(id) = said.leg.id()
        {
            self.times.entry(id).or_insert_with(|| Vec::with_capacity(1)).push(named.scheduled);
        }
    }

    fn settle(&mut self) {
        self.times.retain(|_, times| times.len() > 1);
        self.times.values_mut().for_each(|times| {
            times.sort_unstable();
            times.dedup();
        });
    }

    fn ordinal(&mut self, base: &FlightId, scheduled: NaiveDateTime) -> Result<u8, Problem> {
        let Some(times) = self.times.get(base) else { return Ok(1) };
        if !self.taken.insert((base.clone(), scheduled)) {
            return Err(whole(format!("{base} was in this capture before, with the same scheduled time")));
        }
        let place = times.binary_search(&scheduled).map_or(0, |index| index) + 1;
        u8::try_from(place).map_err(|_| whole(format!("more than 255 legs share {base}")))
    }
}

#[cfg(test)]
mod real_data;
#[cfg(test)]
mod tests;
