//! How much a caller may spend: token buckets, filled steadily.
//!
//! Each caller (an actor at an address) has a bucket, and each address has one that holds as much as a number of
//! callers', because actors are only names that anybody may give. With Redis, all processes share the buckets. Without
//! it, and whenever it fails or is slow, each process has its own, which go on from what Redis said last.

mod bucket;
mod local;
mod shared;

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

use super::{Address, Exceeded, Limit, Limits};
use bucket::Bucket;
use local::Local;
use shared::Shared;

/// Whose buckets they are, in the order in which they are told.
const POLICIES: [&str; 2] = ["caller", "address"];

/// What a caller has, after an operation was charged or refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Quota {
    window: Duration,
    buckets: [Left; 2],
    /// How long the caller has to wait until as much is there as was asked for; none when it was there.
    wait: Option<Duration>,
}

/// What is in a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Left {
    size: u64,
    left: u64,
}

/// All buckets.
pub(crate) struct Rates {
    local: Local,
    shared: Option<Shared>,
    rate: u64,
    share: u64,
    window: Duration,
}

impl Rates {
    /// Full buckets, shared through `redis` with the other processes of a `database`.
    pub(crate) fn new(limits: &Limits, redis: Option<redis::Client>, database: &str) -> Self {
        let shared = redis.map(|client| Shared::start(client, database));
        let (rate, share, window) = (limits.rate, limits.address_share, limits.rate_window);
        Self { local: Local::default(), shared, rate, share, window }
    }

    /// Charges an operation, if both buckets hold as much. One that costs more than a whole bucket takes all of it.
    /// Without a limit there is nothing to tell.
    pub(crate) async fn charge(&self, actor: &str, address: Address, cost: u64) -> Result<Option<Quota>, Overdrawn> {
        if self.rate == 0 {
            return Ok(None);
        }
        self.take([format!("{actor}@{address}"), address.to_string()], cost).await.map(Some)
    }

    /// Takes as much from the buckets of these names, of which the second holds several times as much, or nothing.
    pub(crate) async fn take(&self, keys: [String; 2], cost: u64) -> Result<Quota, Overdrawn> {
        let sizes = [self.rate, self.rate.saturating_mul(self.share)];
        let asked = sizes.map(|size| (size, cost.min(size)));
        let (outcome, place) = match &self.shared {
            Some(shared) => match shared.charge(&keys, asked, self.window).await {
                Some(outcome) => {
                    self.local.follow(&keys, sizes, outcome.left);
                    (outcome, "redis")
                }
                None => (self.local.charge(&keys, asked, self.window), "process"),
            },
            None => (self.local.charge(&keys, asked, self.window), "process"),
        };
        metrics::counter!("vigie_rate_checks_total", "buckets" => place).increment(1);
        let mut buckets = sizes.map(|size| Left { size, left: 0 });
        for (bucket, left) in buckets.iter_mut().zip(outcome.left) {
            bucket.left = left;
        }
        let quota = Quota { window: self.window, buckets, wait: outcome.wait };
        match outcome.wait {
            None => Ok(quota),
            Some(_) => Err(Overdrawn { exceeded: self.exceeded(&quota, cost), quota }),
        }
    }

    fn exceeded(&self, quota: &Quota, cost: u64) -> Exceeded {
        // The bucket that lacks more is the one to tell of.
        let short = quota.buckets.iter().find(|bucket| bucket.left < cost.min(bucket.size));
        let Left { size, left } = short.copied().unwrap_or(quota.buckets[0]);
        Limit::Rate.exceeded(size.saturating_sub(left).saturating_add(cost), size)
    }
}

/// A caller who has spent what may be spent.
#[derive(Debug)]
pub(crate) struct Overdrawn {
    pub(crate) exceeded: Exceeded,
    pub(crate) quota: Quota,
}

/// What came of a charge: what is left, and how long to wait if nothing was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Outcome {
    left: [u64; 2],
    wait: Option<Duration>,
}

impl Quota {
    /// Seconds, at least one, after which the same can be asked again.
    pub(crate) fn retry_after(&self) -> Option<u64> {
        self.wait.map(|wait| whole_seconds(wait).max(1))
    }

    /// `RateLimit-Policy`, `RateLimit` (draft-ietf-httpapi-ratelimit-headers-11, structured fields of RFC 9651) and, after
    /// a refusal, `Retry-After`.
    pub(crate) fn headers(&self) -> HeaderMap {
        let window = self.window.as_secs();
        let policies = self.members(|left| format!("q={};qu=\"cost\";w={window}", left.size));
        let state = self.members(|left| format!("r={};t={}", left.left, whole_seconds(self.until_full(left))));
        let mut headers = HeaderMap::new();
        let retry = self.retry_after().map(|retry| retry.to_string());
        let told = [
            (HeaderName::from_static("ratelimit-policy"), Some(policies)),
            (HeaderName::from_static("ratelimit"), Some(state)),
            (header::RETRY_AFTER, retry),
        ];
        for (name, value) in told {
            if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
                headers.insert(name, value);
            }
        }
        headers
    }

    fn members(&self, parameters: impl Fn(&Left) -> String) -> String {
        let members = POLICIES.iter().zip(&self.buckets);
        members.map(|(policy, left)| format!("\"{policy}\";{}", parameters(left))).collect::<Vec<_>>().join(", ")
    }

    fn until_full(&self, left: &Left) -> Duration {
        Bucket::time_for(left.size.saturating_sub(left.left), left.size, self.window)
    }
}

/// Seconds, rounded up.
fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests;
