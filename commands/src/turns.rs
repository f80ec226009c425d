//! Contenders of this process take turns.
//!
//! Decisions run freely until one is overtaken. From then on it decides in turn with the others that were overtaken
//! over the same boundary, so that 64 who want the same thing cause 63 retries and not 64 × 63 / 2. This saves work
//! only: what keeps the log right is the append's condition, which also holds between processes.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use tokio::sync::{Mutex, MutexGuard};
use vigie_domain::kernel::Query;

/// Boundaries share a queue by hash; a collision costs waiting, nothing else.
const QUEUES: usize = 256;

pub(crate) struct Turns {
    queues: Vec<Mutex<()>>,
}

impl Turns {
    pub(crate) fn new() -> Self {
        Self { queues: (0..QUEUES).map(|_| Mutex::new(())).collect() }
    }

    /// Waits until it is this contender's turn at the boundary.
    pub(crate) async fn take(&self, boundary: &Query) -> MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        boundary.hash(&mut hasher);
        let at = usize::try_from(hasher.finish() % QUEUES as u64).unwrap_or_default();
        self.queues.get(at).expect("the remainder is below the number of queues").lock().await
    }
}
