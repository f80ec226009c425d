//! Signals that reach nobody else: the number of a process that has ended may be another's by now.

use std::fs;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// A process, whatever becomes of its number.
#[derive(Debug)]
pub(super) struct Process(OwnedFd);

impl Process {
    /// A child that nobody has waited for yet, so that the number is still its own.
    pub(super) fn child(pid: Pid) -> rustix::io::Result<Self> {
        pidfd_open(pid, PidfdFlags::empty()).map(Self)
    }

    /// The process of this number, if it works in this folder, as every process of a Postgres server does in its own.
    pub(super) fn working_in(folder: &Path, pid: Pid) -> Option<Self> {
        // First held, then looked at: what is seen is what is held.
        let held = Self::child(pid).ok()?;
        let directory = fs::read_link(format!("/proc/{}/cwd", pid.as_raw_pid())).ok()?;
        (directory == folder).then_some(held)
    }

    /// Every process that works in a folder; the dead that nobody has waited for do not.
    pub(super) fn all_working_in(folder: &Path) -> Vec<Self> {
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        let numbers =
            processes.filter_map(|process| process.file_name().to_str()?.parse().ok().and_then(Pid::from_raw));
        numbers.filter_map(|pid| Self::working_in(folder, pid)).collect()
    }

    /// Sends a signal; false when the process has ended.
    pub(super) fn send(&self, signal: Signal) -> bool {
        pidfd_send_signal(&self.0, signal).is_ok()
    }
}
