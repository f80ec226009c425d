//! Breaks everything around the event log under load, and proves at the end that its promises held: `docs/oracle.md`.

mod dice;
mod driver;
mod ledger;
mod plan;
mod verify;
mod worker;

use std::process::ExitCode;

use clap::Parser;

/// Why the oracle itself could not do its work; not a violation.
type Fault = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug, Parser)]
#[command(name = "vigie-oracle", version, about)]
enum Cli {
    /// Breaks and proves. Exit code 0: every promise held; 1: one was broken; 2: the oracle could not do its work.
    Run(driver::Args),
    /// One of the processes that are broken; started by `run`.
    #[command(hide = true)]
    Worker(worker::Args),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let outcome = runtime.map_err(Fault::from).and_then(|runtime| {
        runtime.block_on(async {
            match cli {
                Cli::Run(args) => driver::run(args).await,
                Cli::Worker(args) => worker::run(args).await,
            }
        })
    });
    outcome.unwrap_or_else(|fault| {
        eprintln!("vigie-oracle: {fault}");
        let mut cause = fault.source();
        while let Some(error) = cause {
            eprintln!("  because: {error}");
            cause = error.source();
        }
        ExitCode::from(2)
    })
}
