//! The server's life: started, found, asked, stopped.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{ConnectOptions, Connection, Executor};
use tokio::process::{Child, Command};

use super::binaries::Binaries;
use super::folder::Folder;
use super::output::Output;
use super::{ClusterError, NAME, Options, pidfile, socket};
use crate::database::APPLICATION;

/// How often a state that nobody announces is looked at.
const BEAT: Duration = Duration::from_millis(20);
/// Names the server that was asked to stop by somebody who did not wait for it.
const LEFT: &str = "left.pid";

/// A server that takes connections.
#[derive(Debug)]
pub(super) struct Server {
    pid: Pid,
    socket_dir: PathBuf,
    /// The process, when it is this one's child.
    child: Option<Child>,
}

impl Server {
    /// The server that runs on a folder, once it takes connections; none if none runs, or if it was on its way out.
    pub(super) async fn find(folder: &Folder, patience: Duration) -> Result<Option<Self>, ClusterError> {
        let Some(found) = pidfile::read(&folder.cluster())? else { return Ok(None) };
        let output = Output::from_now(folder)?;
        let mut server = Self { pid: found.pid, socket_dir: found.socket_dir, child: None };
        if server.was_left(folder) {
            return server.until_gone(folder, patience).await.map(|()| None);
        }
        match server.ready(folder, patience).await {
            Ok(()) => Ok(Some(server)),
            Err(NotReady::Gone(_)) => Ok(None),
            Err(NotReady::Late(source)) => {
                Err(ClusterError::Unusable { pid: server.pid(), said: output.last_lines(), source })
            }
        }
    }

    /// Starts the server of an initialised cluster. Nobody else does so meanwhile: the caller holds the lock.
    pub(super) async fn start(folder: &Folder, binaries: &Binaries, options: &Options) -> Result<Self, ClusterError> {
        let until = Instant::now() + options.patience;
        loop {
            pidfile::clear(&folder.cluster())?;
            let output = Output::from_now(folder)?;
            let socket_dir = socket::directory(folder)?;
            socket::sweep(&socket_dir)?;
            let child = spawn(folder, binaries, options, &socket_dir, &output)?;
            let pid = child.id().and_then(|pid| Pid::from_raw(pid.cast_signed()));
            let Some(pid) = pid else { unreachable!("a child that was not waited for has an id") };
            let mut server = Self { pid, socket_dir, child: Some(child) };
            match server.ready(folder, until.saturating_duration_since(Instant::now())).await {
                Ok(()) => return Ok(server),
                // The backends of a server that was killed take a moment to notice; it cannot be replaced before.
                Err(NotReady::Gone(_)) if output.said("shared memory block") && Instant::now() < until => {
                    tokio::time::sleep(BEAT).await;
                }
                Err(NotReady::Gone(status)) => {
                    let (program, said) = ("postgres", output.last_lines());
                    return Err(ClusterError::Failed { program, status: status.unwrap_or_default(), said });
                }
                Err(NotReady::Late(source)) => {
                    server.ask_to_stop();
                    return Err(ClusterError::Unusable { pid: server.pid(), said: output.last_lines(), source });
                }
            }
        }
    }

    pub(super) fn pid(&self) -> i32 {
        self.pid.as_raw_pid()
    }

    pub(super) fn socket_dir(&self) -> &Path {
        &self.socket_dir
    }

    pub(super) fn started_here(&self) -> bool {
        self.child.is_some()
    }

    /// Asks for a fast stop: connections are ended, what is committed is flushed.
    pub(super) fn ask_to_stop(&self) {
        // It can only fail when there is nobody to be asked any more.
        let _ = kill_process(self.pid, Signal::INT);
    }

    /// Asks for a stop that nobody waits for. Until it has heard of that, it takes connections as if nothing were: the
    /// note keeps others from using it.
    pub(super) fn leave(&self, folder: &Folder) {
        // Without the note, whoever finds it too early is cut off and has to try again.
        let _ = std::fs::write(folder.path().join(LEFT), self.pid().to_string());
        self.ask_to_stop();
    }

    fn was_left(&self, folder: &Folder) -> bool {
        std::fs::read_to_string(folder.path().join(LEFT)).is_ok_and(|pid| pid == self.pid().to_string())
    }

    /// Stops the server and waits for its end.
    pub(super) async fn stop(&mut self, folder: &Folder, patience: Duration) -> Result<(), ClusterError> {
        self.ask_to_stop();
        self.until_gone(folder, patience).await?;
        socket::clean(folder, &self.socket_dir);
        Ok(())
    }

    async fn until_gone(&mut self, folder: &Folder, patience: Duration) -> Result<(), ClusterError> {
        let until = Instant::now() + patience;
        while self.gone(folder).is_none() {
            if Instant::now() > until {
                return Err(ClusterError::StillRunning { pid: self.pid(), seconds: patience.as_secs() });
            }
            tokio::time::sleep(BEAT).await;
        }
        Ok(())
    }

    /// Waits until it takes connections.
    async fn ready(&mut self, folder: &Folder, patience: Duration) -> Result<(), NotReady> {
        let until = Instant::now() + patience;
        loop {
            if let Some(status) = self.gone(folder) {
                return Err(NotReady::Gone(status));
            }
            let error = match tokio::time::timeout(Duration::from_secs(5), self.probe(folder)).await {
                Ok(Ok(true)) => return Ok(()),
                Ok(Ok(false)) | Err(_) => None,
                Ok(Err(error)) => Some(error),
            };
            if Instant::now() > until {
                return Err(NotReady::Late(error));
            }
            tokio::time::sleep(BEAT).await;
        }
    }

