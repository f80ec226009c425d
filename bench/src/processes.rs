//! Several processes that append to one database, beside one of them alone.

use std::process::Stdio;

use tokio::process::{Child, Command};

use crate::Outcome;
use crate::append::append;
use crate::closed_loop::{Measured, Timing};
use crate::database::{Database, Server, Where};
use crate::report::{Case, Report};

/// How many of what.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    at: Where,
    #[command(flatten)]
    timing: Timing,
    #[command(flatten)]
    report: crate::report::Args,
    /// Processes that append at the same time.
    #[arg(long, default_value_t = 2)]
    processes: usize,
    /// Callers in each.
    #[arg(long, default_value_t = 64)]
    callers: usize,
}

/// One of the processes: measures, and prints what it measured as JSON.
#[derive(Debug, clap::Args)]
pub(crate) struct OneArgs {
    #[command(flatten)]
    timing: Timing,
    #[arg(long)]
    database: String,
    #[arg(long)]
    first: usize,
    #[arg(long)]
    callers: usize,
}

/// Measures one process and all of them, in turns.
pub(crate) async fn run(args: Args) -> Outcome<()> {
    let server = Server::open(&args.at).await?;
    let mut report = Report::new(&server).await?;
    let (all, one) = (args.processes * args.callers, args.callers);
    let mut together = Case::new(format!("{} processes, {} callers each", args.processes, args.callers), all);
    let mut alone = Case::new(format!("1 process, {one} callers"), one);
    let mut alone_with_all = Case::new(format!("1 process, {all} callers"), all);
    for _ in 0..args.timing.rounds {
        for (case, processes, callers) in
            [(&mut alone, 1, one), (&mut together, args.processes, one), (&mut alone_with_all, 1, all)]
        {
            let database = server.database().await?;
            case.add(measure(&server, &database, processes, callers, args.timing).await?);
            server.drop(database).await?;
        }
    }
    report.compare(together, alone, None);
    report.cases.push(alone_with_all);
    report.print(&args.report)?;
    server.close().await
}

/// What one process is told to do by [`run`].
pub(crate) async fn one(args: OneArgs) -> Outcome<()> {
    let database = Database::open(&args.database).await?;
    let measured = append(&database, args.first..args.first + args.callers, 1, args.timing).await?;
    println!("{}", serde_json::to_string(&measured)?);
    Ok(())
}

async fn measure(
    server: &Server,
    database: &Database,
    processes: usize,
    callers: usize,
    timing: Timing,
) -> Outcome<Measured> {
    let url = server.url(database);
    let started = (0..processes).map(|n| start(&url, n * callers, callers, timing)).collect::<Outcome<Vec<_>>>()?;
    let mut sum: Option<Measured> = None;
    for child in started {
        let output = child.wait_with_output().await?;
        if !output.status.success() {
            return Err(format!("a process that appends ended with {}", output.status).into());
        }
        let measured: Measured = serde_json::from_slice(&output.stdout)?;
        sum = Some(match sum {
            None => measured,
            Some(sum) => sum.beside(&measured),
        });
    }
    sum.ok_or_else(|| "no process was asked for".into())
}

fn start(url: &str, first: usize, callers: usize, timing: Timing) -> Outcome<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("append-one").args(["--database", url]);
    command.args(["--first", &first.to_string(), "--callers", &callers.to_string()]);
    command.args(["--warm-up", &timing.warm_up.to_string(), "--seconds", &timing.seconds.to_string()]);
    Ok(command.stdout(Stdio::piped()).kill_on_drop(true).spawn()?)
}
