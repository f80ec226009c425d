//! A process that is broken: what `vigie serve` composes, with callers and followers of its own.

mod airport;
mod appender;
mod desk;
mod follower;
mod rail;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Signal, set_parent_process_death_signal};
use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use vigie_api::background::Background;
use vigie_api::runtime::Runtime;
use vigie_api::settings::Settings;
use vigie_api::webhooks::Webhooks;
use vigie_commands::Executor;

use crate::Fault;
use crate::dice::Dice;
use desk::Desk;
pub(crate) use follower::{Follows, follow};

/// Where a process is, and what it does.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// The database, through the proxy of this process.
    #[arg(long)]
    url: String,
    /// Where callers and followers write.
    #[arg(long)]
    folder: PathBuf,
    /// Which of the processes it is.
    #[arg(long)]
    slot: usize,
    /// How often it was started.
    #[arg(long)]
    generation: u32,
    #[arg(long)]
    seed: u64,
    /// Callers that append.
    #[arg(long)]
    callers: usize,
    /// The most milliseconds that a caller thinks between two commands.
    #[arg(long)]
    pause: u64,
}

/// What every caller of the process shares.
#[derive(Clone)]
struct Calls {
    /// Nothing new is begun.
    over: CancellationToken,
    pause: u64,
}

impl Calls {
    /// Thinks; false when it is over.
    async fn think(&self, dice: &mut Dice) -> bool {
        let pause = Duration::from_micros(dice.below(self.pause * 1_000 + 1));
        tokio::select! {
            () = tokio::time::sleep(pause) => true,
            () = self.over.cancelled() => false,
        }
    }
}

/// Works until it is told to finish, or killed.
pub(crate) async fn run(args: Args) -> Result<ExitCode, Fault> {
    // Whatever becomes of the driver, this process does not outlive it, not even while it is stopped.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let settings = Settings { database_url: Some(args.url.clone()), pool_size: 8, ..Settings::defaults() };
    vigie_api::logs::start(&settings);
    let runtime = Runtime::open(&settings).await?;
    let webhooks = Webhooks::of(&runtime, &settings)?;
    let background = Background::start(&runtime, &webhooks, &settings).await?;
    let (mut callers, mut followers) = (JoinSet::new(), JoinSet::new());
    let calls = Calls { over: CancellationToken::new(), pause: args.pause };
    start_callers(&args, &runtime, &calls, &mut callers)?;
    let until = Follows::default();
    for number in 0..3 {
        let (file, dice) = (args.file("follower", number), args.dice("follower", number));
        let follower = follow(runtime.log.clone(), file, args.generation, number > 0, dice, until.clone());
        followers.spawn(follower);
    }
    println!("ready");

    let mut orders = BufReader::new(tokio::io::stdin()).lines();
    told(&mut orders, "finish").await?;
    calls.over.cancel();
    all(callers).await?;
    println!("finished");
    let head = told(&mut orders, "quit").await?;
    until.set(head.parse()?);
    all(followers).await?;
    background.stop().await;
    runtime.close().await;
    Ok(ExitCode::SUCCESS)
}

fn start_callers(
    args: &Args,
    runtime: &Runtime,
    calls: &Calls,
    callers: &mut JoinSet<Result<(), Fault>>,
) -> Result<(), Fault> {
    for number in 0..args.callers {
        let (file, dice) = (args.file("caller", number), args.dice("caller", number));
        callers.spawn(appender::run(runtime.log.clone(), file, args.generation, dice, calls.clone()));
    }
    let allocations = Arc::default();
    for number in 0..2 {
        let desk = |kind: &str| Desk::open(&args.file(kind, number), args.generation, runtime.executor.clone());
        let name = format!("{}-{}-{number}", args.slot, args.generation);
        let (airport, dice) = (desk("airport")?, args.dice("airport", number));
        callers.spawn(airport::run(airport, name, dice, calls.clone(), Arc::clone(&allocations)));
        callers.spawn(rail::run(desk("rail")?, args.dice("rail", number), calls.clone()));
    }
    Ok(())
}

impl Args {
    fn file(&self, kind: &str, number: usize) -> PathBuf {
        self.folder.join(format!("{kind}-{}-{number}.jsonl", self.slot))
    }

    fn dice(&self, kind: &str, number: usize) -> Dice {
        Dice::of(self.seed, &format!("{kind}/{}/{}/{number}", self.slot, self.generation))
    }
}

/// The sites that the callers work at; written down like every other command.
pub(crate) async fn set_up(executor: &Executor, folder: &Path, dice: &mut Dice) -> Result<(), Fault> {
    let mut desk = Desk::open(&folder.join("airport-setup.jsonl"), 1, executor.clone())?;
    airport::set_up(&mut desk, dice).await?;
    rail::set_up(&mut desk, dice).await
}

/// Waits for an order of the driver; what follows its word.
async fn told(orders: &mut Lines<BufReader<Stdin>>, word: &str) -> Result<String, Fault> {
    let line = orders.next_line().await?.unwrap_or_default();
    let rest = line.strip_prefix(word).ok_or_else(|| format!("told {line:?}, waiting for {word:?}"))?;
    Ok(rest.trim().to_owned())
}

async fn all(mut tasks: JoinSet<Result<(), Fault>>) -> Result<(), Fault> {
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    Ok(())
}
