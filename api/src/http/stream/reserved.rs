//! Streams that carry several operations: reserved, then opened once, each under a token that only its client knows.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use async_graphql::Response;
use futures_util::stream::BoxStream;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use uuid::Uuid;

/// The most operations at once on one stream.
pub(super) const MAX_OPERATIONS: usize = 100;

/// What a request tells the stream.
pub(super) enum Told {
    /// An operation goes on here.
    Watch(String, BoxStream<'static, Response>),
    /// An operation is done; this came of it.
    Done(String, Box<Response>),
    /// The client does not want to hear more of an operation.
    Stop(String),
}

/// Why a stream cannot do what is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// There is no such stream; it may have ended.
    Unknown,
    /// Somebody reads it already.
    Open,
    /// An operation with this id runs on it.
    Duplicate,
    /// It has as many operations as it may.
    Full,
}

/// Every stream, by its token.
pub(in crate::http) struct Streams {
    most: usize,
    /// How long one may wait to be opened.
    patience: Duration,
    all: Mutex<HashMap<String, Stream>>,
}

struct Stream {
    reserved: Instant,
    /// Who has reserved it.
    address: String,
    operations: HashSet<String>,
    teller: Sender<Told>,
    /// Until it is opened.
    listener: Option<Receiver<Told>>,
}

impl Streams {
    pub(in crate::http) fn new(most: usize, patience: Duration) -> Self {
        Self { most, patience, all: Mutex::default() }
    }

    /// A new token; none when there are too many streams, or too many of one address, which leaves a quarter of them to
    /// others. Those that nobody has opened in time make room.
    pub(super) fn reserve(&self, now: Instant, address: &str) -> Option<String> {
        let mut all = self.lock();
        all.retain(|_, stream| stream.listener.is_none() || now.duration_since(stream.reserved) < self.patience);
        let own = all.values().filter(|stream| stream.address == address).count();
        if all.len() >= self.most || own >= self.most - self.most / 4 {
            return None;
        }
        let token = format!("{}{}", Uuid::now_v7().simple(), Uuid::now_v7().simple());
        // Each operation tells one thing when it begins and one when it is stopped.
        let (teller, listener) = channel(2 * MAX_OPERATIONS);
        let stream = Stream {
            reserved: now,
            address: address.to_owned(),
            operations: HashSet::new(),
            teller,
            listener: Some(listener),
        };
        all.insert(token.clone(), stream);
        Some(token)
    }

    /// What a stream is told, for the one who reads it.
    pub(super) fn open(&self, token: &str) -> Result<Receiver<Told>, Trouble> {
        self.lock().get_mut(token).ok_or(Trouble::Unknown)?.listener.take().ok_or(Trouble::Open)
    }

    /// Takes an operation's id for it.
    pub(super) fn begin(&self, token: &str, id: &str) -> Result<(), Trouble> {
        let mut all = self.lock();
        let operations = &mut all.get_mut(token).ok_or(Trouble::Unknown)?.operations;
        if operations.contains(id) {
            return Err(Trouble::Duplicate);
        }
        if operations.len() >= MAX_OPERATIONS {
            return Err(Trouble::Full);
        }
        operations.insert(id.to_owned());
        Ok(())
    }

    /// Gives an operation's id back.
    pub(super) fn end(&self, token: &str, id: &str) {
        if let Some(stream) = self.lock().get_mut(token) {
            stream.operations.remove(id);
        }
    }

    /// Tells the stream something; it does so as soon as somebody reads it.
    pub(super) fn tell(&self, token: &str, told: Told) -> Result<(), Trouble> {
        let all = self.lock();
        let teller = &all.get(token).ok_or(Trouble::Unknown)?.teller;
        teller.try_send(told).map_err(|_| Trouble::Full)
    }

    /// It has ended.
    pub(super) fn remove(&self, token: &str) {
        self.lock().remove(token);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Stream>> {
        self.all.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_bounded_and_reservations_do_not_last() {
        let streams = Streams::new(2, Duration::from_secs(30));
        let begin = Instant::now();
        let reserve = |now| streams.reserve(now, "10.0.0.1");
        let (first, second) = (reserve(begin).unwrap(), reserve(begin).unwrap());
        assert_ne!(first, second);
        let _listener = streams.open(&first).unwrap();
        assert_eq!(streams.open(&first).err(), Some(Trouble::Open));
        assert_eq!(reserve(begin + Duration::from_secs(29)), None);
        // The one that nobody has opened makes room, the open one stays.
        let third = reserve(begin + Duration::from_secs(30)).unwrap();
        assert_eq!(streams.open(&second).err(), Some(Trouble::Unknown));
        assert_eq!(streams.open(&first).err(), Some(Trouble::Open));
        assert_eq!(reserve(begin + Duration::from_secs(30)), None);
        streams.remove(&third);
        assert!(reserve(begin + Duration::from_secs(30)).is_some());
    }

    #[test]
    fn one_address_leaves_room_for_others() {
        let (streams, now) = (Streams::new(4, Duration::from_secs(30)), Instant::now());
        for _ in 0..3 {
            assert!(streams.reserve(now, "10.0.0.1").is_some());
        }
        assert_eq!(streams.reserve(now, "10.0.0.1"), None);
        assert!(streams.reserve(now, "10.0.0.2").is_some());
    }

    #[test]
    fn operations_are_bounded_and_have_one_id_each() {
        let streams = Streams::new(1, Duration::from_secs(30));
        let token = streams.reserve(Instant::now(), "10.0.0.1").unwrap();
        for id in 0..MAX_OPERATIONS {
            assert_eq!(streams.begin(&token, &id.to_string()), Ok(()));
        }
        assert_eq!(streams.begin(&token, "0"), Err(Trouble::Duplicate));
        assert_eq!(streams.begin(&token, "x"), Err(Trouble::Full));
        streams.end(&token, "0");
        assert_eq!(streams.begin(&token, "x"), Ok(()));
        assert_eq!(streams.begin("nothing", "x"), Err(Trouble::Unknown));
    }
}
