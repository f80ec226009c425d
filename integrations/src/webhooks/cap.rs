//! How many requests the whole process has on their way, shared so that endpoints that hang starve nobody.
//!
//! An endpoint may have as many as a part of what is free (Choudhury and Hahne, "Dynamic queue length thresholds for
//! shared-memory packet switches", 1998): the more endpoints hold on to theirs, the less each may have, and something
//! stays free for those whose requests are answered at once. One that has none on its way gets a place as long as there is one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// The part of the free places that one endpoint may have.
const PART: usize = 64;

/// The places of a process.
#[derive(Debug)]
pub(super) struct Cap {
    limit: usize,
    used: AtomicUsize,
    freed: Notify,
}

/// One of them; free again when dropped.
#[derive(Debug)]
pub(super) struct Place(Arc<Cap>);

impl Cap {
    pub(super) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, used: AtomicUsize::new(0), freed: Notify::new() })
    }

    /// A place for somebody who has `held` already.
    pub(super) fn place(self: &Arc<Self>, held: usize) -> Option<Place> {
        let taken = self.used.fetch_update(Ordering::AcqRel, Ordering::Acquire, |used| {
            let free = self.limit.saturating_sub(used);
            (free > 0 && (held == 0 || held * PART <= free)).then_some(used + 1)
        });
        taken.ok().map(|_| Place(Arc::clone(self)))
    }

    /// Ends when a place may be free for somebody who has none.
    pub(super) async fn freed(&self) {
        self.freed.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.used.fetch_sub(1, Ordering::AcqRel);
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes places until there are none for an endpoint.
    fn greedy(cap: &Arc<Cap>) -> Vec<Place> {
        let mut places = Vec::new();
        while let Some(place) = cap.place(places.len()) {
            places.push(place);
        }
        places
    }

    #[test]
    fn a_hundred_that_hang_leave_places_for_the_others() {
        let cap = Cap::new(1_024);
        let hang: Vec<_> = (0..100).map(|_| greedy(&cap)).collect();
        assert!(hang.iter().all(|places| !places.is_empty()));
        let left = greedy(&cap);
        assert!(left.len() >= 3, "{} places for one more", left.len());
    }

    #[test]
    fn one_alone_has_as_many_as_it_needs_and_gives_them_back() {
        let cap = Cap::new(1_024);
        let places = greedy(&cap);
        assert!(places.len() >= 16, "{}", places.len());
        drop(places);
        assert_eq!(cap.used.load(Ordering::Acquire), 0);
    }

    #[tokio::test]
    async fn who_has_none_is_woken_when_one_is_free() {
        let cap = Cap::new(1);
        let place = cap.place(0).unwrap();
        assert!(cap.place(0).is_none());
        drop(place);
        cap.freed().await;
        assert!(cap.place(0).is_some());
    }
}
