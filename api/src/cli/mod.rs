//! The command line: one file per subcommand.

mod audit;
mod dead_letters;
mod demo;
mod doctor;
mod events;
mod greeting;
mod import;
mod jobs;
mod keys;
mod log;
mod policies;
mod postgres;
mod projections;
mod rate;
mod replay;
mod say;
mod schema;
mod serve;
mod users;
mod webhooks;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::settings::Settings;

/// The operations log of a transport site.
#[derive(Debug, Parser)]
#[command(name = "vigie", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API; starts a private Postgres unless DATABASE_URL is set.
    Serve(serve::Args),
    /// Set up the demo sites and play a demo day.
    Demo(demo::Args),
    /// Take in what other systems say.
    Import(import::Args),
    /// Look at the log.
    Events(events::Args),
    /// Ask who did what, and what was refused.
    Audit(Box<audit::Args>),
    /// Check the log, write it to a file, take it in from one.
    Log(log::Args),
    /// Look at the read models, rebuild them, check them.
    Projections(projections::Args),
    /// Look at the recurring jobs, run them by hand, hold them up.
    Jobs(jobs::Args),
    /// Make users, give them roles and passwords, erase them.
    Users(users::Args),
    /// Make and revoke API keys, change the keys that sign access tokens.
    Keys(keys::Args),
    /// Have events delivered to other systems, look at deliveries, repeat them.
    Webhooks(webhooks::Args),
    /// Look at the policies, switch them, try them dry.
    Policies(policies::Args),
    /// Look at what policies and imports could not do, try it again, discard it.
    DeadLetters(dead_letters::Args),
    /// Build the read models as they were into a schema of their own, for SQL tools and for `serve --schema`.
    Replay(replay::Args),
    /// Say what is configured, what is reachable, and which versions.
    Doctor(doctor::Args),
    /// Work with the private Postgres.
    Postgres(postgres::Args),
    /// Print the GraphQL schema, or check what it breaks for persisted documents.
    Schema(schema::Args),
}

/// What a subcommand reports when it fails: printed with its causes, exit code 1.
pub type Outcome = Result<ExitCode, CliError>;

/// Whatever made it fail.
pub type CliError = Box<dyn std::error::Error + Send + Sync>;

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let cli = read();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    runtime.block_on(run(cli)).unwrap_or_else(|error| fail(error.as_ref()))
}

/// What was asked for; the program ends here if that cannot be read.
fn read() -> Cli {
    let mut command = with_numbers_below_zero(Cli::command());
    let matches = command.get_matches_mut();
    Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.format(&mut command).exit())
}

/// No option of ours is a digit: what looks like a negative number is a value, which is told its bounds.
fn with_numbers_below_zero(command: clap::Command) -> clap::Command {
    let values = |arg: clap::Arg| {
        let other = !arg.get_action().takes_values() || arg.is_allow_hyphen_values_set();
        if other { arg } else { arg.allow_negative_numbers(true) }
    };
    command.mut_args(values).mut_subcommands(with_numbers_below_zero)
}

async fn run(cli: Cli) -> Outcome {
    let settings = Settings::load()?;
    crate::logs::start(&settings);
    match cli.command {
        Command::Serve(args) => serve::run(args, settings).await,
        Command::Demo(args) => demo::run(args, settings).await,
        Command::Import(args) => import::run(args, settings).await,
        Command::Events(args) => events::run(args, settings).await,
        Command::Audit(args) => audit::run(*args, settings).await,
        Command::Log(args) => log::run(args, settings).await,
        Command::Projections(args) => projections::run(args, settings).await,
        Command::Jobs(args) => jobs::run(args, settings).await,
        Command::Users(args) => users::run(args, settings).await,
        Command::Keys(args) => keys::run(args, settings).await,
        Command::Webhooks(args) => webhooks::run(args, settings).await,
        Command::Policies(args) => policies::run(args, settings).await,
        Command::DeadLetters(args) => dead_letters::run(args, settings).await,
        Command::Replay(args) => replay::run(args, settings).await,
        Command::Doctor(args) => doctor::run(args, settings).await,
        Command::Postgres(args) => postgres::run(args, settings).await,
        Command::Schema(args) => schema::run(args, settings).await,
    }
}

fn fail(error: &(dyn std::error::Error + 'static)) -> ExitCode {
    if reader_has_gone(error) {
        return ExitCode::SUCCESS;
    }
    eprintln!("vigie: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        eprintln!("  because: {error}");
        cause = error.source();
    }
    ExitCode::FAILURE
}

/// `vigie events tail | head` ends well: whoever reads has seen enough.
fn reader_has_gone(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let io = error.downcast_ref::<std::io::Error>();
        if io.is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe) {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use clap::error::{ContextKind, ErrorKind};

    use super::*;

    /// Every value of every command, with the words that lead to it.
    fn values(command: &clap::Command, path: &[String], found: &mut Vec<Vec<String>>) {
        for arg in command.get_arguments().filter(|arg| arg.get_action().takes_values()) {
            let option = arg.get_long().map(|long| format!("--{long}"));
            found.push(path.iter().cloned().chain(option).collect());
        }
        for inner in command.get_subcommands() {
            values(inner, &[path, &[inner.get_name().to_owned()]].concat(), found);
        }
    }

    #[test]
    fn a_number_below_zero_is_a_value_everywhere() {
        let command = with_numbers_below_zero(Cli::command());
        command.clone().debug_assert();
        let mut all = Vec::new();
        values(&command, &["vigie".to_owned()], &mut all);
        assert!(all.len() > 100, "{} values", all.len());
        for mut line in all {
            line.push("-1".to_owned());
            let error = command.clone().try_get_matches_from(&line).err();
            assert_ne!(error.map(|error| error.kind()), Some(ErrorKind::UnknownArgument), "{line:?}");
        }
    }

    #[test]
    fn a_number_out_of_bounds_is_told_its_bounds() {
        let endpoint = "00000000-0000-7000-8000-000000000001";
        for (option, bounds) in [("--limit", "1..=10000"), ("--after", "0..")] {
            let line = ["vigie", "webhooks", "waiting", endpoint, option, "-1"];
            let error = with_numbers_below_zero(Cli::command()).try_get_matches_from(line).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ValueValidation, "{error}");
            assert!(error.get(ContextKind::InvalidArg).is_some() && error.to_string().contains(bounds), "{error}");
        }
    }
}
