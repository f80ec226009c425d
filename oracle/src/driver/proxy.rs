//! Between a process and Postgres: passes messages on, and breaks connections around the commit of an append.

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio_util::sync::CancellationToken;

use super::frames::{Frame, startup};
use super::tally::Tally;
use crate::Fault;

/// Words by which a statement that appends is known.
const APPENDS: [&str; 2] = ["log_append", "insert into event"];

/// Where the next commit of an append loses its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Break {
    /// Once Postgres has answered, before the process hears of it.
    AfterAnswer,
    /// Once the commit is sent; what Postgres makes of it is open.
    AfterCommit,
    /// Before the commit is sent.
    BeforeCommit,
}

/// The proxy of one process.
pub(crate) struct Proxy {
    directory: PathBuf,
    upstream: PathBuf,
    tally: Arc<Tally>,
    armed: Mutex<Vec<Break>>,
    /// Postgres's processes for the open connections.
    backends: Mutex<BTreeMap<u64, i32>>,
}

/// What the two directions of a connection know of each other.
struct Wire {
    number: u64,
    /// The answer to what was just sent is kept back.
    muted: AtomicBool,
    /// As Postgres said last: `I` outside of a transaction.
    state: AtomicU8,
    broken: CancellationToken,
}

impl Proxy {
    /// Listens in a directory, as Postgres would.
    pub(crate) fn start(directory: &Path, upstream: PathBuf, tally: Arc<Tally>) -> Result<Arc<Self>, Fault> {
        std::fs::create_dir_all(directory)?;
        let listener = UnixListener::bind(directory.join(".s.PGSQL.5432"))?;
        let proxy = Arc::new(Self {
            directory: directory.into(),
            upstream,
            tally,
            armed: Mutex::default(),
            backends: Mutex::default(),
        });
        tokio::spawn(Arc::clone(&proxy).listen(listener));
        Ok(proxy)
    }

