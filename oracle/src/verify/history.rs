//! The log, read once and kept in memory.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use uuid::Uuid;
use vigie_domain::Event;
use vigie_domain::policies::{ALL, command_id, timer_command_id};
use vigie_eventlog::{Log, Query, Read, Recorded};

use super::alerts::Alerts;
use super::ground::Ground;
use super::{Checked, Violation};
use crate::Fault;
use crate::ledger::trace;
use crate::plan::{Bound, Crit, KINDS, THINGS};

/// The most commands that a policy gives in answer to a fact.
const REACTIONS: usize = 64;

/// Where an event says that it comes from: command, attempt and place in it.
pub(super) type Mark = (Uuid, u32, usize);

/// What is kept of an event.
pub(super) struct Kept {
    pub(super) trace: u32,
    /// A bit for its type, if callers append it; 0 otherwise.
    kind: u8,
    /// A bit for each hot thing that it is about.
    things: u16,
    pub(super) command: Uuid,
    pub(super) mark: Option<Mark>,
    name: &'static str,
    /// Seconds after the first event.
    seconds: f64,
}

/// The whole log.
pub(super) struct History {
    /// The event at position n has index n - 1.
    events: Vec<Kept>,
    by_thing: Vec<Vec<i64>>,
    /// First and last position of each command.
    commands: HashMap<Uuid, (i64, i64)>,
    /// Commands that somebody has written down.
    sent: HashSet<Uuid>,
    began: Option<DateTime<Utc>>,
    /// Commands that policies have given.
    pub(super) alerts: Alerts,
}

impl History {
    /// Reads the log: positions, command ids and marks are looked at on the way, and the domain's own rules.
    pub(super) async fn read(log: &Log, checked: &mut Checked) -> Result<Self, Fault> {
        let mut history = Self {
            events: Vec::new(),
            by_thing: vec![Vec::new(); usize::from(THINGS)],
            commands: HashMap::new(),
            sent: HashSet::new(),
            began: None,
            alerts: Alerts::default(),
        };
        let (mut ground, mut marks, mut after) = (Ground::default(), HashMap::new(), 0);
        loop {
            let page = log.read(&Query::all(), Read::after(after)).await?;
            let Some(last) = page.last() else { break };
            after = last.position;
            for recorded in &page {
                history.take(recorded, &mut marks, checked);
                let event = Event::decode(&recorded.kind, recorded.version, recorded.data.get())?;
                history.alerts.take(recorded, &event, checked);
                ground.take(recorded, &event, checked);
            }
        }
        history.alerts.finish(checked);
        checked.count("events, gapless", history.events.len());
        checked.count("commands in the log, each once", history.commands.len());
        checked.count("stays on stands, none too near another", ground.stays);
        Ok(history)
    }

    fn take(&mut self, recorded: &Recorded, marks: &mut HashMap<Mark, i64>, checked: &mut Checked) {
        let (position, command) = (recorded.position, recorded.metadata.command_id);
        let expected = self.head() + 1;
        if position != expected {
            let says = format!("after {} comes {position}", expected - 1);
            let violation = Violation::new("positions are 1, 2, 3, … without gaps", expected, says);
            let next = format!("{position} {} of command {command}", recorded.kind);
            checked.broken(violation.with("event", self.show(expected - 1)).with("event", next));
            while self.head() + 1 < position {
                self.events.push(Kept::nothing());
            }
        }
        let began = *self.began.get_or_insert(recorded.recorded_at);
        let kept = Kept::of(recorded, began);
        for (thing, positions) in self.by_thing.iter_mut().enumerate() {
            if kept.things & (1 << thing) != 0 {
                positions.push(position);
            }
        }
        let mark = kept.mark;
        self.events.push(kept);
        if let Some(mark) = mark
            && let Some(first) = marks.insert(mark, position)
        {
            let says = format!("what was sent once as {} is in the log twice", shown(mark));
            let violation = Violation::new("no append is in the log twice", position, says);
            checked.broken(violation.with_all("event", [self.show(first), self.show(position)]));
        }
        self.group(command, position, checked);
    }

    /// The events of a command are next to each other, once.
    fn group(&mut self, command: Uuid, position: i64, checked: &mut Checked) {
        let known = self.commands.entry(command).or_insert((position, position - 1));
        let (first, last) = *known;
        known.1 = position;
        if last + 1 != position {
            let says = format!("command {command} has appended at {first} and again at {position}");
            let violation = Violation::new("a command is carried out once", position, says);
            checked.broken(violation.with_all("event", [self.show(first), self.show(last), self.show(position)]));
        }
    }

    /// The last position.
    pub(super) fn head(&self) -> i64 {
        i64::try_from(self.events.len()).expect("a log that fits into memory")
    }

    pub(super) fn event(&self, position: i64) -> Option<&Kept> {
        self.events.get(usize::try_from(position).ok()?.checked_sub(1)?)
    }

