//! What an attempt was, as it is kept.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::changes::AttemptRow;
use super::endpoint::Endpoint;
use super::lanes::Item;
use super::wire::{Answer, Attempt, Failure, FailureKind, Verdict};

/// The row of an attempt at a delivery.
pub(super) fn row(
    endpoint: &Endpoint,
    item: &Item,
    at: DateTime<Utc>,
    attempt: &Attempt,
    next_try: Option<DateTime<Utc>>,
    worker: i64,
) -> AttemptRow {
    let event = &item.event;
    AttemptRow {
        position: Some(event.position),
        replay: item.replay,
        attempt: item.attempts,
        next_try,
        worker: Some(worker),
        ..of_test(endpoint, event.id, &event.kind, at, attempt)
    }
}

/// The row of a test, which has no place in the log.
pub(super) fn of_test(
    endpoint: &Endpoint,
    event: Uuid,
    kind: &str,
    at: DateTime<Utc>,
    attempt: &Attempt,
) -> AttemptRow {
    let answer = attempt.outcome.as_ref().ok();
    AttemptRow {
        endpoint: endpoint.id,
        event,
        position: None,
        kind: kind.to_owned(),
        replay: 0,
        attempt: 1,
        at,
        latency_us: i64::try_from(attempt.latency.as_micros()).unwrap_or(i64::MAX),
        outcome: outcome(attempt.verdict()),
        status: attempt.status(),
        error: error_of(attempt),
        request_head: request_head(endpoint, event, at),
        response_head: answer.map(|answer| answer.head.clone()),
        response_body: answer.map(|answer| answer.body.clone()),
        next_try: None,
        worker: None,
    }
}

/// The name of an outcome in the database, in metrics and in the API.
pub(super) fn outcome(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Delivered => "delivered",
        Verdict::Failed => "failed",
        Verdict::Throttled => "throttled",
        Verdict::Gone => "gone",
    }
}

/// Why an attempt is a failure, in words; nothing if it is none.
pub(super) fn error_of(attempt: &Attempt) -> Option<String> {
    match &attempt.outcome {
        Ok(Answer { status: 200..=299, .. }) => None,
        Ok(Answer { status: 300..=399, .. }) => Some("it answered with a redirect, which is not followed".to_owned()),
        Ok(answer) => Some(format!("it answered with status {}", answer.status)),
        // Postgres holds no text with a NUL.
        Err(Failure { kind, detail }) => Some(format!("{}: {}", said(*kind), detail.replace('\0', "\u{fffd}"))),
    }
}

fn said(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::Refused => "the address is refused",
        FailureKind::Name => "the name has no address",
        FailureKind::Connect => "there is no connection",
        FailureKind::Tls => "the connection cannot be trusted",
        FailureKind::Timeout => "there was no answer in time",
        FailureKind::Closed => "the connection ended before the answer",
        FailureKind::Protocol => "there is nothing that could be sent or understood",
    }
}

/// Header lines as they were sent, without secrets and signatures.
fn request_head(endpoint: &Endpoint, id: Uuid, at: DateTime<Utc>) -> String {
    let own: String = endpoint.headers.names().map(|name| format!("{name}: [secret]\n")).collect();
    let (target, seconds) = (&endpoint.target, at.timestamp());
    format!("POST {target}\ncontent-type: application/json\nwebhook-id: {id}\nwebhook-timestamp: {seconds}\n{own}")
}
