//! What was done to the system, counted by kind.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Counts by kind, and what went wrong besides the proof: a process that ended by itself.
#[derive(Default)]
pub(crate) struct Tally {
    counts: Mutex<BTreeMap<&'static str, u64>>,
    complaints: Mutex<Vec<String>>,
}

impl Tally {
    /// One more of a kind.
    pub(crate) fn add(&self, kind: &'static str) {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner).entry(kind).or_default() += 1;
    }

    /// Something that must not happen, whatever is done to the system.
    pub(crate) fn complain(&self, complaint: String) {
        self.complaints.lock().unwrap_or_else(PoisonError::into_inner).push(complaint);
    }

    pub(crate) fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn complaints(&self) -> Vec<String> {
        self.complaints.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
