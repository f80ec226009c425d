//! What callers and followers write down, each into a file of its own.
//!
//! A line is handed to the kernel before the caller goes on, so killing the process loses nothing that was written. A
//! process that is killed may leave half a line, which the next one closes.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::plan::{Crit, Plan};

/// A line of a caller's file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Line {
    /// A process has taken the file up.
    Started { generation: u32 },
    /// An append is about to be sent.
    Intent(Intent),
    /// A command of the domain is about to be given.
    Command { id: Uuid, name: String, command: Value },
    /// An answer has come.
    Told { id: Uuid, attempt: u32, told: Told },
}

/// An append that is about to be sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Intent {
    /// The command; attempts that follow a refusal have the same.
    pub(crate) id: Uuid,
    /// Counts what is sent under this id with other content: 1, 2, 3, …
    pub(crate) attempt: u32,
    pub(crate) plan: Plan,
}

/// What a caller was told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Told {
    /// The events are in the log, by this call or an earlier one of the same command.
    Appended { first: i64, last: i64, repeated: bool, answer: Value },
    /// An event at `position` matches the condition of this index.
    Conflict { condition: usize, position: i64 },
    /// A command of the domain was carried out; nothing was appended by this call if `events` is 0.
    Done { position: i64, events: usize, answer: Value },
    /// A rule forbids the command.
    Refused { code: String },
    /// Nothing is known of the outcome.
    Unknown { error: String },
}

/// A line of a follower's file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Sight {
    /// A process follows what matches (everything without a criterion) after a position.
    Started { generation: u32, criterion: Option<Crit>, after: i64 },
    /// Everything up to `to` was looked at; what matched, with the last 32 bits of each event's id.
    Step { to: i64, seen: Vec<(i64, u32)> },
}

/// The last 32 bits of an event's id: enough to tell it from another one at the same position.
pub(crate) fn trace(id: Uuid) -> u32 {
    let [.., a, b, c, d] = *id.as_bytes();
    u32::from_be_bytes([a, b, c, d])
}

/// A file that lines are added to.
pub(crate) struct Ledger(File);

impl Ledger {
    /// Takes a file up, or makes it; a half line at its end is closed.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        if file.seek(SeekFrom::End(0))? > 0 {
            file.seek(SeekFrom::End(-1))?;
            let mut last = [0];
            file.read_exact(&mut last)?;
            if last != *b"\n" {
                file.write_all(b"\n")?;
            }
        }
        Ok(Self(file))
    }

    /// Adds a line. Once this returns, the line survives the process.
    pub(crate) fn write(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(line)?;
        bytes.push(b'\n');
        self.0.write_all(&bytes)
    }
}

/// Reads a file; whether a line is the last one of its process tells `is_start`, since only that one may be half.
pub(crate) fn read<T: serde::de::DeserializeOwned>(path: &Path, is_start: impl Fn(&T) -> bool) -> io::Result<Vec<T>> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut lines = Vec::new();
    let mut torn: Option<serde_json::Error> = None;
    for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        match serde_json::from_slice::<T>(line) {
            Ok(line) => {
                if let Some(error) = torn.take().filter(|_| !is_start(&line)) {
                    return Err(io::Error::other(format!("{}: a line cannot be read: {error}", path.display())));
                }
                lines.push(line);
            }
            Err(error) => torn = Some(error),
        }
    }
    Ok(lines)
}
