//! Commands of the domain: what was answered is what is in the log.

use std::path::Path;

use uuid::Uuid;

use super::history::History;
use super::told::{Story, stories};
use super::{Checked, Violation};
use crate::Fault;
use crate::ledger::Told;

/// Checks an operator's file.
pub(super) fn check(file: &Path, history: &mut History, checked: &mut Checked) -> Result<(), Fault> {
    for (id, story) in stories(file)? {
        history.sent(id);
        if let Some(violation) = wrong(id, &story, history, checked) {
            let at = history.command(id).map(|(first, _)| history.show(first));
            checked.broken(violation.with_all("", story.show()).with_all("event", at));
        }
    }
    Ok(())
}

fn wrong(id: Uuid, story: &Story, history: &History, checked: &mut Checked) -> Option<Violation> {
    let placed = history.command(id);
    let at = placed.unwrap_or_default().0;
    let (mut first, mut refused, mut unknown) = (None, false, false);
    for (_, told) in &story.told {
        match told {
            Told::Done { position, events: 0, answer } => {
                if let Some((known, first)) = &first
                    && (known, first) != (position, answer)
                {
                    let says = format!("first {first} at {known}, then {answer} at {position}");
                    return Some(Violation::new("a command sent twice gets its first answer", at, says));
                }
            }
            Told::Done { position, events, answer } => {
                checked.count("acknowledged commands of operators", 1);
                let (start, end) = placed.unwrap_or_default();
                if end != *position || end - start + 1 != i64::try_from(*events).unwrap_or_default() {
                    let says = format!("{events} events up to {position} were acknowledged; in the log: {placed:?}");
                    return Some(Violation::new("what was acknowledged is in the log", *position, says));
                }
                first = Some((*position, answer.clone()));
            }
            Told::Refused { .. } => refused = true,
            Told::Unknown { .. } => unknown = true,
            Told::Appended { .. } | Told::Conflict { .. } => {}
        }
    }
    checked.count("commands of operators that a rule refused", usize::from(refused));
    (refused && !unknown && first.is_none() && placed.is_some())
        .then(|| Violation::new("what was refused is not in the log", at, "refused by a rule, and in the log"))
}
