//! `vigie log export`.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use vigie_eventlog::transfer::{Exported, TransferError, export};

use super::bar;
use crate::cli::Outcome;
use crate::runtime::Runtime;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The events after this position only.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(i64).range(0..))]
    after: i64,
    /// The events up to this position only; else up to the end of the log as it is now.
    #[arg(long, value_parser = clap::value_parser!(i64).range(0..))]
    until: Option<i64>,
    /// Where to; it appears there once it is whole. Else to standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) async fn run(args: &Args, runtime: &Runtime) -> Outcome {
    let head = runtime.log.head().await?;
    let last = args.until.unwrap_or(head);
    let length = last.saturating_sub(args.after).max(0).unsigned_abs();
    let bar = bar(length, "{bar:30} {pos}/{len} events, {rate}, {eta} left");
    let progress = |position: i64| bar.set_position((position - args.after).unsigned_abs());
    let outcome = match &args.output {
        Some(path) => to_file(args, path, last, runtime, &progress).await,
        None => export(&runtime.log, args.after, Some(last), BufWriter::new(io::stdout()), &progress).await,
    };
    bar.finish_and_clear();
    let Exported { events, last, sha256 } = match (outcome, &args.output) {
        (Err(TransferError::Write(error)), Some(path)) => {
            return Err(format!("{} cannot be written: {error}", path.display()).into());
        }
        (outcome, _) => outcome?,
    };
    eprintln!("{events} events, the last at position {last}, sha256 {sha256}");
    Ok(ExitCode::SUCCESS)
}

/// Under another name until it is whole and on the disk.
async fn to_file(
    args: &Args,
    path: &Path,
    last: i64,
    runtime: &Runtime,
    progress: &(dyn Fn(i64) + Send + Sync),
) -> Result<Exported, TransferError> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".unfinished");
    let unfinished = PathBuf::from(unfinished);
    let mut out = BufWriter::new(File::create(&unfinished).map_err(TransferError::Write)?);
    let exported = export(&runtime.log, args.after, Some(last), &mut out, progress).await;
    let finish = |mut out: BufWriter<File>| {
        out.flush()?;
        out.get_ref().sync_all()?;
        fs::rename(&unfinished, path)
    };
    let exported = exported.and_then(|exported| finish(out).map(|()| exported).map_err(TransferError::Write));
    if exported.is_err() {
        // What is wrong is told; a file that cannot be removed is at least not called what was asked for.
        let _ = fs::remove_file(&unfinished);
    }
    exported
}
