//! The file of an archived range: JSON lines.
//! 1. A header: `{"format":"vigie range","version":1,"number":3,"first":10000001,"last":15000000}`.
//! 2. A [`Line`] per event, in order, without gaps. Answers of commands are not in it: they stay in the database.
//! 3. An end: `{"end":{"events":…,"last":…,"sha256":"…"}}`, the digest being of every byte before that line.
//!
//! The same range gives the same bytes, so that its digest can be compared with the one in the database.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::ArchiveError;
use crate::transfer::{Closing, Digest, End, Line};

const FORMAT: &str = "vigie range";
const VERSION: u32 = 1;
/// How the closing line begins, and no other.
const CLOSING: &str = r#"{"end":"#;

/// The first line: which range this is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    format: String,
    version: u32,
    pub(super) number: i32,
    pub(super) first: i64,
    pub(super) last: i64,
}

impl Header {
    pub(super) fn new(number: i32, first: i64, last: i64) -> Self {
        Self { format: FORMAT.to_owned(), version: VERSION, number, first, last }
    }

    /// The name of its file.
    pub(super) fn name(&self) -> String {
        format!("range-{:06}.jsonl", self.number)
    }
}

/// Digests a range line by line, and writes it where there is something to write to.
pub(super) struct Writer<W> {
    out: W,
    digest: Digest,
    next: i64,
    header: Header,
}

impl<W: Write> Writer<W> {
    pub(super) fn new(header: Header, out: W) -> io::Result<Self> {
        let mut writer = Self { out, digest: Digest::default(), next: header.first, header };
        let header = writer.header.clone();
        writer.line(&header)?;
        Ok(writer)
    }

    /// Adds an event; it must be the next one.
    pub(super) fn add(&mut self, line: &Line) -> Result<(), Problem> {
        if line.position != self.next || line.position > self.header.last {
            return Err(Problem::Wrong(format!("position {} where {} should be", line.position, self.next)));
        }
        self.next += 1;
        Ok(self.line(line)?)
    }

    /// Ends the file; its digest.
    pub(super) fn finish(mut self) -> Result<(String, W), Problem> {
        if self.next != self.header.last + 1 {
            return Err(Problem::Wrong(format!("it ends before position {}", self.next)));
        }
        let sha256 = std::mem::take(&mut self.digest).hex();
        let events = self.header.last - self.header.first + 1;
        let end = End { events, last: self.header.last, sha256: sha256.clone() };
        self.line(&Closing { end })?;
        self.out.flush()?;
        Ok((sha256, self.out))
    }

    fn line(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.digest.update(&text);
        self.out.write_all(&text)
    }
}

/// What is wrong with a file.
pub(super) enum Problem {
    Io(io::Error),
    Wrong(String),
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Problem {
    pub(super) fn of(self, path: &Path) -> ArchiveError {
        match self {
            Self::Io(source) => ArchiveError::File { path: path.into(), source },
            Self::Wrong(problem) => ArchiveError::Unsound { path: path.into(), problem },
        }
    }
}

/// A file that is being written, under another name until it is whole and on the disk.
pub(super) struct Part {
    folder: PathBuf,
    name: String,
    path: PathBuf,
}

impl Part {
    /// Begins the file of a range; what an earlier attempt has left is written over.
    pub(super) fn create(folder: &Path, header: &Header) -> Result<(Self, Writer<BufWriter<File>>), Problem> {
        std::fs::create_dir_all(folder)?;
        let (name, folder) = (header.name(), folder.to_owned());
        let path = folder.join(format!("{name}.part"));
        let writer = Writer::new(header.clone(), BufWriter::with_capacity(1 << 20, File::create(&path)?))?;
        Ok((Self { folder, name, path }, writer))
    }

    /// Gives it its name once it has reached the disk; the path, and the digest.
    pub(super) fn finish(self, writer: Writer<BufWriter<File>>) -> Result<(PathBuf, String), Problem> {
        let (sha256, out) = writer.finish()?;
        out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        let path = self.folder.join(&self.name);
        std::fs::rename(&self.path, &path)?;
        // The name, too, must survive a power cut.
        File::open(&self.folder)?.sync_all()?;
        Ok((path, sha256))
    }
}

/// Reads a file to its end and passes its events on; its header and its digest, once it has proved to be whole.
pub(super) fn read(
    path: &Path,
    mut take: impl FnMut(Line) -> Result<(), Problem>,
) -> Result<(Header, String), Problem> {
    let mut lines = BufReader::with_capacity(1 << 20, File::open(path)?).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    if first.starts_with(r#"{"format":"vigie log","#) {
        let problem = "it is a file of vigie log export, not an archived range; vigie log import takes it";
        return Err(Problem::Wrong(problem.to_owned()));
    }
    let header: Header = serde_json::from_str(&first).map_err(|error| wrong(1, &error))?;
    if (header.format.as_str(), header.version) != (FORMAT, VERSION) {
        return Err(Problem::Wrong(format!(
            "it is a file of {} {}, not of {FORMAT} {VERSION}",
            header.format, header.version
        )));
    }
    let mut check = Writer::new(header.clone(), io::sink())?;
    for (number, text) in (2_u64..).zip(&mut lines) {
        let text = text?;
        if text.starts_with(CLOSING) {
            let said: Closing = serde_json::from_str(&text).map_err(|error| wrong(number, &error))?;
            let (sha256, _) = check.finish()?;
            let events = header.last - header.first + 1;
            if said.end != (End { events, last: header.last, sha256: sha256.clone() }) {
                return Err(Problem::Wrong(format!("its digest is {sha256}, and not as its last line says")));
            }
            return match lines.next() {
                None => Ok((header, sha256)),
                Some(_) => Err(Problem::Wrong("something follows its last line".to_owned())),
            };
        }
        let line: Line = serde_json::from_str(&text).map_err(|error| wrong(number, &error))?;
        check.add(&line)?;
        take(line)?;
    }
    Err(Problem::Wrong("its last line is missing: it is not whole".to_owned()))
}

fn wrong(line: u64, error: &serde_json::Error) -> Problem {
    Problem::Wrong(format!("line {line}: {error}"))
}
