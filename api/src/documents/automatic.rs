//! Automatic persisted queries: texts that clients have sent together with their hash.

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

/// The texts by hash, bounded by their bytes. What is asked for least goes first; a client whose text has gone sends it
/// again.
pub(crate) struct Automatic(Cache<String, Arc<str>, Bytes>);

/// What an entry costs: its text, its hash, and about what the cache itself needs.
#[derive(Clone)]
struct Bytes;

const OVERHEAD: u64 = 64 + 128;

impl Weighter<String, Arc<str>> for Bytes {
    fn weight(&self, _hash: &String, text: &Arc<str>) -> u64 {
        text.len() as u64 + OVERHEAD
    }
}

impl Automatic {
    /// Room for so many bytes.
    pub(crate) fn new(bytes: u64) -> Self {
        let entries = usize::try_from(bytes / 1024).unwrap_or(usize::MAX).clamp(16, 1 << 16);
        Self(Cache::with_weighter(entries, bytes, Bytes))
    }

    /// The text with this hash, if it is still here.
    pub(crate) fn get(&self, hash: &str) -> Option<Arc<str>> {
        self.0.get(hash)
    }

    /// Keeps a text under its hash, which the caller has checked. One that does not fit is not kept.
    pub(crate) fn keep(&self, hash: String, text: Arc<str>) {
        self.0.insert(hash, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::hash;

    #[test]
    fn the_room_is_bounded_and_a_text_that_went_can_come_again() {
        let automatic = Automatic::new(64 * 1024);
        let texts: Vec<Arc<str>> = (0..1_000).map(|n| format!("{{ a{n} {} }}", "b ".repeat(500)).into()).collect();
        for text in &texts {
            automatic.keep(hash(text), Arc::clone(text));
        }
        let kept = texts.iter().filter(|text| automatic.get(&hash(text)).is_some()).count();
        assert!((1..=64).contains(&kept), "{kept}");
        let gone = texts.iter().find(|text| automatic.get(&hash(text)).is_none()).unwrap();
        automatic.keep(hash(gone), Arc::clone(gone));
        automatic.keep(hash(gone), Arc::clone(gone));
        assert_eq!(automatic.get(&hash(gone)).as_ref(), Some(gone));
    }
}
