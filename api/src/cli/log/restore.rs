//! `vigie log restore`.

use std::path::PathBuf;
use std::process::ExitCode;

use vigie_eventlog::ranges::restore;

use super::bar;
use crate::cli::Outcome;
use crate::cli::say::say;
use crate::runtime::Runtime;

/// Each file is read through and compared with the digest that was noted when it was archived; then its range is filled,
/// compared again, and put back into the log, whole or not at all.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Files of `vigie log archive`, in any order.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

pub(super) async fn run(args: &Args, runtime: &Runtime) -> Outcome {
    let bar = bar(0, "{spinner} position {msg}, {elapsed}");
    let progress = |position: i64| bar.set_message(position.to_string());
    let restored = restore(runtime.owner(), &args.files, &progress).await;
    bar.finish_and_clear();
    let restored = restored?;
    for range in &restored {
        say!("positions {} to {} are back in the log", range.first, range.last);
    }
    let before = args.files.len() - restored.len();
    if before > 0 {
        say!("{before} of the files are of ranges that are in the log already");
    }
    Ok(ExitCode::SUCCESS)
}
