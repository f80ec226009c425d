//! `vigie log import`.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use sqlx::ConnectOptions;
use vigie_eventlog::transfer::{Imported, TransferError, import};

use super::bar;
use crate::cli::Outcome;
use crate::cli::say::say;
use crate::runtime::Runtime;

/// The log must be empty, or end right before the first position of the file. Each file goes in whole or not at all;
/// nobody can append meanwhile. `vigie log check` says whether the log is sound afterwards.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Files of `vigie log export`, in the order of their positions, or - for standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

pub(super) async fn run(args: &Args, runtime: &Runtime) -> Outcome {
    // Positions and times that are given are the owner's right alone.
    let mut owner = runtime.owner().connect().await?;
    for path in &args.files {
        let (name, input, size) = open(path)?;
        let template = match size {
            Some(_) => "{bar:30} {percent} %, {eta} left, position {msg}",
            None => "{spinner} position {msg}",
        };
        let bar = bar(size.unwrap_or_default(), template);
        let progress = |position: i64| bar.set_message(position.to_string());
        let input = BufReader::with_capacity(1 << 16, bar.wrap_read(input));
        let outcome = import(&mut owner, &name, input, &progress).await;
        bar.finish_and_clear();
        let Imported { events, last } = outcome?;
        say!("{name}: {events} events, the log ends at position {last}");
    }
    runtime.log.hint();
    Ok(ExitCode::SUCCESS)
}

type Input = (String, Box<dyn Read + Send>, Option<u64>);

/// A file with its name for messages and its size.
fn open(path: &Path) -> Result<Input, TransferError> {
    if path.as_os_str() == "-" {
        return Ok(("standard input".to_owned(), Box::new(io::stdin()), None));
    }
    let name = path.display().to_string();
    let file = File::open(path).map_err(|source| TransferError::Read { file: name.clone(), source })?;
    let size = file.metadata().ok().map(|metadata| metadata.len());
    Ok((name, Box::new(file), size))
}
