//! The log as a file, and back: every event with its position and times, every command with its answer.
//!
//! A file is JSON lines:
//! 1. a header: `{"format":"vigie log","version":1,"first":1}`; `first` is the position of the first event;
//! 2. a [`Line`] per event, in order, without gaps; the first one of a command carries the command's answer;
//! 3. an end: `{"end":{"events":…,"last":…,"sha256":"…"}}`, the digest being of every byte before that line.
//!
//! A file without its end, or with another digest, is not whole and is refused. Nothing in it depends on when or where
//! it was written: the same events give the same bytes.

mod export;
mod import;
mod insert;
mod line;

use std::{fmt, io};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::LogError;

pub use export::{Exported, export};
pub use import::{Imported, import};
pub use line::Line;

const FORMAT: &str = "vigie log";
const VERSION: u32 = 1;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: String,
    version: u32,
    first: i64,
}

/// The last line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Closing {
    pub(crate) end: End,
}

/// What the file must come to.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct End {
    pub(crate) events: i64,
    /// Position of the last event; of the one before `first` when there is none.
    pub(crate) last: i64,
    pub(crate) sha256: String,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} events, the last at position {}, sha256 {}", self.events, self.last, self.sha256)
    }
}

/// SHA-256 of what went through.
#[derive(Default)]
pub(crate) struct Digest(Sha256);

impl Digest {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(crate) fn hex(self) -> String {
        use std::fmt::Write as _;
        self.0.finalize().iter().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").expect("a string takes every text");
            hex
        })
    }
}

fn bounds(first: &i64, last: &i64, head: &i64) -> String {
    if first <= head && first > last {
        "that ends before it begins".to_owned()
    } else {
        format!("the log ends at {head}")
    }
}

/// Why the log cannot be written to a file, or a file not into the log. Nothing of the file is in the log then.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The log failed.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The file cannot be written.
    #[error("the file cannot be written")]
    Write(#[source] io::Error),
    /// The file cannot be read.
    #[error("{file} cannot be read")]
    Read {
        /// Its name.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// There are no such positions.
    #[error("there is nothing to export from position {first} to {last}: {}", bounds(.first, .last, .head))]
    Bounds {
        /// The first one wanted.
        first: i64,
        /// The last one wanted.
        last: i64,
        /// The end of the log.
        head: i64,
    },
    /// A bound would tear the events of a command apart.
    #[error(
        "a bound after position {bound} would tear apart the events of one command, at positions {first} to {last}: \
         choose {} or {last}", first - 1
    )]
    CutsCommand {
        /// The bound.
        bound: i64,
        /// First event of the command.
        first: i64,
        /// Its last one.
        last: i64,
    },
    /// The log is not whole there.
    #[error("the log cannot be exported past position {position}: {problem}; vigie log check says more")]
    NotWhole {
        /// Where.
        position: i64,
        /// What is wrong.
        problem: String,
    },
    /// A line is wrong.
    #[error("{file}, line {line}: {problem}; nothing of the file was imported")]
    Line {
        /// The file.
        file: String,
        /// From 1.
        line: u64,
        /// What is wrong.
        problem: String,
    },
    /// The log does not end where the file begins.
    #[error(
        "{file} begins at position {first}, and the log ends at {head}: a file goes into a log that ends right before it"
    )]
    NotNext {
        /// The file.
        file: String,
        /// Its first position.
        first: i64,
        /// The end of the log.
        head: i64,
    },
}

impl TransferError {
    fn database(attempt: &'static str) -> impl Fn(sqlx::Error) -> Self {
        move |source| Self::Log(LogError::database(attempt, source))
    }
}
