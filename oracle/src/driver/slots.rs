//! The processes that are broken, and who starts them anew.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::proxy::Proxy;
use super::sabotage::Sabotage;
use super::signal::Process;
use super::tally::Tally;
use crate::Fault;

/// How long a process may take to any of its steps, on a machine that does much else.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// What every process is given.
pub(crate) struct Plan {
    pub(crate) folder: PathBuf,
    pub(crate) logs: PathBuf,
    pub(crate) seed: u64,
    pub(crate) callers: usize,
    pub(crate) pause: u64,
    pub(crate) sabotage: Option<Sabotage>,
}

/// A place for a process, which is started anew whenever it ends.
pub(crate) struct Slot {
    number: usize,
    pub(crate) proxy: Arc<Proxy>,
    tally: Arc<Tally>,
    now: Mutex<Now>,
    stage: watch::Sender<Stage>,
    pub(crate) paused: AtomicBool,
}

/// The process of the moment.
#[derive(Default)]
struct Now {
    process: Option<Process>,
    stdin: Option<ChildStdin>,
    /// It was killed by the driver.
    killed: bool,
    generation: u32,
}

/// How far the process of the moment has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    Starting,
    Ready,
    /// Its callers have ended.
    Finished,
    /// It has ended, and is not started anew.
    Gone,
}

impl Slot {
    /// Starts its first process.
    pub(crate) fn start(
        number: usize,
        plan: &Arc<Plan>,
        proxy: Arc<Proxy>,
        tally: &Arc<Tally>,
    ) -> (Arc<Self>, JoinHandle<Result<(), Fault>>) {
        let stage = watch::Sender::new(Stage::Starting);
        let (now, paused) = (Mutex::default(), AtomicBool::new(false));
        let slot = Arc::new(Self { number, proxy, tally: Arc::clone(tally), now, stage, paused });
        let keeping = tokio::spawn(Arc::clone(&slot).keep(Arc::clone(plan)));
        (slot, keeping)
    }

    /// Sends a signal; false when there is no process to get it, or it is stopped or about to be killed.
    pub(crate) fn signal(&self, signal: Signal) -> bool {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(process) = now.process.as_ref().filter(|_| !now.killed) else { return false };
        let sent = process.send(signal);
        now.killed = sent && signal == Signal::KILL;
        sent
    }

    pub(crate) fn is_ready(&self) -> bool {
        *self.stage.borrow() == Stage::Ready
    }

    /// Counts the processes of this place, so that a later one is not taken for this one.
    pub(crate) fn generation(&self) -> u32 {
        self.now.lock().unwrap_or_else(PoisonError::into_inner).generation
    }

    /// Waits until its process has come this far.
    pub(crate) async fn reach(&self, stage: Stage) -> Result<(), Fault> {
        let mut at = self.stage.subscribe();
        let reached = tokio::time::timeout(PATIENCE, at.wait_for(|at| *at >= stage)).await;
        reached.map_err(|_| format!("process {} has not come to {stage:?}", self.number))??;
        Ok(())
    }

    /// Tells its process something.
    pub(crate) async fn tell(&self, order: &str) -> Result<(), Fault> {
        let stdin = self.now.lock().unwrap_or_else(PoisonError::into_inner).stdin.take();
        let mut stdin = stdin.ok_or("the process has ended")?;
        stdin.write_all(format!("{order}\n").as_bytes()).await?;
        self.now.lock().unwrap_or_else(PoisonError::into_inner).stdin = Some(stdin);
        Ok(())
    }

    /// Keeps a process running until one ends in order.
    async fn keep(self: Arc<Self>, plan: Arc<Plan>) -> Result<(), Fault> {
        for generation in 1.. {
            self.stage.send_replace(Stage::Starting);
            let mut child = self.spawn(&plan, generation)?;
            let stdout = child.stdout.take().ok_or("its output is not listened to")?;
            {
                let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
                let pid = child.id().and_then(|pid| Pid::from_raw(pid.cast_signed()));
                let process = pid.map(Process::child).transpose()?;
                *now = Now { process, stdin: child.stdin.take(), killed: false, generation };
            }
            self.listen(stdout).await;
            let status = child.wait().await?;
            if self.has_ended(status, generation) {
                self.stage.send_replace(Stage::Gone);
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Follows what it says about itself, to its end.
    async fn listen(&self, stdout: ChildStdout) {
        let mut lines = BufReader::new(stdout).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            match line.as_str() {
                "ready" => drop(self.stage.send_replace(Stage::Ready)),
                "finished" => drop(self.stage.send_replace(Stage::Finished)),
                _ => {}
            }
        }
    }

    /// Whether this was the end; complains of any other than those that are asked for.
    fn has_ended(&self, status: ExitStatus, generation: u32) -> bool {
        let killed = {
            let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
            now.process = None;
            now.stdin = None;
            now.killed
        };
        let stage = *self.stage.borrow();
        match stage {
            Stage::Finished if status.success() => return true,
            _ if killed => {}
            // A process that finds no database ends, and is started anew.
            Stage::Starting => self.tally.add("starts without a database"),
            Stage::Ready | Stage::Finished | Stage::Gone => {
                let number = self.number;
                self.tally.complain(format!("process {number} (start {generation}) ended by itself: {status}"));
                return stage == Stage::Finished;
            }
        }
        false
    }

    fn spawn(&self, plan: &Plan, generation: u32) -> Result<Child, Fault> {
        let log = OpenOptions::new().append(true).create(true).open(log(&plan.logs, self.number))?;
        let host = self.proxy.directory().display();
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["worker", "--url", &format!("postgres://vigie@localhost/vigie?host={host}")]);
        command.arg("--folder").arg(&plan.folder).args(["--slot", &self.number.to_string()]);
        command.args(["--generation", &generation.to_string(), "--seed", &plan.seed.to_string()]);
        command.args(["--callers", &plan.callers.to_string(), "--pause", &plan.pause.to_string()]);
        command.envs(plan.sabotage.map(|sabotage| ("VIGIE_SABOTAGE", sabotage.name())));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log).kill_on_drop(true);
        Ok(command.spawn()?)
    }
}

/// Where a process writes its log lines.
pub(crate) fn log(logs: &Path, number: usize) -> PathBuf {
    logs.join(format!("process-{number}.log"))
}
