//! `vigie postgres`: the private Postgres for other programs.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitCode, ExitStatus};

use clap::Subcommand;
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};
use vigie_eventlog::cluster::{Cluster, Options, Throwaway, default_data_dir, programs};

use super::Outcome;
use crate::cli::say::say;
use crate::settings::Settings;

/// Arguments of `vigie postgres`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Run a command with a Postgres to use: DATABASE_URL and PGHOST, PGPORT, PGUSER, PGDATABASE tell it which.
    Run {
        /// Not the one of the data folder but a new one, not durable, which goes with the command. It is also named in
        /// VIGIE_TEST_DATABASE_URL.
        #[arg(long)]
        throwaway: bool,
        /// The command and its arguments.
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
    /// Open psql on the database of the data folder.
    Psql {
        /// Arguments for psql.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Print the URL of the database of the data folder, if its server runs.
    Url,
}

/// Runs it.
pub(super) async fn run(args: Args, settings: Settings) -> Outcome {
    let (data, options) = (data_dir(&settings), cluster_options(&settings));
    match args.action {
        Action::Run { throwaway: true, command } => {
            let throwaway = Throwaway::start().await?;
            let outcome = carry_out(throwaway.cluster(), true, &command).await;
            throwaway.close().await?;
            outcome
        }
        Action::Run { throwaway: false, command } => with_cluster(data, options, &command).await,
        Action::Psql { arguments } => {
            let command: Vec<_> = std::iter::once("psql".to_owned()).chain(arguments).collect();
            with_cluster(data, options, &command).await
        }
        Action::Url => match Cluster::find(&data, options).await? {
            Some(cluster) => {
                say!("{}", cluster.url());
                cluster.close().await?;
                Ok(ExitCode::SUCCESS)
            }
            None => Err(format!("no server runs on {}", data.display()).into()),
        },
    }
}

/// The data folder that the settings mean.
pub(super) fn data_dir(settings: &Settings) -> PathBuf {
    settings.data.clone().unwrap_or_else(default_data_dir)
}

/// How the settings mean the private Postgres to run.
pub(super) fn cluster_options(settings: &Settings) -> Options {
    Options { binaries: settings.postgres_bin.clone(), ..Options::default() }
}

async fn with_cluster(data: PathBuf, options: Options, command: &[String]) -> Outcome {
    let cluster = Cluster::find_or_start(&data, options).await?;
    let outcome = carry_out(&cluster, false, command).await;
    cluster.close().await?;
    outcome
}

async fn carry_out(cluster: &Cluster, throwaway: bool, command: &[String]) -> Outcome {
    let Some((program, arguments)) = command.split_first() else { return Err("no command".into()) };
    let url = cluster.url();
    let mut child = Command::new(program);
    child.args(arguments).env("DATABASE_URL", &url);
    child.env("PGHOST", cluster.socket_dir()).env("PGPORT", "5432").env("PGUSER", "vigie").env("PGDATABASE", "vigie");
    if let Some(path) = path(cluster) {
        child.env("PATH", path);
    }
    if throwaway {
        child.env(vigie_eventlog::testing::SERVER, &url);
    }
    // Listening first, so that no signal falls between.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut child = child.spawn().map_err(|error| format!("cannot run {program}: {error}"))?;
    loop {
        tokio::select! {
            status = child.wait() => return Ok(code(status?)),
            // The terminal has told the command as well: it ends as it sees fit, and we with it.
            _ = interrupt.recv() => {}
            _ = terminate.recv() => pass_on(&child).await,
        }
    }
}

/// Our PATH and, behind it, the folder of the server's programs: some systems keep psql there alone.
fn path(cluster: &Cluster) -> Option<OsString> {
    let found = programs(cluster.data_dir(), &Options::default()).ok()?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(std::env::split_paths(&path).chain([found.folder])).ok()
}

/// Tells the command to end. `kill` is a program everywhere; a signal of our own would need unsafe code or a dependency.
async fn pass_on(child: &tokio::process::Child) {
    if let Some(pid) = child.id() {
        // If it cannot be told, it has ended, which the caller notices.
        let _ = Command::new("kill").args(["-TERM", &pid.to_string()]).status().await;
    }
}

/// As a shell would tell it: the command's own code, or 128 and the signal that ended it.
fn code(status: ExitStatus) -> ExitCode {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}
