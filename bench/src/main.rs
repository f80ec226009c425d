//! Measures Vigie, always beside something to compare it with, in the same run on the same Postgres.
//!
//! See docs/benchmarks.md for what is measured and how to read it.

mod append;
mod as_of;
mod clock;
mod closed_loop;
mod database;
mod decide;
mod disk;
mod facts;
mod fanout;
mod fill;
mod grow;
mod live;
mod load;
mod memory;
mod processes;
mod project;
mod query;
mod raw;
mod read;
mod report;
mod webhooks;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Measures the event log against what Postgres itself can do.
#[derive(Debug, Parser)]
#[command(name = "vigie-bench", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Conditional appends, beside one-row INSERTs and COPY of the same rows.
    Append(append::Args),
    /// Several processes that append to one database, beside one alone.
    Processes(processes::Args),
    #[command(hide = true)]
    AppendOne(processes::OneArgs),
    /// Appends to a long log, beside appends to a short one.
    Grow(grow::Args),
    /// Only the raw limits: one-row INSERTs and COPY.
    CompareRaw(raw::Args),
    /// Commands on a stand with a long past, beside appends of the same events.
    Decide(decide::Args),
    /// Each read model made from the log, beside a projector that runs a statement for each event.
    Project(project::Args),
    /// From commit to visible row, at a steady rate and with all read models running.
    Live(live::Args),
    /// Queries as it was at moments of the log, beside the same queries as it is now.
    AsOf(as_of::Args),
    /// Queries over HTTP from many connections, beside the same SQL sent by pgbench.
    Query(query::Args),
    /// Subscribers of which each gets one changed row per second, over WebSockets.
    Fanout(fanout::Args),
    #[command(hide = true)]
    FanoutServe(fanout::ServeArgs),
    /// Deliveries to receivers on this machine: how many, how soon, and beside endpoints that hang.
    Webhooks(webhooks::Args),
    /// Fills a log with so many events, quickly.
    Fill(fill::Args),
    /// Reads the whole log, beside a bare loop over its rows, and a thousand events by tag.
    Read(read::Args),
}

/// What a measurement may fail with.
type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Append(args) => append::run(args).await,
        Command::Processes(args) => processes::run(args).await,
        Command::AppendOne(args) => processes::one(args).await,
        Command::Grow(args) => grow::run(args).await,
        Command::CompareRaw(args) => raw::run(args).await,
        Command::Decide(args) => decide::run(args).await,
        Command::Project(args) => project::run(args).await,
        Command::Live(args) => live::run(args).await,
        Command::AsOf(args) => as_of::run(args).await,
        Command::Query(args) => query::run(args).await,
        Command::Fanout(args) => fanout::run(args).await,
        Command::FanoutServe(args) => fanout::serve(args).await,
        Command::Webhooks(args) => webhooks::run(args).await,
        Command::Fill(args) => fill::run(args).await,
        Command::Read(args) => read::run(args).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vigie-bench: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                eprintln!("  because: {error}");
                cause = error.source();
            }
            ExitCode::FAILURE
        }
    }
}
