//! Requests go out.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use super::super::cap::Place;
use super::super::endpoint::Endpoint;
use super::super::lanes::Item;
use super::super::wire::{Attempt, Body, Failure, FailureKind, Request};
use super::{Delivery, Shared, UNRECORDED};

/// A request that is over.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) ticket: u64,
    /// When it was sent, and what came of it; nothing if it was not sent after all.
    pub(super) attempt: Option<(DateTime<Utc>, Attempt)>,
}

impl Delivery {
    /// Sends whatever can go now.
    pub(super) fn start(&mut self) {
        self.no_place = false;
        while self.may_send() && self.lanes.is_ready() {
            let Some(place) = self.shared.cap.place(self.sends.len()) else {
                // Who has requests on their way is woken by them.
                self.no_place = self.sends.is_empty();
                return;
            };
            let Some((ticket, item)) = self.lanes.start(self.parallel) else { return };
            self.breaker.started();
            if let Some(rate) = &mut self.rate {
                rate.take(self.shared.time.now());
            }
            self.started.insert(ticket, Instant::now());
            let (shared, endpoint, term) = (Arc::clone(&self.shared), Arc::clone(&self.endpoint), self.term);
            self.sends.spawn(send(shared, endpoint, term, ticket, item, place));
        }
    }

    fn may_send(&self) -> bool {
        if self.stopping || self.halted.is_some() || !self.is_sure() {
            return false;
        }
        let (now, in_flight) = (self.now(), self.lanes.in_flight());
        in_flight < self.parallel
            && self.changes.attempts.len() < UNRECORDED
            && self.breaker.admits(in_flight, now)
            && self.throttled_until.is_none_or(|until| until <= now)
            && self.rate.as_ref().is_none_or(|rate| rate.next() <= now)
    }
}

async fn send(shared: Arc<Shared>, endpoint: Arc<Endpoint>, term: u64, ticket: u64, item: Item, place: Place) -> Sent {
    let at = shared.time.now();
    let body = match Body::of(&item.event) {
        Ok(body) => body.text,
        Err(error) => return Sent { ticket, attempt: Some((at, unreadable(&error))) },
    };
    let request = request(&endpoint, item.event.id, at, body);
    // The last look before it goes.
    if !shared.lease.holds_since(term) {
        return Sent { ticket, attempt: None };
    }
    let attempt = shared.sender.send(&request).await;
    drop(place);
    Sent { ticket, attempt: Some((at, attempt)) }
}

/// What is sent to an endpoint.
pub(in super::super) fn request(endpoint: &Endpoint, id: uuid::Uuid, at: DateTime<Utc>, body: Arc<str>) -> Request {
    Request {
        target: endpoint.target.clone(),
        id,
        at,
        body,
        secrets: Arc::clone(&endpoint.secrets),
        headers: Arc::clone(&endpoint.headers),
        timeout: endpoint.timeout,
    }
}

/// An event that this build cannot read is not sent; its lane waits or goes on, as after any failure.
fn unreadable(error: &impl ToString) -> Attempt {
    let failure = Failure { kind: FailureKind::Protocol, detail: error.to_string() };
    Attempt { outcome: Err(failure), latency: Duration::ZERO }
}
