//! `vigie demo`.

use std::process::ExitCode;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use tokio_util::sync::CancellationToken;
use vigie_commands::policies::Policies;
use vigie_domain::policies;
use vigie_integrations::demo::{Day, Step};

use super::Outcome;
use crate::cli::say::say;
use crate::clock;
use crate::demo::{Came, PlayError, Played, Player, Speed};
use crate::runtime::Runtime;
use crate::settings::Settings;

/// Arguments of `vigie demo`.
///
/// A day that was played before, in part or whole, is played on from where it ended: what the log holds is not
/// repeated. Ctrl-C ends it between two steps.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How fast the demo's time goes: 60 plays an hour a minute; max does not wait.
    #[arg(long, default_value = "60")]
    speed: Speed,
    /// What the day's chances follow from: the same seed and date give the same day.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The day; today in Lomé by default.
    #[arg(long, value_name = "YYYY-MM-DD")]
    date: Option<NaiveDate>,
    /// Set the sites up and play nothing.
    #[arg(long)]
    site_only: bool,
}

/// Runs it.
pub(super) async fn run(args: Args, settings: Settings) -> Outcome {
    let runtime = Runtime::open(&settings).await?;
    let outcome = play(&args, &runtime).await;
    runtime.close().await;
    outcome?;
    Ok(ExitCode::SUCCESS)
}

async fn play(args: &Args, runtime: &Runtime) -> Result<(), PlayError> {
    let date = args.date.unwrap_or_else(|| clock::now().with_timezone(&Tz::Africa__Lome).date_naive());
    let player = Player { day: Day { seed: args.seed, date } };
    let set_up = player.set_up(&runtime.executor).await?;
    say!("sites LFW (17 stands) and SANGATTE: {} events appended", set_up.events);
    if args.site_only {
        return Ok(());
    }
    let Some(next) = player.next_at(&runtime.executor).await? else {
        say!("{date} with seed {} was played to its end before: 0 events appended", args.seed);
        return Ok(());
    };
    say!("plays {date} with seed {} from {} UTC; Ctrl-C ends it", args.seed, next.format("%H:%M"));
    // Alerts are raised by policies; they run here in case no server does.
    let policies = Policies::start(&runtime.executor, &runtime.pool, policies::ALL, &crate::clock::time());
    let played = until_ctrl_c(&player, args.speed, next, runtime).await;
    policies.stop().await;
    let Played { steps, before, refused, events } = played?;
    say!("{steps} steps, {events} events appended, {refused} refused, {before} steps played before");
    Ok(())
}

async fn until_ctrl_c(
    player: &Player,
    speed: Speed,
    start: DateTime<Utc>,
    runtime: &Runtime,
) -> Result<Played, PlayError> {
    let cancel = CancellationToken::new();
    let told = cancel.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            told.cancel();
        }
    });
    player.run(&runtime.executor, speed, start, &cancel, &mut |step, came| say!("{}", line(step, came))).await
}

/// A step and what came of it, as a line: `06:24  KP 21 from OUA is on block`.
fn line(step: &Step, came: &Came) -> String {
    let time = step.at.format("%H:%M");
    match came {
        Came::Done { says, .. } if says.is_empty() => format!("{time}  {}", step.says),
        Came::Done { says, .. } => format!("{time}  {}: {says}", step.says),
        Came::Refused { code, reason } => format!("{time}  {}: refused, {code}: {reason}", step.says),
    }
}
