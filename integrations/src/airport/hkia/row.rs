//! One row of a capture: a flight as the feed describes it.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use chrono_tz::Tz;
use serde_json::Value;
use vigie_domain::airport::{AirportCode, Carrier, Details, Direction, Leg, Placement, Progress};
use vigie_domain::support::SiteId;

use super::status;
use crate::zones;

/// The most airports, and the most flight numbers, in one row.
const MOST: usize = 32;
/// The most characters in a short text such as a gate.
const LONGEST: usize = 24;

/// What is wrong with a row, and where in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{pointer}: {reason}")]
pub struct Problem {
    /// JSON pointer (RFC 6901) from the row, such as `/flight/0/no`; empty for the row itself.
    pub pointer: String,
    /// What is wrong, and what would be right.
    pub reason: String,
}

/// What a row says of a flight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Which flight; the ordinal is 1, whatever the rest of the capture says.
    pub leg: Leg,
    /// Scheduled in-block or off-block time.
    pub scheduled_at: DateTime<Utc>,
    /// Codeshares, route, kind.
    pub details: Details,
    /// How far it has come.
    pub progress: Progress,
    /// Gate, belt, hall, aisle, terminal.
    pub placement: Placement,
}

/// What tells the flights of a capture apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) leg: Leg,
    pub(super) scheduled: NaiveDateTime,
}

fn problem(pointer: impl Into<String>, reason: impl Into<String>) -> Problem {
    Problem { pointer: pointer.into(), reason: reason.into() }
}

/// Reads the fields that name the flight.
pub(super) fn named(row: &Value, site: &SiteId) -> Result<Named, Problem> {
    if !row.is_object() {
        return Err(problem("", "a row is a JSON object"));
    }
    let date_text = text(row, "/date")?;
    let date: NaiveDate = date_text
        .parse()
        .ok()
        .filter(|date: &NaiveDate| date.to_string() == date_text)
        .ok_or_else(|| problem("/date", format!("{date_text:?} is not a date as YYYY-MM-DD")))?;
    let time = text(row, "/time")?;
    let time = status::clock_time(time).ok_or_else(|| problem("/time", format!("{time:?} is not a time as HH:MM")))?;
    let direction = if flag(row, "/isArrival")? { Direction::Arrival } else { Direction::Departure };
    let (carrier, number) = designator(row, "/flight/0/no")?;
    let airport = airport(row, "/origin_dest/0")?;
    let leg = Leg { site: site.clone(), carrier, number, date, direction, airport, ordinal: 1 };
    leg.id().map_err(|error| problem("/flight/0/no", error.to_string()))?;
    Ok(Named { leg, scheduled: date.and_time(time) })
}

/// Reads a whole row.
pub(super) fn said(row: &Value, site: &SiteId, zone: Tz) -> Result<Said, Problem> {
    let Named { leg, scheduled } = named(row, site)?;
    let status = text(row, "/status")?;
    let progress =
        status::parse(status, leg.direction, scheduled, zone).map_err(|error| problem("/status", error.to_string()))?;
    Ok(Said {
        scheduled_at: zones::utc(zone, scheduled),
        details: details(row)?,
        placement: placement(row, leg.direction)?,
        progress,
        leg,
    })
}

fn details(row: &Value) -> Result<Details, Problem> {
    let numbers = list(row, "/flight")?;
    let codeshares = (1..numbers)
        .map(|i| designator(row, &format!("/flight/{i}/no")).map(|(carrier, number)| format!("{carrier}{number}")))
        .collect::<Result<_, _>>()?;
    let via = (1..list(row, "/origin_dest")?)
        .map(|i| airport(row, &format!("/origin_dest/{i}")))
        .collect::<Result<_, _>>()?;
    let operator = match row.pointer("/flight/0/airline") {
        None | Some(Value::Null) => None,
        Some(_) => match text(row, "/flight/0/airline")? {
            "" => None,
            icao => Some(Carrier::new(icao).map_err(|error| problem("/flight/0/airline", error.to_string()))?),
        },
    };
    Ok(Details { operator, codeshares, via, cargo: flag(row, "/isCargo")? })
}

fn placement(row: &Value, direction: Direction) -> Result<Placement, Problem> {
    let place = short(row, "/gate_baggage")?;
    let terminal = short(row, "/terminal")?;
    Ok(match direction {
        Direction::Arrival => {
            Placement { belt: place, terminal, hall: short(row, "/_raw/hall")?, ..Placement::default() }
        }
        Direction::Departure => {
            Placement { gate: place, terminal, aisle: short(row, "/_raw/aisle")?, ..Placement::default() }
        }
    })
}

/// `CX 636` → carrier `CX`, number `636`.
fn designator(row: &Value, pointer: &str) -> Result<(Carrier, String), Problem> {
    let no = text(row, pointer)?;
    let wrong = || {
        problem(
            pointer,
            format!("{no:?} is not a flight number: a carrier, a space, 1 to 4 digits and at most one letter"),
        )
    };
    let (carrier, number) = no.split_once(' ').ok_or_else(wrong)?;
    let digits = number.strip_suffix(|c: char| c.is_ascii_uppercase()).unwrap_or(number);
    if !(1..=4).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong());
    }
    Ok((Carrier::new(carrier).map_err(|_| wrong())?, number.to_owned()))
}