    /// First and last position of a command.
    pub(super) fn command(&self, id: Uuid) -> Option<(i64, i64)> {
        self.commands.get(&id).copied()
    }

    /// Somebody has written down that this command is sent.
    pub(super) fn sent(&mut self, id: Uuid) {
        self.sent.insert(id);
    }

    /// The first event in `(after, before)` that matches a boundary.
    pub(super) fn breach(&self, bound: &Bound, before: i64) -> Option<i64> {
        bound.criteria.iter().filter_map(|crit| self.first(crit, bound.after, before)).min()
    }

    fn first(&self, crit: &Crit, after: i64, before: i64) -> Option<i64> {
        let fits = |position: &i64| self.matches(*position, crit);
        match crit.things.first() {
            Some(thing) => {
                let positions = self.by_thing.get(usize::from(*thing))?;
                let from = positions.partition_point(|position| *position <= after);
                positions.iter().skip(from).copied().take_while(|position| *position < before).find(fits)
            }
            None => (after + 1..before).find(fits),
        }
    }

    /// Whether the event at a position matches.
    pub(super) fn matches(&self, position: i64, crit: &Crit) -> bool {
        let kinds = crit.kinds.iter().fold(0, |bits, kind| bits | 1_u8 << kind);
        let things = crit.things.iter().fold(0, |bits, thing| bits | 1_u16 << thing);
        self.event(position)
            .is_some_and(|event| (kinds == 0 || event.kind & kinds != 0) && event.things & things == things)
    }

    /// Whether the event at a position is this piece.
    pub(super) fn is_piece(&self, position: i64, piece: &crate::plan::Piece) -> bool {
        let things = piece.things.iter().fold(0, |bits, thing| bits | 1_u16 << thing);
        self.event(position).is_some_and(|event| event.kind == 1 << piece.kind && event.things == things)
    }

    /// An event in a line.
    pub(super) fn show(&self, position: i64) -> String {
        let Some(event) = self.event(position) else { return format!("{position} is not in the log") };
        let things =
            (0..THINGS).filter(|thing| event.things & (1 << thing) != 0).map(|thing| format!(" thing:{thing}"));
        let things: String = things.collect();
        let sent = event.mark.map(|mark| format!(", sent as {}", shown(mark))).unwrap_or_default();
        format!("{position} ({:.3} s) {}{things} of command {}{sent}", event.seconds, event.name, event.command)
    }

    /// Every command in the log was sent by a caller, or follows from a fact by a policy.
    pub(super) fn check_senders(&self, checked: &mut Checked) {
        let mut unsent: Vec<_> = self.commands.iter().filter(|(id, _)| !self.sent.contains(*id)).collect();
        unsent.sort_by_key(|(_, (first, _))| *first);
        for (id, (first, _)) in unsent {
            if self.alerts.is_reaction(*id) {
                checked.count("commands of policies", 1);
                continue;
            }
            let says = format!("nobody has sent command {id}");
            let violation = Violation::new("what is in the log was sent by somebody", *first, says);
            let origin = self.event(*first).and_then(|event| event.mark).and_then(|(origin, ..)| self.command(origin));
            let violation = violation.with("event", self.show(*first));
            let violation = match origin {
                Some((other, _)) => violation.with("event", self.show(other)),
                None => violation,
            };
            checked.broken(violation);
        }
    }
}

/// The ids of the commands that policies may give in answer to an event, at once or when a timer is due.
pub(super) fn reactions(event: Uuid) -> impl Iterator<Item = Uuid> {
    ALL.iter().flat_map(move |policy| {
        (0..REACTIONS).flat_map(move |index| {
            [command_id(policy.name(), event, index), timer_command_id(policy.name(), event, index)]
        })
    })
}

fn shown((id, attempt, index): Mark) -> String {
    format!("{id}/{attempt}/{index}")
}

impl Kept {
    fn of(recorded: &Recorded, began: DateTime<Utc>) -> Self {
        let tag = |prefix| recorded.tags.iter().filter_map(move |tag| tag.strip_prefix(prefix));
        let thing = |number: &str| number.parse::<u8>().ok().filter(|number| *number < THINGS);
        let kind = KINDS.iter().position(|kind| *kind == recorded.kind);
        let mark = tag("sent:").next().and_then(|mark| {
            let mut parts = mark.split('/');
            Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
        });
        Self {
            trace: trace(recorded.id),
            kind: kind.map_or(0, |kind| 1 << kind),
            things: tag("thing:").filter_map(thing).fold(0, |bits, thing| bits | 1 << thing),
            command: recorded.metadata.command_id,
            mark,
            name: Event::types().find(|info| info.name == recorded.kind).map_or("?", |info| info.name),
            seconds: (recorded.recorded_at - began).as_seconds_f64(),
        }
    }

    /// Stands at a position that is missing.
    fn nothing() -> Self {
        Self { trace: 0, kind: 0, things: 0, command: Uuid::nil(), mark: None, name: "nothing", seconds: 0.0 }
    }
}
