//! `vigie projections status`.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use vigie_projections::control::{Rebuild, RebuildState};
use vigie_projections::{State, Status, status};

use super::{Desk, exit};
use crate::cli::Outcome;
use crate::cli::say::{say, say_text};
use crate::clock;

/// How often a watched status is told.
const AGAIN: Duration = Duration::from_secs(1);
/// Who makes something anew says so several times a second: after this it is gone.
const SILENT: TimeDelta = TimeDelta::seconds(5);

impl Desk {
    pub(super) async fn status(&self, watch: bool) -> Outcome {
        loop {
            let all = status(&self.runtime.pool).await?;
            if self.json && watch {
                say!("{}", serde_json::to_string(&all)?);
            } else if self.json {
                say!("{}", serde_json::to_string_pretty(&all)?);
            } else {
                if watch && std::io::stdout().is_terminal() {
                    // Home, and nothing below.
                    say_text!("\u{1b}[H\u{1b}[2J");
                }
                say_text!("{}", table(&all));
            }
            if !watch {
                return Ok(exit(all.iter().all(|one| one.state != State::Stopped)));
            }
            tokio::select! {
                () = tokio::time::sleep(AGAIN) => {}
                () = self.cancel.cancelled() => return Ok(ExitCode::SUCCESS),
            }
        }
    }
}

fn table(all: &[Status]) -> String {
    let row = |cells: [&str; 8]| {
        let [name, version, position, lag, age, rate, state, owner] = cells;
        format!("{name:<18} {version:>7} {position:>10} {lag:>8} {age:>9} {rate:>9}  {state:<9} {owner}\n")
    };
    let mut table = row(["NAME", "VERSION", "POSITION", "LAG", "LAG TIME", "EVENTS/S", "STATE", "OWNER"]);
    for one in all {
        table += &row([
            &one.name,
            &one.version.to_string(),
            &one.position.to_string(),
            &one.lag_events.to_string(),
            &format!("{:.1} s", one.lag_seconds),
            &format!("{:.0}", one.rate),
            word(one),
            one.owner.as_deref().unwrap_or("-"),
        ]);
        table += &details(one);
    }
    table
}

/// A state is what it would do if a server ran.
fn word(one: &Status) -> &'static str {
    match one.state {
        State::Running if !one.owned => "no server",
        State::Running => "running",
        State::Stopped => "stopped",
        State::Paused => "paused",
    }
}

/// What stands in its way, and its rebuild; one indented line each.
fn details(one: &Status) -> String {
    let mut lines = String::new();
    if let (Some(position), Some(error)) = (one.error_position, &one.error) {
        let verb = if one.state == State::Stopped { "stopped" } else { "was stopped" };
        let times = if one.attempts == 1 { "once".to_owned() } else { format!("{} times", one.attempts) };
        lines += &format!("  {verb} by the event at position {position}, tried {times}: {error}\n");
    }
    if let Some(paused) = &one.paused {
        let at = paused.at.format("%Y-%m-%d %H:%M:%SZ");
        lines += &format!("  paused by {} at {at}: {}\n", paused.by, paused.reason);
    }
    if let Some(rebuild) = &one.rebuild {
        lines += &rebuild_line(rebuild, clock::now());
    }
    lines
}

fn rebuild_line(rebuild: &Rebuild, now: DateTime<Utc>) -> String {
    let Rebuild { name, version, position, head, rate, asked_by, .. } = rebuild;
    let until = rebuild.until.map(|until| format!(" until position {until}")).unwrap_or_default();
    match rebuild.state {
        RebuildState::Asked => format!("  rebuild{until} asked for by {asked_by}: waits for a server\n"),
        RebuildState::Running if now - rebuild.updated_at > SILENT => {
            let since = rebuild.updated_at.format("%Y-%m-%d %H:%M:%SZ");
            format!(
                "  rebuild of version {version}{until} left at {position} of {head} since {since}: waits for a server\n"
            )
        }
        RebuildState::Running => {
            let left = rebuild.seconds_left().map(|left| format!(", {left:.0} s left")).unwrap_or_default();
            let owner = rebuild.owner.as_deref().unwrap_or("-");
            format!(
                "  rebuild of version {version}{until} at {position} of {head}, {rate:.0} events/s{left}, by {owner}\n"
            )
        }
        RebuildState::Failed => {
            let error = rebuild.error.as_deref().unwrap_or("no reason was noted");
            let at = rebuild.updated_at.format("%Y-%m-%d %H:%M:%SZ");
            let place = if *head > 0 { format!(" at {position} of {head}") } else { " before it had begun".to_owned() };
            format!(
                "  the rebuild{until} of {at} failed{place}: {error}\n  \
                 `vigie projections rebuild {name}` tries again, `cancel {name}` forgets it\n"
            )
        }
        RebuildState::Done | RebuildState::Cancelled => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rebuild(state: RebuildState, (position, head): (i64, i64)) -> Rebuild {
        let at: DateTime<Utc> = "2026-01-15T12:00:00Z".parse().unwrap();
        Rebuild {
            name: "flights".into(),
            version: 3,
            until: None,
            state,
            position,
            head,
            rate: 1234.567,
            owner: Some("host:1".into()),
            error: Some("the event at position 5 cannot be folded".into()),
            asked_by: "operator:zoe".into(),
            reason: String::new(),
            asked_at: at,
            started_at: Some(at),
            updated_at: at,
            cancel_by: None,
        }
    }

    #[test]
    fn a_rebuild_says_how_far_it_is_who_makes_it_or_that_nobody_does() {
        let under_way = rebuild(RebuildState::Running, (100, 1_334));
        let line = |seconds| rebuild_line(&under_way, under_way.updated_at + TimeDelta::seconds(seconds));
        assert_eq!(line(1), "  rebuild of version 3 at 100 of 1334, 1235 events/s, 1 s left, by host:1\n");
        let left = "  rebuild of version 3 left at 100 of 1334 since 2026-01-15 12:00:00Z: waits for a server\n";
        assert_eq!(line(6), left);
    }

    #[test]
    fn a_failed_rebuild_says_when_where_and_what_to_do() {
        let line = |place| {
            let failed = rebuild(RebuildState::Failed, place);
            rebuild_line(&failed, failed.updated_at)
        };
        assert!(line((4, 9)).starts_with("  the rebuild of 2026-01-15 12:00:00Z failed at 4 of 9: the event at"));
        assert!(line((0, 0)).starts_with("  the rebuild of 2026-01-15 12:00:00Z failed before it had begun: "));
        assert!(
            line((0, 0)).ends_with("`vigie projections rebuild flights` tries again, `cancel flights` forgets it\n")
        );
    }
}
