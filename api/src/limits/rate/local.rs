//! The buckets of this process.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use quick_cache::sync::Cache;

use super::Outcome;
use super::bucket::Bucket;

/// The most buckets that are kept. Who is forgotten starts with a full one; addresses that many names come from are
/// looked at often, and such are kept.
const MOST: usize = 20_000;

/// Buckets by key, those of late; a key that is not there has a full one.
pub(super) struct Local(Cache<String, Arc<Mutex<Bucket>>>);

impl Default for Local {
    fn default() -> Self {
        Self(Cache::new(MOST))
    }
}

impl Local {
    /// Takes what is asked from both buckets, `asked` being the size of each and what is taken, or nothing from either.
    pub(super) fn charge(&self, keys: &[String; 2], asked: [(u64, u64); 2], window: Duration) -> Outcome {
        let now = Instant::now();
        let buckets = [self.bucket(&keys[0], asked[0].0, now), self.bucket(&keys[1], asked[1].0, now)];
        // The caller's before the address's, always: nobody waits for the other way round.
        let [mut caller, mut address] = [lock(&buckets[0]), lock(&buckets[1])];
        let mut wait = None;
        for (bucket, (size, asked)) in [&mut caller, &mut address].into_iter().zip(asked) {
            bucket.fill(size, window, now);
            wait = wait.max(bucket.wait(asked, size, window));
        }
        if wait.is_none() {
            caller.take(asked[0].1);
            address.take(asked[1].1);
        }
        Outcome { left: [caller.left(), address.left()], wait }
    }

    /// Takes over what the shared buckets hold, so that these go on from there.
    pub(super) fn follow(&self, keys: &[String; 2], sizes: [u64; 2], left: [u64; 2]) {
        let now = Instant::now();
        for ((key, size), left) in keys.iter().zip(sizes).zip(left) {
            *lock(&self.bucket(key, size, now)) = Bucket::holding(left, now);
        }
    }

    fn bucket(&self, key: &str, size: u64, now: Instant) -> Arc<Mutex<Bucket>> {
        if let Some(bucket) = self.0.get(key) {
            return bucket;
        }
        let full = Arc::new(Mutex::new(Bucket::holding(size, now)));
        // Somebody else may have made it meanwhile; then that one counts.
        match self.0.get_or_insert_with::<str, std::convert::Infallible>(key, || Ok(Arc::clone(&full))) {
            Ok(bucket) => bucket,
            Err(never) => match never {},
        }
    }

    /// How many are kept.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

fn lock(bucket: &Mutex<Bucket>) -> MutexGuard<'_, Bucket> {
    bucket.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_whatever_names_are_given() {
        let local = Local::default();
        for n in 0..3 * MOST {
            let keys = [format!("{n}@10.0.0.1"), "10.0.0.1".to_owned()];
            local.charge(&keys, [(10, 1), (u64::MAX, 1)], Duration::from_secs(60));
        }
        assert!(local.len() <= MOST, "{}", local.len());
    }

    #[test]
    fn an_address_keeps_its_bucket_whatever_names_are_given() {
        let local = Local::default();
        let window = Duration::from_secs(1_000_000);
        let size = 3 * MOST as u64;
        for n in 0..3 * MOST {
            let keys = [format!("{n}@10.0.0.1"), "10.0.0.1".to_owned()];
            assert_eq!(local.charge(&keys, [(10, 1), (size, 1)], window).wait, None, "{n}");
        }
        let keys = ["new@10.0.0.1".to_owned(), "10.0.0.1".to_owned()];
        assert!(local.charge(&keys, [(10, 1), (size, 1)], window).wait.is_some());
    }
}
