//! Appends as the callers think them up: real event types, random boundaries over a few hot things.
//!
//! Only types whose events stand for themselves are used here, so that every read model can fold them in any order.

use chrono::DateTime;
use serde::{Deserialize, Serialize};
use serde_json::value::to_raw_value;
use uuid::Uuid;
use vigie_domain::Event;
use vigie_domain::airport::{
    AircraftType, CodeLetter, StandDefined, StandId, StandKind, Turnaround, TurnaroundRuleSet, names as airport,
};
use vigie_domain::rail::{Limit, LimitsSet, Value, names as rail};
use vigie_domain::support::{SiteDefined, SiteId, SiteKind, Zone, names as support};
use vigie_eventlog::{Append, Condition, Criterion, Metadata, NewEvent, Query};

use crate::dice::Dice;

/// The types that are appended and asked for, by number.
pub(crate) const KINDS: [&str; 4] =
    [support::SITE_DEFINED, airport::STAND_DEFINED, airport::TURNAROUND_RULE_SET, rail::LIMITS_SET];
/// The hot things, `thing:0` and so on: few, so that boundaries often meet.
pub(crate) const THINGS: u8 = 16;
/// The name of every command that is made here.
pub(crate) const COMMAND: &str = "oracle.append";

/// An event to append: its type, its content in a number, and the hot things that it is about.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Piece {
    pub(crate) kind: u8,
    pub(crate) number: u8,
    pub(crate) things: Vec<u8>,
}

/// A criterion of a boundary: any of these types, carrying all of these things.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Crit {
    pub(crate) kinds: Vec<u8>,
    pub(crate) things: Vec<u8>,
}

/// A boundary and the position that it was read at.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Bound {
    pub(crate) criteria: Vec<Crit>,
    pub(crate) after: i64,
}

/// An append, thought up.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) pieces: Vec<Piece>,
    pub(crate) bounds: Vec<Bound>,
}

/// The tag that tells each event ever sent from every other.
pub(crate) fn mark(id: Uuid, attempt: u32, index: usize) -> String {
    format!("sent:{id}/{attempt}/{index}")
}

fn thing(number: u8) -> String {
    format!("thing:{number}")
}

impl Crit {
    pub(crate) fn criterion(&self) -> Criterion {
        let kinds = self.kinds.iter().map(|kind| KINDS[usize::from(*kind)].to_owned()).collect();
        Criterion { kinds, tags: self.things.iter().copied().map(thing).collect() }
    }

    /// What a follower or a caller may ask for: mostly a thing or two, of some types; now and then a type alone.
    pub(crate) fn roll(dice: &mut Dice) -> Self {
        let mut kinds: Vec<u8> = (0..4).collect();
        dice.shuffle(&mut kinds);
        kinds.truncate(usize::from(dice.small(4)));
        let mut things = roll_things(dice, 2);
        if things.is_empty() && (kinds.len() != 1 || !dice.chance(20)) {
            things.push(dice.small(THINGS));
        }
        kinds.sort_unstable();
        Self { kinds, things }
    }
}

impl Bound {
    pub(crate) fn query(&self) -> Query {
        Query { criteria: self.criteria.iter().map(Crit::criterion).collect() }
    }

    /// A boundary of one or two criteria; where it was read is not known yet.
    pub(crate) fn roll(dice: &mut Dice) -> Self {
        let criteria = (0..dice.between(1, 2)).map(|_| Crit::roll(dice)).collect();
        Self { criteria, after: 0 }
    }
}

impl Plan {
    /// 1 to 4 events, now and then 40, under 0 to 3 boundaries.
    pub(crate) fn roll(dice: &mut Dice) -> Self {
        let events = if dice.chance(2) { 40 } else { dice.between(1, 4) };
        let pieces = (0..events).map(|_| Piece::roll(dice)).collect();
        let bounds = (0..dice.between(0, 3)).map(|_| Bound::roll(dice)).collect();
        Self { pieces, bounds }
    }

    pub(crate) fn append(&self, id: Uuid, attempt: u32) -> Append {
        let event = |(index, piece): (usize, &Piece)| piece.event(mark(id, attempt, index));
        let metadata = Metadata {
            command_id: id,
            command: COMMAND.to_owned(),
            correlation_id: id,
            causation_id: None,
            actor: "operator:oracle".to_owned(),
            traceparent: None,
        };
        Append {
            events: self.pieces.iter().enumerate().map(event).collect(),
            metadata,
            conditions: self.bounds.iter().map(|b| Condition { query: b.query(), after: b.after }).collect(),
            answer: Some(to_raw_value(&answer(attempt)).expect("a number always serialises")),
        }
    }
}

/// What an append leaves as its answer: which attempt it was.
pub(crate) fn answer(attempt: u32) -> serde_json::Value {
    serde_json::json!({ "attempt": attempt })
}

fn roll_things(dice: &mut Dice, most: u64) -> Vec<u8> {
    let mut things: Vec<u8> = (0..dice.between(0, most)).map(|_| dice.small(THINGS)).collect();
    things.sort_unstable();
    things.dedup();
    things
}

impl Piece {
    fn roll(dice: &mut Dice) -> Self {
        Self { kind: dice.small(4), number: dice.small(200), things: roll_things(dice, 3) }
    }

    fn event(&self, mark: String) -> NewEvent {
        let event = self.content();
        let encoded = event.encode();
        let mut tags: Vec<String> = event.tags().into_iter().map(vigie_domain::kernel::Tag::into_string).collect();
        tags.extend(self.things.iter().copied().map(thing));
        tags.push(mark);
        NewEvent {
            kind: encoded.name.to_owned(),
            version: encoded.version,
            site: event.site_name().to_owned(),
            tags,
            data: encoded.data,
            occurred_at: DateTime::UNIX_EPOCH,
        }
    }

    fn content(&self) -> Event {
        const FINE: &str = "ids and numbers of the oracle follow the rules";
        let number = u32::from(self.number);
        let site = SiteId::new(&format!("O{:02}", number % 8)).expect(FINE);
        match self.kind {
            0 => {
                let zone = Zone::new("Africa/Lome").expect(FINE);
                SiteDefined { site, name: format!("Site {number}"), kind: SiteKind::Airport, zone, icao: None }.into()
            }
            1 => {
                let stand = StandId::at(&site, &format!("S{:02}", number % 20)).expect(FINE);
                let (kind, code) = (StandKind::Civil, CodeLetter::C);
                StandDefined { stand, site, kind, code, jetway: number.is_multiple_of(2), distance_m: number }.into()
            }
            2 => {
                let aircraft_type = AircraftType::new(if number % 2 == 0 { "A333" } else { "B738" }).expect(FINE);
                let turnaround = Turnaround::minutes(1, 1 + number, 300).expect(FINE);
                TurnaroundRuleSet { site, aircraft_type, turnaround }.into()
            }
            _ => {
                let bound = Value::new(f64::from(number)).expect(FINE);
                let limit = Limit {
                    quantity: "height".to_owned(),
                    unit: "mm".to_owned(),
                    alarm_low: Some(bound),
                    warning_low: None,
                    warning_high: None,
                    alarm_high: None,
                };
                let version = number % 50 + 1;
                LimitsSet { site, version, valid_from: DateTime::UNIX_EPOCH, limits: vec![limit] }.into()
            }
        }
    }
}
