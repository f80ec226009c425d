//! The built program, run as a user would: in a folder of its own, with an environment of its own.
//!
//! Waiting is for a condition, with a deadline.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output, Stdio};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

/// How long anything may take, on a machine that does much else.
pub(crate) const PATIENCE: Duration = Duration::from_secs(300);

/// The project's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The program: `VIGIE_PROGRAM`, or what cargo builds from the sources as they are now.
pub(crate) fn program() -> &'static Path {
    static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| match std::env::var_os("VIGIE_PROGRAM") {
        Some(named) => named.into(),
        None => built("vigie-api", "vigie"),
    });
    &PROGRAM
}

/// A program of the workspace, built from the sources as they are now.
pub(crate) fn built(package: &str, name: &str) -> PathBuf {
    // This test is <target>/<profile>/deps/system-…: programs belong beside its folder.
    let folder = std::env::current_exe().unwrap().parent().and_then(Path::parent).unwrap().to_owned();
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut build = std::process::Command::new(cargo);
    build.args(["build", "--quiet", "--locked", "--package", package]).current_dir(root());
    if folder.file_name() == Some(OsStr::new("release")) {
        build.arg("--release");
    }
    assert!(build.status().unwrap().success(), "{package} cannot be built");
    folder.join(name)
}

/// A folder for a program's data, gone with the test, and the server in it stopped even when the test fails.
pub(crate) struct Place {
    folder: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

impl Place {
    pub(crate) fn new() -> Self {
        // Short, and open to the account that Postgres runs under when the tests run as root.
        let folder = tempfile::Builder::new().prefix("vigie-system-").tempdir_in("/tmp").unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        Self { folder, variables: Vec::new() }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    /// The program with nothing of our environment but the way to other programs.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(program());
        command.args(arguments).env_clear().current_dir(self.path()).kill_on_drop(true);
        for name in ["PATH", "VIGIE_POSTGRES_BIN"] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        command.env("HOME", self.path()).env("VIGIE_DATA", self.data()).env("VIGIE_LISTEN", "127.0.0.1:0");
        // Without accounts; a test that is about them says so.
        command.env("VIGIE_OPEN", "true");
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs it to its end.
    pub(crate) async fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Output {
        let mut command = self.command(arguments);
        within("the command ends", command.stdin(Stdio::null()).output()).await.unwrap()
    }

    /// Runs it to its end, which must be a good one; what it printed.
    pub(crate) async fn succeed<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> String {
        let output = self.run(arguments).await;
        assert!(output.status.success(), "{}: {}", output.status, text(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What a statement says in the private Postgres, as its superuser.
    pub(crate) async fn sql(&self, statement: &str) -> String {
        let psql = ["postgres", "run", "--", "psql", "--quiet", "--tuples-only", "--no-align", "--command", statement];
        self.succeed(psql).await.trim().to_owned()
    }

    /// Starts it, and listens to what it prints.
    pub(crate) fn start<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Running {
        let mut command = self.command(arguments);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        Running::of(child.unwrap())
    }

    /// The process of the private Postgres, while there is one.
    pub(crate) fn postgres(&self) -> Option<Pid> {
        let text = fs::read_to_string(self.data().join("postgres/postmaster.pid")).ok()?;
        Pid::from_raw(text.lines().next()?.trim().parse().ok()?)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(postgres) = self.postgres() {
            // A failed test has left it; if it is gone already, so much the better.
            let _ = kill_process(postgres, Signal::INT);
        }
    }
}

/// A program that runs.
pub(crate) struct Running {
    child: Child,
    said: Arc<Mutex<String>>,
    listening: [JoinHandle<()>; 2],
}

impl Running {
    /// Of a child whose outputs are piped.
    pub(crate) fn of(mut child: Child) -> Self {
        let said = Arc::new(Mutex::new(String::new()));
        let out = tokio::spawn(listen(child.stdout.take().unwrap(), Arc::clone(&said)));
        let err = tokio::spawn(listen(child.stderr.take().unwrap(), Arc::clone(&said)));
        Self { child, said, listening: [out, err] }
    }

    /// What it has printed so far, on both ways out.
    pub(crate) fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// Waits until it has printed something that `find` finds.
    pub(crate) async fn says<T>(&mut self, what: &str, find: impl Fn(&str) -> Option<T>) -> T {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = find(&self.said()) {
                return found;
            }
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "it ended ({ended:?}) without {what}: {}", self.said());
            assert!(Instant::now() < until, "not in time: {what}: {}", self.said());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = self.child.id().and_then(|pid| Pid::from_raw(pid.cast_signed())).expect("it runs");
        kill_process(pid, signal).unwrap();
    }

    /// Goes away as a terminal does that is closed: nobody reads what it prints any more.
    pub(crate) async fn stop_listening(&mut self) {
        for task in &mut self.listening {
            task.abort();
            // Its end of the pipe is closed once it has ended, which it does as aborted.
            let _ = task.await;
        }
    }

    /// Closes its standard input.
    pub(crate) fn hang_up(&mut self) {
        self.child.stdin = None;
    }

    pub(crate) async fn end(&mut self) -> ExitStatus {
        within("the program ends", self.child.wait()).await.unwrap()
    }
}

async fn listen(from: impl AsyncRead + Unpin, into: Arc<Mutex<String>>) {
    let mut lines = BufReader::new(from).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let mut said = into.lock().unwrap();
        said.push_str(&line);
        said.push('\n');
    }
}

/// Both outputs of a command.
pub(crate) fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("not in time: {what}"))
}

/// Asks again until it holds.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < deadline, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
