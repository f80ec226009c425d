//! `vigie projections status`.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use vigie_projections::control::{Rebuild, RebuildState};
use vigie_projections::{State, Status, status};

use super::{Desk, exit};
use crate::cli::Outcome;
use crate::cli::say::{say, say_text};

/// How often a watched status is told.
const AGAIN: Duration = Duration::from_secs(1);

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
        format!("{name:<18} {version:>7} {position:>10} {lag:>8} {age:>9} {rate:>9}  {state:<8} {owner}\n")
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
            word(one.state),
            one.owner.as_deref().unwrap_or("-"),
        ]);
        table += &details(one);
    }
    table
}

fn word(state: State) -> &'static str {
    match state {
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
        lines += &rebuild_line(rebuild);
    }
    lines
}

fn rebuild_line(rebuild: &Rebuild) -> String {
    let Rebuild { version, position, head, rate, asked_by, .. } = rebuild;
    let until = rebuild.until.map(|until| format!(" until position {until}")).unwrap_or_default();
    match rebuild.state {
        RebuildState::Asked => format!("  rebuild{until} asked for by {asked_by}: waits for a server\n"),
        RebuildState::Running => {
            let left = rebuild.seconds_left().map(|left| format!(", {left:.0} s left")).unwrap_or_default();
            let owner = rebuild.owner.as_deref().unwrap_or("-");
            format!(
                "  rebuild of version {version}{until} at {position} of {head}, {rate:.0} events/s{left}, by {owner}\n"
            )
        }
        RebuildState::Failed => {
            let error = rebuild.error.as_deref().unwrap_or("no reason was noted");
            format!("  the last rebuild{until} failed at {position} of {head}: {error}\n")
        }
        RebuildState::Done | RebuildState::Cancelled => String::new(),
    }
}
