//! The driver: sets the system up, breaks it, brings it to rest, and has it verified.

mod chaos;
mod crashes;
mod frames;
mod leftover;
mod proxy;
mod report;
mod restore;
mod sabotage;
mod server;
mod sessions;
mod settle;
mod signal;
mod slots;
mod tally;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::task::{JoinHandle, JoinSet};
use vigie_api::runtime::Runtime;
use vigie_api::settings::Settings;

use crate::dice::Dice;
use crate::worker::{Follows, follow, set_up};
use crate::{Fault, verify};
use chaos::Ground;
use proxy::Proxy;
use sabotage::Sabotage;
use server::Server;
use slots::{Plan, Slot, Stage};
use tally::Tally;

/// How long, how much, and by which seed.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// How long to break things, in seconds.
    #[arg(long, default_value_t = 45)]
    seconds: u64,
    /// What chance follows from; another one each time without.
    #[arg(long)]
    seed: Option<u64>,
    /// Processes.
    #[arg(long, default_value_t = 3)]
    processes: usize,
    /// Callers per process that append straight to the log; four more work as operators.
    #[arg(long, default_value_t = 8)]
    callers: usize,
    /// The most milliseconds that a caller thinks between two commands.
    #[arg(long, default_value_t = 60)]
    pause: u64,
    /// Breaks the log on purpose, to show that it is noticed; only in the build that can.
    #[arg(long)]
    sabotage: Option<Sabotage>,
    /// Keeps the folder with what everybody wrote down, also when every promise held.
    #[arg(long)]
    keep: bool,
}

/// Breaks and proves.
pub(crate) async fn run(args: Args) -> Result<ExitCode, Fault> {
    // The standard library's hashers start at random.
    let seed = args.seed.unwrap_or_else(|| RandomState::new().build_hasher().finish() % 1_000_000);
    println!("oracle: seed {seed}, {} s of faults, {} processes", args.seconds, args.processes);
    leftover::sweep().await;
    let scratch = scratch()?;
    let began = Instant::now();
    let outcome = stage(&args, seed, scratch.path()).await;
    let good = match &outcome {
        Ok(report) => {
            report.print(began.elapsed());
            report.good()
        }
        Err(_) => false,
    };
    if args.keep || !good {
        println!("oracle: what everybody wrote down is in {}", scratch.keep().display());
    }
    outcome.map(|_| if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Tells how far a run is.
struct Clock(Instant);

impl Clock {
    fn say(&self, what: &str) {
        println!("oracle: {:>5} s: {what}", self.0.elapsed().as_secs());
    }
}

/// A folder that the account of Postgres can enter, with a short name, since a socket's path is limited.
fn scratch() -> Result<TempDir, Fault> {
    let folder = tempfile::Builder::new().prefix(leftover::PREFIX).tempdir()?;
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755))?;
    for name in ["told", "logs"] {
        std::fs::create_dir(folder.path().join(name))?;
    }
    Ok(folder)
}

async fn stage(args: &Args, seed: u64, folder: &Path) -> Result<report::Report, Fault> {
    let (told, logs, clock) = (folder.join("told"), folder.join("logs"), Clock(Instant::now()));
    let server = Server::start(&folder.join("server")).await?;
    let settings = Settings { database_url: Some(url(&server)), pool_size: 8, ..Settings::defaults() };
    let own = Runtime::open(&settings).await?;
    if let Some(sabotage) = args.sabotage {
        sabotage.prepare(&mut server.admin().await?).await?;
    }
    set_up(&own.executor, &told, &mut Dice::of(seed, "setup")).await?;

    let tally = Arc::new(Tally::default());
    let plan = Arc::new(Plan {
        folder: told.clone(),
        logs: logs.clone(),
        seed,
        callers: args.callers,
        pause: args.pause,
        sabotage: args.sabotage,
    });
    let (mut slots, mut keepers) = (Vec::new(), Vec::new());
    for number in 0..args.processes {
        let proxy = Proxy::start(&folder.join(format!("p{number}")), server.socket(), Arc::clone(&tally))?;
        let (slot, keeper) = Slot::start(number, &plan, proxy, &tally);
        slots.push(slot);
        keepers.push(keeper);
    }
    let (end, followers) = own_followers(&own, &told, seed);
    let ground = Arc::new(Ground { server, slots, tally, backups: restore::Backups::default() });
    reach(&ground, Stage::Ready).await?;
    clock.say("the processes are ready");

    let until = Instant::now() + Duration::from_secs(args.seconds);
    chaos::run(&ground, Dice::of(seed, "chaos"), until).await?;
    clock.say("the faults are over");

    let rest = bring_to_rest(&ground, &own, keepers, &clock).await?;
    end.set(rest.head);
    if let Err(late) = all(followers).await {
        ground.tally.complain(late.to_string());
    }
    let checked = verify::run(&own.pool, &own.log, &told, rest.complaints).await?;
    own.close().await;
    ground.server.stop().await?;
    let panics = report::panics(&logs, args.processes);
    Ok(report::Report { seed, faults: ground.tally.counts(), complaints: ground.tally.complaints(), panics, checked })
}

/// Ends the calls, lets everybody catch up, and stops the processes.
async fn bring_to_rest(
    ground: &Ground,
    own: &Runtime,
    keepers: Vec<JoinHandle<Result<(), Fault>>>,
    clock: &Clock,
) -> Result<settle::Rest, Fault> {
    reach(ground, Stage::Ready).await?;
    for slot in &ground.slots {
        slot.tell("finish").await?;
    }
    reach(ground, Stage::Finished).await?;
    clock.say("the last call has ended");
    let rest = settle::settle(&own.pool, &own.log).await?;
    clock.say("everybody has caught up");
    for slot in &ground.slots {
        slot.tell(&format!("quit {}", rest.head)).await?;
    }
    for keeper in keepers {
        keeper.await??;
    }
    clock.say("the processes have stopped");
    Ok(rest)
}

async fn reach(ground: &Ground, stage: Stage) -> Result<(), Fault> {
    for slot in &ground.slots {
        slot.reach(stage).await?;
    }
    Ok(())
}

/// Followers that are never killed: each sees the whole log in one go.
fn own_followers(own: &Runtime, told: &Path, seed: u64) -> (Follows, JoinSet<Result<(), Fault>>) {
    let (end, mut followers) = (Follows::default(), JoinSet::new());
    for number in 0..2 {
        let file: PathBuf = told.join(format!("follower-own-{number}.jsonl"));
        let dice = Dice::of(seed, &format!("follower/own/{number}"));
        followers.spawn(follow(own.log.clone(), file, 1, number > 0, dice, end.clone()));
    }
    (end, followers)
}

async fn all(mut tasks: JoinSet<Result<(), Fault>>) -> Result<(), Fault> {
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    Ok(())
}

fn url(server: &Server) -> String {
    let socket = server.socket();
    let directory = socket.parent().unwrap_or(Path::new("/")).display();
    format!("postgres://vigie@localhost/vigie?host={directory}")
}
