//! Followers: each has seen every position that matches once, in order, with the event that is there in the end.

use std::path::Path;

use super::history::History;
use super::{Checked, Violation};
use crate::Fault;
use crate::ledger::{Sight, read};
use crate::plan::Crit;

const PROMISE: &str = "every follower sees each position once, in order";

/// Checks a follower's file.
pub(super) fn check(file: &Path, history: &History, checked: &mut Checked) -> Result<(), Fault> {
    let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let (mut of, mut at) = (None, 0);
    for line in read(file, |line| matches!(line, Sight::Started { .. }))? {
        match line {
            Sight::Started { criterion, after, generation } => {
                checked.count("followers", 1);
                if after != at && generation > 1 {
                    let says = format!("{name} starts at {after}, and has seen up to {at}");
                    checked.broken(Violation::new(PROMISE, after, says));
                }
                (of, at) = (criterion, after);
            }
            Sight::Step { to, seen } => {
                checked.count("events seen by followers", seen.len());
                if let Some(violation) = wrong(&name, of.as_ref(), at, to, &seen, history) {
                    checked.broken(violation);
                }
                at = to;
            }
        }
    }
    Ok(())
}

/// What is wrong with a step of `(from, to]`.
fn wrong(
    name: &str,
    of: Option<&Crit>,
    from: i64,
    to: i64,
    seen: &[(i64, u32)],
    history: &History,
) -> Option<Violation> {
    let wanted = (from + 1..=to).filter(|at| of.is_none_or(|crit| history.matches(*at, crit)));
    let wanted: Vec<i64> = wanted.collect();
    let differs = (0..wanted.len().max(seen.len())).find(|index| {
        let is = seen.get(*index);
        let event = wanted.get(*index).map(|at| (*at, history.event(*at).map_or(0, |event| event.trace)));
        is.copied() != event
    });
    let index = differs.filter(|_| to > from).or_else(|| (to <= from).then_some(0))?;
    let (is, was) = (seen.get(index), wanted.get(index));
    let says = match (is, was) {
        (Some((at, _)), Some(wanted)) if at == wanted => format!("saw another event at {at} than there is now"),
        (Some((at, _)), Some(wanted)) => format!("saw {at} when {wanted} was next"),
        (None, Some(wanted)) => format!("went from {from} to {to} without {wanted}"),
        (Some((at, _)), None) => {
            format!("saw {at} on the way from {from} to {to}, which is not there or does not match")
        }
        (None, None) => format!("went from {from} to {to}"),
    };
    let event = is.map(|(at, _)| *at).or(was.copied());
    let violation = Violation::new(PROMISE, from, format!("{name}, which follows {of:?}, {says}"));
    Some(violation.with_all("event", event.map(|at| history.show(at))))
}
