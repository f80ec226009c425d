//! What became of a request.

use std::fmt;
use std::time::Duration;

/// Bytes that are read of an answer; the rest is left where it is.
pub const LARGEST_ANSWER: usize = 20_000;

/// One request and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The answer, or why there is none.
    pub outcome: Result<Answer, Failure>,
    /// From the call to the first byte of the answer, or to the failure.
    pub latency: Duration,
}

/// What a receiver answered. Secrets of the endpoint are blotted out of its texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// 200 to 599, or what else it said.
    pub status: u16,
    /// `name: value`, one per line, at most 4,000 bytes.
    pub head: String,
    /// What came in time of the first [`LARGEST_ANSWER`] bytes, as text that Postgres can hold.
    pub body: String,
    /// Whether more came, or was still to come, than is in `body`.
    pub cut: bool,
    /// After what time it wants to be asked again (`Retry-After`, in seconds or as a date).
    pub retry_after: Option<Duration>,
}

/// What follows from an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// 2xx: the receiver has it.
    Delivered,
    /// 410: the receiver wants nothing more.
    Gone,
    /// 429, 502, 504: the receiver has too much to do, with whatever it is sent.
    Throttled,
    /// Everything else.
    Failed,
}

impl Attempt {
    /// What follows from it.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self.status() {
            Some(200..=299) => Verdict::Delivered,
            Some(410) => Verdict::Gone,
            Some(429 | 502 | 504) => Verdict::Throttled,
            _ => Verdict::Failed,
        }
    }

    /// The status, if there was an answer.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.outcome.as_ref().ok().map(|answer| answer.status)
    }

    /// After what time the receiver wants to be asked again, if it said so.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.outcome.as_ref().ok().and_then(|answer| answer.retry_after)
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {detail}")]
pub struct Failure {
    /// Of which kind.
    pub kind: FailureKind,
    /// What happened, for a person.
    pub detail: String,
}

/// Kinds of failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// It may not be reached; nothing was sent.
    Refused,
    /// Its name has no address.
    Name,
    /// There is no connection.
    Connect,
    /// There is no trust in the connection.
    Tls,
    /// There was no answer in time.
    Timeout,
    /// The connection ended before the answer.
    Closed,
    /// What came is no answer of HTTP.
    Protocol,
}

impl FailureKind {
    /// Every kind.
    pub const ALL: [Self; 7] =
        [Self::Refused, Self::Name, Self::Connect, Self::Tls, Self::Timeout, Self::Closed, Self::Protocol];

    /// Its name in tables and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Name => "name",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Closed => "closed",
            Self::Protocol => "protocol",
        }
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_says_what_follows() {
        for (status, verdict) in [
            (200, Verdict::Delivered),
            (204, Verdict::Delivered),
            (299, Verdict::Delivered),
            (301, Verdict::Failed),
            (304, Verdict::Failed),
            (400, Verdict::Failed),
            (410, Verdict::Gone),
            (429, Verdict::Throttled),
            (500, Verdict::Failed),
            (502, Verdict::Throttled),
            (503, Verdict::Failed),
            (504, Verdict::Throttled),
            (999, Verdict::Failed),
        ] {
            let (head, body) = (String::new(), String::new());
            let outcome = Ok(Answer { status, head, body, cut: false, retry_after: None });
            assert_eq!(Attempt { outcome, latency: Duration::ZERO }.verdict(), verdict, "{status}");
        }
        let failure = Failure { kind: FailureKind::Timeout, detail: String::new() };
        assert_eq!(Attempt { outcome: Err(failure), latency: Duration::ZERO }.verdict(), Verdict::Failed);
    }
}
