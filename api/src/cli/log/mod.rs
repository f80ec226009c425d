//! `vigie log`: whether the log is what it promises; the log as a file, and back.

mod archive;
mod check;
mod export;
mod import;
mod restore;

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::Outcome;
use crate::runtime::Runtime;
use crate::settings::Settings;

/// Arguments of `vigie log`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Look at every event and at every table of the log; exit code 1 when something is wrong.
    Check(check::Args),
    /// Write the log to a file of JSON lines, exactly as it is.
    Export(export::Args),
    /// Take in files of `vigie log export`, with their positions and times.
    Import(import::Args),
    /// Take old ranges out of the log, each into a file.
    Archive(archive::Args),
    /// Put archived ranges back.
    Restore(restore::Args),
}

/// Runs it.
pub(super) async fn run(args: Args, settings: Settings) -> Outcome {
    let runtime = Runtime::open(&settings).await?;
    let outcome = match &args.action {
        Action::Check(args) => check::run(args, &runtime).await,
        Action::Export(args) => export::run(args, &runtime).await,
        Action::Import(args) => import::run(args, &runtime).await,
        Action::Archive(args) => archive::run(args, &runtime).await,
        Action::Restore(args) => restore::run(args, &runtime).await,
    };
    runtime.close().await;
    outcome
}

/// A bar of `length` on standard error; hidden when nobody watches.
fn bar(length: u64, template: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template(template).expect("the template is a constant");
    let bar = ProgressBar::new(length).with_style(style);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
