//! The demo beside a server: today up to now at once, then the rest of it and the day after at the chosen speed.

use chrono::{DateTime, Days, Utc};
use chrono_tz::Tz;
use tokio_util::sync::CancellationToken;
use vigie_commands::Executor;
use vigie_integrations::demo::{Day, Step};

use super::{Came, PlayError, Player, Speed};

/// What the days' chances follow from.
const SEED: u64 = 1;

/// Sets the sites up and plays; what was played before is not repeated. Ends early when `cancel` says so.
///
/// # Errors
/// The log failed.
pub async fn play(
    executor: &Executor,
    speed: Speed,
    now: DateTime<Utc>,
    cancel: &CancellationToken,
) -> Result<(), PlayError> {
    let today = now.with_timezone(&Tz::Africa__Lome).date_naive();
    for ahead in 0..2 {
        let date = today.checked_add_days(Days::new(ahead)).unwrap_or(today);
        let player = Player { day: Day { seed: SEED, date } };
        if ahead == 0 {
            player.set_up(executor).await?;
        }
        let Some(next) = player.next_at(executor).await? else { continue };
        // Today's past is played without waiting; a day that has not begun starts with its first step.
        let start = if ahead == 0 { now } else { next };
        player.run(executor, speed, start, cancel, &mut say).await?;
        if cancel.is_cancelled() {
            return Ok(());
        }
        tracing::info!(demo.date = %date, "a demo day is over");
    }
    Ok(())
}

fn say(step: &Step, came: &Came) {
    let time = step.at.format("%H:%M");
    match came {
        Came::Done { says, .. } => tracing::debug!(demo.time = %time, demo.outcome = says, "{}", step.says),
        Came::Refused { code, .. } => tracing::debug!(demo.time = %time, demo.refused = code, "{}", step.says),
    }
}