fn airport(row: &Value, pointer: &str) -> Result<AirportCode, Problem> {
    AirportCode::new(text(row, pointer)?).map_err(|error| problem(pointer, error.to_string()))
}

/// A text of at most [`LONGEST`] characters; empty where it is absent.
fn short(row: &Value, pointer: &str) -> Result<String, Problem> {
    match row.pointer(pointer) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(_) => {
            let text = text(row, pointer)?;
            if text.chars().count() > LONGEST || text.chars().any(char::is_control) {
                return Err(problem(
                    pointer,
                    format!("a text of at most {LONGEST} characters, without control characters"),
                ));
            }
            Ok(text.to_owned())
        }
    }
}

fn text<'r>(row: &'r Value, pointer: &str) -> Result<&'r str, Problem> {
    match row.pointer(pointer) {
        Some(Value::String(text)) => Ok(text.trim()),
        Some(other) => Err(problem(pointer, format!("a text is wanted, not {}", kind(other)))),
        None => Err(problem(pointer, "is missing")),
    }
}

fn flag(row: &Value, pointer: &str) -> Result<bool, Problem> {
    match row.pointer(pointer) {
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(other) => Err(problem(pointer, format!("true or false is wanted, not {}", kind(other)))),
        None => Err(problem(pointer, "is missing")),
    }
}

/// The length of a list of 1 to [`MOST`].
fn list(row: &Value, pointer: &str) -> Result<usize, Problem> {
    match row.pointer(pointer) {
        Some(Value::Array(items)) if (1..=MOST).contains(&items.len()) => Ok(items.len()),
        Some(Value::Array(items)) => Err(problem(pointer, format!("1 to {MOST} are wanted, not {}", items.len()))),
        Some(other) => Err(problem(pointer, format!("a list is wanted, not {}", kind(other)))),
        None => Err(problem(pointer, "is missing")),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn site() -> SiteId {
        SiteId::new("HKG").unwrap()
    }

    fn row() -> Value {
        json!({"date":"2025-12-20","time":"00:10",
            "flight":[{"no":"CX 636","airline":"CPA"},{"no":"GF 4062","airline":"GFA"}],
            "origin_dest":["SIN","KUL"],"status":"At gate 00:28","gate_baggage":"12","terminal":"",
            "isArrival":true,"isCargo":false,"_raw":{"aisle":"","hall":"B"}})
    }

    fn with(pointer: &str, value: Value) -> Value {
        let mut row = row();
        *row.pointer_mut(pointer).unwrap() = value;
        row
    }

    #[test]
    fn a_row_says_which_flight_when_and_where() {
        let said = said(&row(), &site(), Tz::Asia__Hong_Kong).unwrap();
        assert_eq!(said.leg.id().unwrap().as_str(), "HKG/CX636/2025-12-20/A/SIN");
        assert_eq!(said.scheduled_at.to_rfc3339(), "2025-12-19T16:10:00+00:00");
        assert_eq!(said.details.operator.unwrap().as_str(), "CPA");
        assert_eq!(said.details.codeshares, ["GF4062"]);
        assert_eq!(said.details.via, [AirportCode::new("KUL").unwrap()]);
        assert_eq!((said.placement.belt.as_str(), said.placement.hall.as_str()), ("12", "B"));
        assert_eq!(said.placement.gate, "");
    }

    #[test]
    fn the_gate_of_a_departure_is_no_belt() {
        let mut row = with("/isArrival", json!(false));
        row["status"] = json!("Boarding");
        let said = said(&row, &site(), Tz::Asia__Hong_Kong).unwrap();
        assert_eq!((said.placement.gate.as_str(), said.placement.belt.as_str()), ("12", ""));
    }

    #[test]
    fn a_bad_field_is_named_by_its_place() {
        for (pointer, value) in [
            ("/date", json!("2025-2-1")),
            ("/time", json!("7:00")),
            ("/time", json!(700)),
            ("/flight/0/no", json!("CX")),
            ("/flight/0/no", json!("CX 12345")),
            ("/flight/0/no", json!("CX 12AB")),
            ("/flight/0/airline", json!("cpa")),
            ("/flight/1/no", json!("?")),
            ("/origin_dest/0", json!("S")),
            ("/origin_dest/1", Value::Null),
            ("/status", json!("Lost")),
            ("/gate_baggage", json!("x".repeat(25))),
            ("/isArrival", json!("yes")),
            ("/isCargo", Value::Null),
        ] {
            let found = said(&with(pointer, value.clone()), &site(), Tz::Asia__Hong_Kong).unwrap_err();
            assert_eq!(found.pointer, pointer, "{value}: {found}");
        }
        assert_eq!(said(&with("/flight", json!([])), &site(), Tz::UTC).unwrap_err().pointer, "/flight/0/no");
        assert_eq!(said(&json!(17), &site(), Tz::UTC).unwrap_err().pointer, "");
    }
}
