//! Deliveries, attempts and replays, as they are answered.

use async_graphql::{Enum, ID, Object};
use chrono::{DateTime, Utc};

use crate::graphql::scalars::Position;
use crate::webhooks::{AttemptRow, Outcome, ReplayRow, ReplayWhat, WaitingRow, WaitingState};

/// Why a delivery is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "WebhookDeliveryState", remote = "WaitingState")]
pub(crate) enum DeliveryState {
    /// It is to be tried, or waits for what is ahead of it.
    Waiting,
    /// It has failed as often as it may.
    SetAside,
}

/// A delivery that did not go through at once.
pub(crate) struct Delivery(pub(super) WaitingRow);

#[Object(name = "WebhookDelivery")]
impl Delivery {
    /// Counts the deliveries that waited.
    async fn number(&self) -> i64 {
        self.0.seq
    }
    /// The event.
    async fn position(&self) -> Position {
        Position(self.0.position)
    }
    /// The replay that it belongs to, if it does.
    async fn replay(&self) -> Option<ID> {
        (self.0.replay != 0).then(|| ID(self.0.replay.to_string()))
    }
    /// Why it is kept.
    async fn state(&self) -> DeliveryState {
        self.0.state.into()
    }
    /// How often it was tried.
    async fn attempts(&self) -> i32 {
        self.0.attempts
    }
    /// When it is tried next; null when it waits for what is ahead of it.
    async fn next_try(&self) -> Option<DateTime<Utc>> {
        self.0.next_try
    }
    /// Why the last attempt failed.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }
    /// Since when it waits.
    async fn queued_at(&self) -> DateTime<Utc> {
        self.0.queued_at
    }
    /// When it failed last.
    async fn failed_at(&self) -> Option<DateTime<Utc>> {
        self.0.failed_at
    }
}

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "WebhookOutcome", remote = "Outcome")]
pub(crate) enum AttemptOutcome {
    /// The receiver has it.
    Delivered,
    /// It did not go through.
    Failed,
    /// The receiver has too much to do.
    Throttled,
    /// The receiver wants nothing more.
    Gone,
}

/// One request, and what came of it.
pub(crate) struct WebhookAttempt(pub(super) AttemptRow);

#[Object]
impl WebhookAttempt {
    /// Counts attempts, with gaps.
    async fn id(&self) -> i64 {
        self.0.id
    }
    /// The endpoint.
    async fn endpoint(&self) -> ID {
        ID(self.0.endpoint.to_string())
    }
    /// The event's id, which is the header `webhook-id`.
    async fn event(&self) -> ID {
        ID(self.0.event.to_string())
    }
    /// The event's position; null of a test.
    async fn position(&self) -> Option<Position> {
        self.0.position.map(Position)
    }
    /// The event's type; `webhooks.test` of a test.
    #[graphql(name = "type")]
    async fn kind(&self) -> &str {
        &self.0.kind
    }
    /// The replay that it belongs to, if it does.
    async fn replay(&self) -> Option<ID> {
        (self.0.replay != 0).then(|| ID(self.0.replay.to_string()))
    }
    /// Counts the attempts of its delivery from 1.
    async fn attempt(&self) -> i32 {
        self.0.attempt
    }
    /// When it began.
    async fn at(&self) -> DateTime<Utc> {
        self.0.at
    }
    /// Microseconds until the answer, or until it was given up.
    async fn latency_us(&self) -> i64 {
        self.0.latency_us
    }
    /// What came of it.
    async fn outcome(&self) -> AttemptOutcome {
        self.0.outcome.into()
    }
    /// The status of the answer, if there was one.
    async fn status(&self) -> Option<i32> {
        self.0.status
    }
    /// Why there was no answer, or why it is a failure.
    async fn error(&self) -> Option<&str> {
        self.0.error.as_deref()
    }
    /// The header lines of the request; secrets are left out. Its body is the event.
    async fn request_head(&self) -> &str {
        &self.0.request_head
    }
    /// The header lines of the answer.
    async fn response_head(&self) -> Option<&str> {
        self.0.response_head.as_deref()
    }
    /// The first 20 kB of the answer.
    async fn response_body(&self) -> Option<&str> {
        self.0.response_body.as_deref()
    }
    /// When it is tried next, if it is.
    async fn next_try(&self) -> Option<DateTime<Utc>> {
        self.0.next_try
    }
}

/// What is sent again, or let go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "WebhookReplayOf", remote = "ReplayWhat")]
pub(crate) enum ReplayOf {
    /// Every event that the endpoint asks for is sent again.
    Everything,
    /// Those that were set aside are sent again, and those that wait for their next try are tried now.
    Failed,
    /// Those that wait are let go: they are set aside, and what is behind them goes on.
    Skip,
}

/// How far a replay has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "WebhookReplayState")]
pub(crate) enum ReplayState {
    /// It has not begun.
    Asked,
    /// It runs.
    Running,
    /// It is done.
    Done,
    /// Somebody has ended it.
    Cancelled,
}

/// Something that was asked to be sent again or let go.
pub(crate) struct WebhookReplay(pub(super) ReplayRow);

#[Object]
impl WebhookReplay {
    /// Counts replays.
    async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }
    /// The endpoint.
    async fn endpoint(&self) -> ID {
        ID(self.0.endpoint.to_string())
    }
    /// What of it.
    async fn what(&self) -> ReplayOf {
        self.0.what.into()
    }
    /// After this position.
    async fn after(&self) -> Position {
        Position(self.0.after)
    }
    /// Up to this one.
    async fn until(&self) -> Position {
        Position(self.0.until)
    }
    /// Up to where it has come.
    async fn position(&self) -> Position {
        Position(self.0.position)
    }
    /// How far it has come.
    async fn state(&self) -> ReplayState {
        match self.0.state.as_str() {
            "asked" => ReplayState::Asked,
            "running" => ReplayState::Running,
            "cancelled" => ReplayState::Cancelled,
            _ => ReplayState::Done,
        }
    }
    /// Deliveries that it has put on their way, again after a kill those that were on it; of a skip, those let go.
    async fn sent(&self) -> i64 {
        self.0.sent
    }
    /// Who has asked for it.
    async fn asked_by(&self) -> &str {
        &self.0.asked_by
    }
    /// Why.
    async fn reason(&self) -> &str {
        &self.0.reason
    }
    /// When.
    async fn asked_at(&self) -> DateTime<Utc> {
        self.0.asked_at
    }
    /// When it began.
    async fn started_at(&self) -> Option<DateTime<Utc>> {
        self.0.started_at
    }
    /// When it ended.
    async fn ended_at(&self) -> Option<DateTime<Utc>> {
        self.0.ended_at
    }
}