    /// Does the server of this folder, not another one, answer at the socket?
    async fn probe(&self, folder: &Folder) -> Result<bool, sqlx::Error> {
        let mut connection = connection(&self.socket_dir).database("postgres").connect().await?;
        let answer = sqlx::query_scalar!(r#"select current_setting('data_directory') as "folder!""#);
        let answer = answer.fetch_one(&mut connection).await?;
        connection.close().await?;
        Ok(Path::new(&answer) == folder.cluster())
    }

    /// How it ended (as far as known), if it has.
    fn gone(&mut self, folder: &Folder) -> Option<Option<ExitStatus>> {
        match &mut self.child {
            // Asking also takes the dead child off the process table.
            Some(child) => child.try_wait().ok().flatten().map(Some),
            None => (!pidfile::runs(self.pid, &folder.cluster())).then_some(None),
        }
    }
}

/// Why a server does not take connections.
enum NotReady {
    Gone(Option<ExitStatus>),
    Late(Option<sqlx::Error>),
}

/// How to connect as the owner of everything.
pub(super) fn connection(socket_dir: &Path) -> PgConnectOptions {
    let options = PgConnectOptions::new_without_pgpass().socket(socket_dir).port(socket::PORT);
    options.username(NAME).database(NAME).ssl_mode(PgSslMode::Disable).application_name(NAME)
}

/// How to connect as the application, without the rights of the owner.
pub(super) fn application(socket_dir: &Path) -> PgConnectOptions {
    connection(socket_dir).username(APPLICATION)
}

/// Makes Vigie's database and the application's role, which may log in here, if they are not there.
pub(super) async fn make_database(server: &PgConnectOptions) -> Result<(), ClusterError> {
    let mut connection = server.connect().await.map_err(ClusterError::Database)?;
    let known = sqlx::query_scalar!(r#"select exists (select from pg_database where datname = 'vigie') as "known!""#);
    if !known.fetch_one(&mut connection).await.map_err(ClusterError::Database)? {
        connection.execute("create database vigie").await.map_err(ClusterError::Database)?;
    }
    let known = sqlx::query_scalar!(
        r#"select exists (select from pg_roles where rolname = $1 and rolcanlogin) as "known!""#,
        APPLICATION
    );
    if !known.fetch_one(&mut connection).await.map_err(ClusterError::Database)? {
        let make = "do $$ begin create role vigie_app login; \
                    exception when duplicate_object then alter role vigie_app login; end $$";
        connection.execute(make).await.map_err(ClusterError::Database)?;
    }
    connection.close().await.map_err(ClusterError::Database)
}

fn spawn(
    folder: &Folder,
    binaries: &Binaries,
    options: &Options,
    socket_dir: &Path,
    output: &Output,
) -> Result<Child, ClusterError> {
    let program = binaries.program("postgres");
    let mut command = bare(&program);
    command.arg("-D").arg(folder.cluster()).arg("-c").arg(socket::setting(socket_dir));
    for setting in settings(options) {
        command.arg("-c").arg(setting);
    }
    // A process group of its own: the terminal's Ctrl-C is for us, who then stop the server in order.
    command.process_group(0).stdin(Stdio::null()).stdout(output.to_file()?).stderr(output.to_file()?);
    folder.account.apply(&mut command);
    command.spawn().map_err(|source| ClusterError::Program { program, source })
}

/// A program of the server, with nothing of our environment (which may hold secrets) but the way to other programs.
pub(super) fn bare(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("LC_ALL", "C").env("TZ", "UTC").current_dir("/");
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command
}

/// What differs from Postgres's defaults. Given with each start, so that a new version of Vigie brings new ones.
fn settings(options: &Options) -> Vec<String> {
    let durable = if options.durable { "on" } else { "off" };
    let common = [
        "listen_addresses=",
        "unix_socket_permissions=0700",
        "logging_collector=off",
        "log_destination=stderr",
        "timezone=UTC",
        "log_timezone=UTC",
        // Details of errors have values in them, and nobody erases a person from a log.
        "log_error_verbosity=terse",
        // Our statements are short: compiling them costs more than it saves.
        "jit=off",
        "random_page_cost=1.1",
        "effective_cache_size=1GB",
        "work_mem=8MB",
        "checkpoint_timeout=15min",
        // Under load a checkpoint each gigabyte writes most pages into the WAL as a whole; and what is filled is written
        // out in the background, not by who appends.
        "max_wal_size=4GB",
        "bgwriter_delay=20ms",
        "bgwriter_lru_maxpages=1000",
        // Killing Postgres, not the machine, must lose nothing in tests either.
        "synchronous_commit=on",
    ];
    let chosen = [
        format!("port={}", socket::PORT),
        format!("max_connections={}", options.max_connections),
        format!("shared_buffers={}", if options.durable { "256MB" } else { "128MB" }),
        format!("fsync={durable}"),
        format!("full_page_writes={durable}"),
    ];
    common.into_iter().map(str::to_owned).chain(chosen).collect()
}
