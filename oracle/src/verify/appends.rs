//! Appends straight to the log: what was acknowledged is there, what was refused is not, and every boundary held.

use std::path::Path;

use uuid::Uuid;

use super::history::History;
use super::told::{Story, stories};
use super::{Checked, Violation};
use crate::Fault;
use crate::ledger::Told;
use crate::plan::{Plan, answer};

/// Checks a caller's file.
pub(super) fn check(file: &Path, history: &mut History, checked: &mut Checked) -> Result<(), Fault> {
    for (id, story) in stories(file)? {
        history.sent(id);
        let case = Case { id, story: &story, history, file };
        let found = [case.acknowledged(checked), case.placed(checked), case.refusals(checked)];
        found.into_iter().flatten().for_each(|violation| checked.broken(violation));
    }
    Ok(())
}

/// One command.
struct Case<'a> {
    id: Uuid,
    story: &'a Story,
    history: &'a History,
    file: &'a Path,
}

impl Case<'_> {
    fn broken(&self, promise: &'static str, at: i64, says: impl Into<String>) -> Violation {
        let file = self.file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let violation = Violation::new(promise, at, says);
        violation.with("caller", format!("{file}, command {}", self.id)).with_all("", self.story.show())
    }

    /// Every acknowledgement says where the events are, and what the first answer was.
    fn acknowledged(&self, checked: &mut Checked) -> Option<Violation> {
        let placed = self.history.command(self.id);
        let (mut firsts, mut known) = (0, false);
        for (_, told) in &self.story.told {
            let Told::Appended { first, last, repeated, answer: told } = told else { continue };
            known = true;
            checked.count(
                if *repeated { "repeated commands, with their first answer" } else { "acknowledged appends" },
                1,
            );
            firsts += usize::from(!repeated);
            if placed != Some((*first, *last)) {
                let says = match placed {
                    None => format!("acknowledged at {first}..={last}, and not in the log"),
                    Some((a, b)) => format!("acknowledged at {first}..={last}, and in the log at {a}..={b}"),
                };
                let violation = self.broken("what was acknowledged is in the log", *first, says);
                return Some(violation.with("event", self.history.show(*first)));
            }
            let attempt = self.history.event(*first).and_then(|event| event.mark).map(|(_, attempt, _)| attempt);
            if attempt.is_some_and(|attempt| *told != answer(attempt)) {
                let says = format!("attempt {attempt:?} is in the log, and the answer is {told}");
                return Some(self.broken("a command sent twice gets its first answer", *first, says));
            }
        }
        if !known && placed.is_some() {
            checked.count("appends in the log that nobody was told of", 1);
        }
        let says = format!("{firsts} calls were told that they were the first");
        (firsts > 1).then(|| self.broken("a command is carried out once", placed.unwrap_or_default().0, says))
    }

    /// What is in the log is one attempt, whole and in order, not refused, and every boundary of it held.
    fn placed(&self, checked: &mut Checked) -> Option<Violation> {
        let (first, last) = self.history.command(self.id)?;
        let marks = (first..=last).map(|position| self.history.event(position).and_then(|event| event.mark));
        let attempt = self.history.event(first).and_then(|event| event.mark).map_or(0, |(_, attempt, _)| attempt);
        let show = |violation: Violation| {
            violation.with_all("event", (first..=last).take(5).map(|position| self.history.show(position)))
        };
        let Some(plan) = self.story.plans.get(&attempt) else {
            return Some(show(self.broken("what is in the log was sent by somebody", first, "no such attempt")));
        };
        let whole = plan.pieces.len() == usize::try_from(last - first + 1).unwrap_or_default()
            && marks.enumerate().all(|(index, mark)| mark == Some((self.id, attempt, index)))
            && (first..=last).zip(&plan.pieces).all(|(position, piece)| self.history.is_piece(position, piece));
        if !whole {
            return Some(show(self.broken("an append is all or nothing", first, "the events are not those sent")));
        }
        if self.story.of(attempt).any(|told| matches!(told, Told::Conflict { .. })) {
            return Some(show(self.broken("what was refused is not in the log", first, "refused, and in the log")));
        }
        self.boundaries(plan, first, checked)
    }

    fn boundaries(&self, plan: &Plan, first: i64, checked: &mut Checked) -> Option<Violation> {
        checked.count("boundaries of appends, replayed", plan.bounds.len());
        let breach = plan.bounds.iter().find_map(|bound| self.history.breach(bound, first).map(|at| (bound, at)));
        let (bound, at) = breach?;
        let says = format!(
            "the append at {first} was to happen if nothing of {:?} came after {}, and {at} did",
            bound.query().criteria,
            bound.after
        );
        let violation = self.broken("no condition of an append was violated", first, says);
        Some(violation.with_all("event", [self.history.show(at), self.history.show(first)]))
    }

    /// Every refusal names an event that matches its condition.
    fn refusals(&self, checked: &mut Checked) -> Option<Violation> {
        for (attempt, told) in &self.story.told {
            let Told::Conflict { condition, position } = told else { continue };
            checked.count("refused appends, each for a reason", 1);
            let bound = self.story.plans.get(attempt).and_then(|plan| plan.bounds.get(*condition));
            let right = bound.is_some_and(|bound| {
                *position > bound.after && bound.criteria.iter().any(|crit| self.history.matches(*position, crit))
            });
            if !right {
                let says = format!("refused because of {position}, which does not match condition {condition}");
                let violation = self.broken("an append is refused for a reason only", *position, says);
                return Some(violation.with("event", self.history.show(*position)));
            }
        }
        None
    }
}
