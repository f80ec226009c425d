//! What the server writes: `postgres.log` in the data folder.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::Stdio;

use super::ClusterError;
use super::folder::Folder;

/// A log longer than this, in bytes, is set aside at the next start.
const LONG: u64 = 16 * 1024 * 1024;
/// How much of the log an error carries, in lines.
const LAST: usize = 12;

/// The log from some moment on.
pub(super) struct Output {
    path: PathBuf,
    file: File,
    from: u64,
}

impl Output {
    pub(super) fn from_now(folder: &Folder) -> Result<Self, ClusterError> {
        let path = folder.log();
        let open = || -> io::Result<(File, u64)> {
            if fs::metadata(&path).is_ok_and(|log| log.len() > LONG) {
                fs::rename(&path, path.with_extension("log.1"))?;
            }
            let file = OpenOptions::new().append(true).create(true).mode(0o600).open(&path)?;
            let from = file.metadata()?.len();
            Ok((file, from))
        };
        let (file, from) =
            open().map_err(|source| ClusterError::Folder { attempt: "cannot write", path: path.clone(), source })?;
        Ok(Self { path, file, from })
    }

    /// The end of a child's pipe.
    pub(super) fn to_file(&self) -> Result<Stdio, ClusterError> {
        let file = self.file.try_clone();
        let file =
            file.map_err(|source| ClusterError::Folder { attempt: "cannot write", path: self.path.clone(), source })?;
        Ok(file.into())
    }

    pub(super) fn said(&self, words: &str) -> bool {
        self.read().contains(words)
    }

    pub(super) fn last_lines(&self) -> String {
        last_lines(&self.read())
    }

    /// What was written since, or why it cannot be read: this only serves messages.
    fn read(&self) -> String {
        let read = || -> io::Result<String> {
            let mut file = File::open(&self.path)?;
            file.seek(SeekFrom::Start(self.from))?;
            let mut bytes = Vec::new();
            file.take(LONG).read_to_end(&mut bytes)?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        read().unwrap_or_else(|error| format!("{} cannot be read: {error}", self.path.display()))
    }
}

/// The last lines of a text, indented.
pub(super) fn last_lines(text: &str) -> String {
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = lines.iter().skip(lines.len().saturating_sub(LAST)).map(|line| format!("    {line}"));
    if lines.is_empty() { "    (nothing)".to_owned() } else { last.collect::<Vec<_>>().join("\n") }
}
