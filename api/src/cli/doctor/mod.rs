//! `vigie doctor`: what is configured, what is reachable, which versions.
//!
//! It changes nothing: it starts the private Postgres of a data folder that has one, as every command does, but makes
//! none, and applies no migration.

mod database;
mod machine;
mod report;
mod safety;

use std::process::ExitCode;

use vigie_eventlog::cluster::{Cluster, programs};

use super::Outcome;
use super::postgres::{cluster_options, data_dir};
use crate::cli::say::{say, say_text};
use crate::runtime::Logins;
use crate::settings::Settings;
use report::{Check, Report};

/// Arguments of `vigie doctor`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs it. The exit code is 1 when something that is needed cannot be used.
pub(super) async fn run(args: Args, settings: Settings) -> Outcome {
    let mut report = Report::default();
    report.add(Check::fine("vigie", env!("CARGO_PKG_VERSION")));
    report.add(machine::settings());
    for check in safety::checks(&settings) {
        report.add(check);
    }
    match &settings.database_url {
        Some(url) => database::check_url(&mut report, url, &settings).await,
        None => check_private(&mut report, &settings).await,
    }
    report.add(machine::redis(settings.redis_url.as_deref()).await);
    if args.json {
        say!("{}", report.json());
    } else {
        say_text!("{report}");
    }
    Ok(if report.healthy() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn check_private(report: &mut Report, settings: &Settings) {
    let data = data_dir(settings);
    report.add(machine::disk(&data));
    let options = cluster_options(settings);
    if !data.join("postgres").exists() {
        report.add(match programs(&data, &options) {
            Ok(found) => Check::fine(
                "postgres",
                format!(
                    "PostgreSQL {} is installed; a private server will be made in {}",
                    found.version,
                    data.display()
                ),
            ),
            Err(error) => Check::failed("postgres", &error),
        });
        return;
    }
    match Cluster::find_or_start(&data, options).await {
        Ok(cluster) => {
            let place = if cluster.started_here() { "private, started for this check" } else { "private, running" };
            let logins = Logins { owner: cluster.options(), application: cluster.application() };
            database::check(report, &logins, place, settings, Some(&data)).await;
            if let Err(error) = cluster.close().await {
                report.add(Check::failed("postgres stops", &error));
            }
        }
        Err(error) => report.add(Check::failed("postgres", &error)),
    }
}
