//! `vigie projections`: how far the read models have come, holding them up, making them anew, checking them against
//! the log.

mod control;
mod progress;
mod rebuild;
mod status;
mod verify;

pub(super) use progress::bar;

use std::process::ExitCode;

use tokio_util::sync::CancellationToken;
use vigie_domain::kernel::Note;
use vigie_projections::{MODELS, ProjectionError};

use super::Outcome;
use crate::operate::{EventName, Until};
use crate::runtime::Runtime;
use crate::settings::Settings;

/// Arguments of `vigie projections`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
    /// Answer in JSON.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Say how far each read model has come; exit code 1 when one is stopped by an event.
    Status {
        /// Say it again every second, until Ctrl-C.
        #[arg(long)]
        watch: bool,
    },
    /// Make read models anew from the log while the old ones serve; Ctrl-C leaves the old ones.
    Rebuild {
        #[command(flatten)]
        which: Named,
        /// Only until this position or time, such as 2026-01-15T12:00:00Z; the read model is left paused there.
        #[arg(long)]
        until: Option<Until>,
        /// Why.
        #[arg(long, default_value = "", value_parser = Note::new)]
        reason: Note,
        /// Let a running server do it, and do not wait.
        #[arg(long)]
        background: bool,
    },
    /// End a rebuild that is under way anywhere, the old rows stay; or forget one that has failed.
    Cancel {
        /// Which one.
        name: String,
        /// Why.
        #[arg(long, default_value = "", value_parser = Note::new)]
        reason: Note,
    },
    /// Hold read models up where they are; their rows stay readable.
    Pause(WithReason),
    /// Let paused read models go on.
    Resume(Operated),
    /// Let read models that an event has stopped try it again.
    Retry(Operated),
    /// Leave the event out that has stopped read models or policies, for good; recorded in the log.
    Skip {
        /// The event, by its position or id.
        event: EventName,
        /// Why.
        #[arg(long, value_parser = Note::new)]
        reason: Note,
        /// Only for this read model or policy, instead of all that it has stopped.
        #[arg(long = "for", value_name = "NAME")]
        names: Vec<String>,
    },
    /// List what people did to read models, newest first.
    History {
        /// Only to this one.
        name: Option<String>,
        /// The most of them.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
        limit: i64,
    },
    /// Compute rows anew from the log and compare them, field by field; exit code 1 on differences.
    Verify {
        /// Which ones; all without.
        names: Vec<String>,
        #[command(flatten)]
        extent: verify::Extent,
    },
}

/// Read models, by name or all of them.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Named {
    /// Which ones.
    names: Vec<String>,
    /// Every read model.
    #[arg(long)]
    all: bool,
}

/// Whether there are read models of these names.
fn known(names: &[String]) -> Result<(), ProjectionError> {
    names.iter().try_for_each(|name| vigie_projections::known(name))
}

impl Named {
    /// Their names, all of which are known: nothing is done to some before another turns out not to be there.
    fn names(&self) -> Result<Vec<String>, ProjectionError> {
        let all = || MODELS.iter().map(|model| model.name.to_owned()).collect();
        if self.all { Ok(all()) } else { known(&self.names).map(|()| self.names.clone()) }
    }
}

#[derive(Debug, clap::Args)]
struct Operated {
    #[command(flatten)]
    which: Named,
    /// Why.
    #[arg(long, default_value = "", value_parser = Note::new)]
    reason: Note,
}

#[derive(Debug, clap::Args)]
struct WithReason {
    #[command(flatten)]
    which: Named,
    /// Why.
    #[arg(long, value_parser = Note::new)]
    reason: Note,
}

/// What every action works with.
struct Desk {
    runtime: Runtime,
    actor: String,
    json: bool,
    cancel: CancellationToken,
}

/// Runs it.
pub(super) async fn run(args: Args, settings: Settings) -> Outcome {
    let runtime = Runtime::open(&settings).await?;
    let cancel = CancellationToken::new();
    let interrupted = cancel.clone();
    let watching = tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            interrupted.cancel();
        }
    });
    let desk = Desk { runtime, actor: settings.actor, json: args.json, cancel };
    let outcome = desk.act(&args.action).await;
    watching.abort();
    desk.runtime.close().await;
    outcome
}

impl Desk {
    async fn act(&self, action: &Action) -> Outcome {
        match action {
            Action::Status { watch } => self.status(*watch).await,
            Action::Rebuild { which, until, reason, background } => {
                self.rebuild(&which.names()?, *until, reason, *background).await
            }
            Action::Cancel { name, reason } => self.cancel_rebuild(name, reason).await,
            Action::Pause(WithReason { which, reason }) => self.pause(&which.names()?, reason).await,
            Action::Resume(Operated { which, reason }) => self.resume(&which.names()?, reason).await,
            Action::Retry(Operated { which, reason }) => self.retry(&which.names()?, reason).await,
            Action::Skip { event, reason, names } => self.skip(*event, reason, names).await,
            Action::History { name, limit } => self.history(name.as_deref(), *limit).await,
            Action::Verify { names, extent } => {
                known(names)?;
                self.verify(names, extent).await
            }
        }
    }
}

fn exit(good: bool) -> ExitCode {
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
