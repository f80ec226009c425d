//! `vigie schema`.

use std::path::PathBuf;
use std::process::ExitCode;

use super::Outcome;
use crate::cli::say::{say, say_text};
use crate::documents::check::{Types, broken};
use crate::documents::load;
use crate::settings::Settings;

/// Arguments of `vigie schema`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List what this schema breaks for persisted documents; the exit code is 1 if there is anything.
    Check(Check),
}

#[derive(Debug, clap::Args)]
struct Check {
    /// A folder of `.graphql` files and manifests, or a manifest, instead of VIGIE_DOCUMENTS.
    #[arg(long, value_name = "PATH")]
    documents: Option<PathBuf>,
    /// An older schema.graphql: what documents read and send is compared with it.
    #[arg(long, value_name = "FILE")]
    since: Option<PathBuf>,
}

/// Prints the GraphQL schema, or what it breaks.
pub(super) async fn run(args: Args, settings: Settings) -> Outcome {
    match args.command {
        None => {
            say_text!("{}", crate::graphql::sdl());
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Check(args)) => check(args, settings).await,
    }
}

async fn check(args: Check, settings: Settings) -> Outcome {
    let path = args.documents.or(settings.protocols.documents);
    let path = path.ok_or("which documents? Name them with --documents or VIGIE_DOCUMENTS")?;
    let documents = load(&path)?;
    let since = match &args.since {
        Some(path) => {
            let wrong = |problem: String| format!("{}: {problem}", path.display());
            let sdl = std::fs::read_to_string(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
            Some(Types::read(&sdl).map_err(|error| wrong(error.to_string()))?)
        }
        None => None,
    };
    let broken = broken(&documents, since.as_ref()).await;
    for broken in &broken {
        say!("{}: {}", broken.place(), broken.what);
    }
    if broken.is_empty() {
        say!("{} documents, nothing is broken", documents.len());
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::FAILURE)
}
