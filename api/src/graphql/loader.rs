//! Loaders: what siblings ask for one by one is read for all of them at once.
//!
//! One task polls all fields of an operation. Whoever asks first lets that task go round, until nobody has asked anew,
//! and then reads for all who did. So nobody waits for a clock, and the task that asks is the one that reads.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_graphql::Error;
use tokio::sync::OnceCell;
use tokio::task::{coop, yield_now};

/// The most keys that are read with one statement.
const MOST: usize = 1_000;

/// Reads the values of keys.
pub(super) trait Load: Send + Sync + 'static {
    /// What is asked for.
    type Key: Clone + Eq + Hash + Send + Sync + 'static;
    /// What is found. Each who asked for it gets a clone.
    type Value: Clone + Send + Sync + 'static;

    /// The values of those keys that have one; each key is given once.
    fn load(&self, keys: &[Self::Key]) -> impl Future<Output = Result<HashMap<Self::Key, Self::Value>, Error>> + Send;
}

/// Gathers the keys that are asked for at the same time. Keeps nothing: a key that is asked for later is read again.
pub(super) struct Loader<L: Load> {
    load: L,
    gathering: Mutex<Option<Arc<Batch<L>>>>,
}

/// Keys that are read together.
struct Batch<L: Load> {
    keys: Mutex<HashSet<L::Key>>,
    found: OnceCell<Found<L>>,
}

type Found<L> = Result<HashMap<<L as Load>::Key, <L as Load>::Value>, Error>;

impl<L: Load> Loader<L> {
    /// A loader of what `load` reads.
    pub(super) fn new(load: L) -> Self {
        Self { load, gathering: Mutex::default() }
    }

    /// The value of a key, if it has one.
    pub(super) async fn one(&self, key: L::Key) -> Result<Option<L::Value>, Error> {
        let batch = self.join([key.clone()]);
        Ok(self.found(&batch).await?.get(&key).cloned())
    }

    /// The values of those keys that have one.
    pub(super) async fn many(&self, keys: Vec<L::Key>) -> Result<HashMap<L::Key, L::Value>, Error> {
        let batch = self.join(keys.iter().cloned());
        let found = self.found(&batch).await?;
        Ok(keys.into_iter().filter_map(|key| found.get(&key).cloned().map(|value| (key, value))).collect())
    }

    /// The batch that gathers, with these keys.
    fn join(&self, keys: impl IntoIterator<Item = L::Key>) -> Arc<Batch<L>> {
        // Held until the keys are in: tasks on other threads share a loader, and one may be about to read.
        let mut gathering = locked(&self.gathering);
        let batch = gathering.get_or_insert_with(|| Arc::new(Batch { keys: Mutex::default(), found: OnceCell::new() }));
        locked(&batch.keys).extend(keys);
        Arc::clone(batch)
    }

    /// What is found: read by one of those who wait, and if that one is dropped, by the next.
    async fn found<'b>(&self, batch: &'b Arc<Batch<L>>) -> Result<&'b HashMap<L::Key, L::Value>, Error> {
        // A task that has much to do is made to pause after a while; here that would part the batch.
        // The many who only wait have no room for the reading in their futures.
        let found = coop::unconstrained(batch.found.get_or_init(|| Box::pin(self.read(batch)))).await;
        found.as_ref().map_err(Clone::clone)
    }

    async fn read(&self, batch: &Arc<Batch<L>>) -> Found<L> {
        let keys: Vec<L::Key> = self.gathered(batch).await.into_iter().collect();
        if keys.len() <= MOST {
            return self.load.load(&keys).await;
        }
        let mut found = HashMap::new();
        for keys in keys.chunks(MOST) {
            found.extend(self.load.load(keys).await?);
        }
        Ok(found)
    }

    /// All keys of the batch, which gathers no more.
    async fn gathered(&self, batch: &Arc<Batch<L>>) -> HashSet<L::Key> {
        let mut seen = 0;
        loop {
            let count = locked(&batch.keys).len();
            if count == seen {
                break;
            }
            seen = count;
            yield_now().await;
        }
        let mut gathering = locked(&self.gathering);
        gathering.take_if(|gathering| Arc::ptr_eq(gathering, batch));
        locked(&batch.keys).clone()
    }
}

/// Nothing is left half done where these are held.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Finds every key.
    struct Everything;

    impl Load for Everything {
        type Key = usize;
        type Value = usize;

        async fn load(&self, keys: &[usize]) -> Result<HashMap<usize, usize>, Error> {
            Ok(keys.iter().map(|key| (*key, *key)).collect())
        }
    }

    /// Items of subscriptions share a loader and run on several threads.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn whoever_asks_while_another_is_about_to_read_is_answered() {
        let loader = Arc::new(Loader::new(Everything));
        let asks = (0..200_000).map(|key| {
            let loader = Arc::clone(&loader);
            tokio::spawn(async move { loader.one(key).await.is_ok_and(|found| found == Some(key)) })
        });
        let asks: Vec<_> = asks.collect();
        for ask in asks {
            assert!(ask.await.unwrap());
        }
    }
}