    /// Where it listens.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Breaks the connection of the next append that commits.
    pub(crate) fn arm(&self, place: Break) {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner).push(place);
    }

    /// Breaks nothing any more.
    pub(crate) fn calm(&self) {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Postgres's processes that serve this process.
    pub(crate) fn backends(&self) -> Vec<i32> {
        self.backends.lock().unwrap_or_else(PoisonError::into_inner).values().copied().collect()
    }

    async fn listen(self: Arc<Self>, listener: UnixListener) {
        for number in 0.. {
            let Ok((client, _)) = listener.accept().await else { return };
            let proxy = Arc::clone(&self);
            tokio::spawn(async move {
                // A server that is down closes the connection, as it would itself.
                let _ = proxy.serve(client, number).await;
                proxy.backends.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
            });
        }
    }

    async fn serve(&self, client: UnixStream, number: u64) -> io::Result<()> {
        let server = UnixStream::connect(&self.upstream).await?;
        let wire = Wire {
            number,
            muted: AtomicBool::new(false),
            state: AtomicU8::new(b'I'),
            broken: CancellationToken::new(),
        };
        let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
        tokio::select! {
            ended = self.upwards(&wire, from_client, to_server) => ended,
            ended = self.downwards(&wire, from_server, to_client) => ended,
            () = wire.broken.cancelled() => Ok(()),
        }
    }

    /// From the process to Postgres, a round of messages at a time.
    async fn upwards(&self, wire: &Wire, from: OwnedReadHalf, mut to: OwnedWriteHalf) -> io::Result<()> {
        let mut from = BufReader::new(from);
        to.write_all(&startup(&mut from).await?).await?;
        let (mut statements, mut round) = (HashSet::new(), Round::default());
        while let Some(frame) = Frame::read(&mut from).await? {
            let ends = round.take(frame, &mut statements);
            if !ends {
                continue;
            }
            let outside = wire.state.load(Ordering::Acquire) == b'I';
            let place = if round.commits_append(outside) { self.trigger() } else { None };
            self.send(wire, place, &mut to, &round.bytes).await?;
            round.next(outside);
        }
        Ok(())
    }

    async fn send(
        &self,
        wire: &Wire,
        place: Option<Break>,
        to: &mut (impl AsyncWrite + Unpin),
        bytes: &[u8],
    ) -> io::Result<()> {
        match place {
            None => return to.write_all(bytes).await,
            Some(Break::AfterAnswer) => {
                wire.muted.store(true, Ordering::Release);
                return to.write_all(bytes).await;
            }
            Some(Break::AfterCommit) => {
                to.write_all(bytes).await?;
                self.tally.add("connections broken after COMMIT was sent");
            }
            Some(Break::BeforeCommit) => self.tally.add("connections broken before COMMIT was sent"),
        }
        wire.broken.cancel();
        Ok(())
    }

    fn trigger(&self) -> Option<Break> {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// From Postgres to the process.
    async fn downwards(&self, wire: &Wire, from: OwnedReadHalf, mut to: OwnedWriteHalf) -> io::Result<()> {
        let mut from = BufReader::new(from);
        while let Some(frame) = Frame::read(&mut from).await? {
            match frame.kind {
                b'K' => {
                    let backend = frame.number().unwrap_or_default();
                    self.backends.lock().unwrap_or_else(PoisonError::into_inner).insert(wire.number, backend);
                }
                b'Z' => wire.state.store(frame.body().first().copied().unwrap_or(b'I'), Ordering::Release),
                _ => {}
            }
            if !wire.muted.load(Ordering::Acquire) {
                to.write_all(&frame.bytes).await?;
            } else if frame.kind == b'Z' {
                self.tally.add("connections broken between COMMIT and its answer");
                wire.broken.cancel();
                return Ok(());
            }
        }
        Ok(())
    }
}

/// The messages up to the one that makes Postgres answer.
#[derive(Default)]
struct Round {
    bytes: Vec<u8>,
    appends: bool,
    begins: bool,
    commits: bool,
    rolls_back: bool,
}

impl Round {
    /// Takes a message in; whether the round is complete.
    fn take(&mut self, frame: Frame, statements: &mut HashSet<String>) -> bool {
        let mut texts = frame.texts();
        let (first, second) = (texts.next().unwrap_or_default(), texts.next().unwrap_or_default());
        drop(texts);
        match frame.kind {
            b'P' => {
                if is_append(&second) {
                    statements.insert(first);
                } else {
                    statements.remove(&first);
                }
                self.look(&second);
            }
            b'B' => self.appends |= statements.contains(&second),
            b'Q' => {
                self.appends |= is_append(&first);
                self.look(&first);
            }
            _ => {}
        }
        self.bytes.extend(frame.bytes);
        // Sync, Query, Flush, Terminate, and what belongs to COPY or a password.
        matches!(frame.kind, b'S' | b'Q' | b'H' | b'X' | b'd' | b'c' | b'f' | b'p')
    }

    fn look(&mut self, statement: &str) {
        let word = statement.trim_start().get(..6).unwrap_or(statement).to_ascii_lowercase();
        self.begins |= word.starts_with("begin") || word.starts_with("start");
        self.commits |= word.starts_with("commit");
        self.rolls_back |= word.starts_with("rollba");
    }

    /// Whether Postgres commits an append when it gets this round.
    fn commits_append(&self, outside: bool) -> bool {
        self.appends && (self.commits || (outside && !self.begins))
    }

    /// The next round; an append stays open until its transaction ends.
    fn next(&mut self, outside: bool) {
        let open = self.appends && !self.rolls_back && !self.commits_append(outside);
        *self = Self { appends: open, ..Self::default() };
    }
}

fn is_append(statement: &str) -> bool {
    let statement = statement.to_ascii_lowercase();
    APPENDS.iter().any(|words| statement.contains(words))
}
