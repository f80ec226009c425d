//! Locks on files, which the kernel releases when their process ends, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::ClusterError;

/// A file to lock.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
    file: File,
}

impl Lock {
    pub(super) fn open(path: &Path) -> Result<Self, ClusterError> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
        let file =
            file.map_err(|source| ClusterError::Folder { attempt: "cannot write", path: path.into(), source })?;
        Ok(Self { path: path.into(), file })
    }

    /// Takes it alone if nobody else has it.
    pub(super) fn try_alone(&self) -> Result<bool, ClusterError> {
        match self.file.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(source)) => Err(self.failed(source)),
        }
    }

    /// Takes it alone, waiting for others to end.
    pub(super) async fn alone(&self, patience: Duration) -> Result<(), ClusterError> {
        let until = Instant::now() + patience;
        // A blocking lock cannot be given up; what holds it takes seconds, so asking again is cheap.
        while !self.try_alone()? {
            if Instant::now() > until {
                return Err(ClusterError::Busy { path: self.path.clone(), seconds: patience.as_secs() });
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Takes it with others. Waits only for who has it alone, which nobody has for longer than a system call.
    pub(super) fn share(&self) -> Result<(), ClusterError> {
        self.file.lock_shared().map_err(|source| self.failed(source))
    }

    pub(super) fn release(&self) -> Result<(), ClusterError> {
        self.file.unlock().map_err(|source| self.failed(source))
    }
}

impl Drop for Lock {
    /// Closing the file would release it too, but not while a process that is being started still has a copy.
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

impl Lock {
    fn failed(&self, source: std::io::Error) -> ClusterError {
        ClusterError::Folder { attempt: "cannot lock", path: self.path.clone(), source }
    }
}
