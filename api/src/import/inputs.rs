//! What an import reads: files, the files of a folder in the order of their names, or standard input.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

/// One thing to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Standard input, given as `-`.
    Standard,
    /// A file.
    File(PathBuf),
}

/// What can be read twice.
pub trait Rewindable: Read + Seek + Send {}
impl<T: Read + Seek + Send> Rewindable for T {}

/// A path that cannot be imported from.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// It is not there, or not for us.
    #[error("{path} cannot be opened")]
    Open {
        /// The path.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A folder without a file of the kind that is wanted.
    #[error("{path} holds no file that ends in {endings}")]
    Empty {
        /// The path.
        path: String,
        /// What is wanted.
        endings: String,
    },
}

impl Input {
    /// What people call it.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Standard => "standard input".to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }

    /// Its size in bytes, where that is known beforehand.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        match self {
            Self::Standard => None,
            Self::File(path) => path.metadata().ok().filter(std::fs::Metadata::is_file).map(|data| data.len()),
        }
    }

    /// Opens it for reading once from its beginning to its end.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        match self {
            Self::Standard => Ok(Box::new(io::stdin())),
            Self::File(path) => Ok(Box::new(File::open(path)?)),
        }
    }

    /// Opens it for reading more than once: what is not a plain file is put into a temporary one first.
    ///
    /// # Errors
    /// It cannot be opened or copied.
    pub fn open_rewindable(&self) -> io::Result<Box<dyn Rewindable>> {
        if let Self::File(path) = self
            && path.is_file()
        {
            return Ok(Box::new(File::open(path)?));
        }
        let mut copy = tempfile::tempfile()?;
        io::copy(&mut self.open()?, &mut copy)?;
        Ok(Box::new(copy))
    }
}

/// The inputs that `paths` name; a folder stands for its files that end in one of `endings`.
///
/// # Errors
/// A path that is not there, or a folder without such a file.
pub fn inputs(paths: &[PathBuf], endings: &[&str]) -> Result<Vec<Input>, InputError> {
    let mut found = Vec::new();
    for path in paths {
        let open = |source| InputError::Open { path: path.display().to_string(), source };
        if path.as_os_str() == "-" {
            found.push(Input::Standard);
        } else if path.metadata().map_err(open)?.is_dir() {
            let files = folder(path, endings).map_err(open)?;
            if files.is_empty() {
                return Err(InputError::Empty { path: path.display().to_string(), endings: endings.join(" or ") });
            }
            found.extend(files.into_iter().map(Input::File));
        } else {
            found.push(Input::File(path.clone()));
        }
    }
    Ok(found)
}

fn folder(path: &Path, endings: &[&str]) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in path.read_dir()? {
        let file = entry?.path();
        let wanted = file
            .file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| !name.starts_with('.') && endings.iter().any(|ending| name.ends_with(ending)));
        if wanted && file.is_file() {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_stands_for_its_files_in_the_order_of_their_names() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.json", "a.json", "notes.txt", ".hidden.json"] {
            std::fs::write(folder.path().join(name), "{}").unwrap();
        }
        let found = inputs(&[folder.path().to_owned(), "-".into()], &[".json"]).unwrap();
        let file = |name| Input::File(folder.path().join(name));
        assert_eq!(found, [file("a.json"), file("b.json"), Input::Standard]);
        assert!(matches!(inputs(&[folder.path().to_owned()], &[".jsonl"]), Err(InputError::Empty { .. })));
        assert!(matches!(inputs(&[folder.path().join("c.json")], &[".json"]), Err(InputError::Open { .. })));
    }
}
