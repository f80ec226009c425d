//! Rows that were set aside, where a person can see them.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use serde::Serialize;

use super::ImportError;

/// A row that was set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SetAside {
    /// The file, or `standard input`.
    pub file: String,
    /// Number of the row or line in the file, from 1; none for what is about the whole file.
    pub place: Option<u64>,
    /// JSON pointer to what is wrong: from the file's top for a capture, from the line's top for JSON lines.
    pub pointer: String,
    /// What is wrong, and what would be right.
    pub reason: String,
    /// The row as it was read; empty where there is none.
    pub row: String,
}

/// Where rows that were set aside go: the first few are kept for showing, all are written down if there is a file.
#[derive(Debug)]
pub struct AsideSink {
    kept: Vec<SetAside>,
    file: Option<(String, BufWriter<File>)>,
}

impl AsideSink {
    /// How many are kept for showing.
    pub const KEPT: usize = 10;

    /// Keeps the first few only, or writes all down as JSON lines as well.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn new(path: Option<&Path>) -> Result<Self, ImportError> {
        let open = |path: &Path| {
            let name = path.display().to_string();
            match File::create(path) {
                Ok(file) => Ok((name, BufWriter::new(file))),
                Err(source) => Err(ImportError::Aside { file: name, source }),
            }
        };
        Ok(Self { kept: Vec::new(), file: path.map(open).transpose()? })
    }

    /// Takes a row.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn put(&mut self, aside: SetAside) -> Result<(), ImportError> {
        if let Some((name, file)) = &mut self.file {
            let failed = |source: std::io::Error| ImportError::Aside { file: name.clone(), source };
            serde_json::to_writer(&mut *file, &aside).map_err(|error| failed(error.into()))?;
            file.write_all(b"\n").map_err(failed)?;
        }
        if self.kept.len() < Self::KEPT {
            self.kept.push(aside);
        }
        Ok(())
    }

    /// Finishes the file and hands out what was kept.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn finish(self) -> Result<Vec<SetAside>, ImportError> {
        if let Some((name, mut file)) = self.file {
            file.flush().map_err(|source| ImportError::Aside { file: name, source })?;
        }
        Ok(self.kept)
    }
}
