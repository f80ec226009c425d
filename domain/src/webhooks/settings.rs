//! What an endpoint is like: where to, what, in which order, how fast, and what happens when it does not go through.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{EndpointUrl, Filter, SecretId, TagKind};
use crate::kernel::{IdError, Note, text_id};

/// The most headers that an endpoint adds.
pub const MAX_HEADERS: usize = 20;

/// Where deliveries go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Target {
    /// The URL without its query.
    pub url: EndpointUrl,
    /// The query, if there is one: kept encrypted beside the log.
    pub query: Option<SecretId>,
}

/// The headers that each request carries besides those of every delivery.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Headers {
    /// Their names, each once.
    pub names: Vec<HeaderName>,
    /// Their values, if there are any: kept encrypted beside the log.
    pub values: Option<SecretId>,
}

/// What becomes of a delivery that has failed as often as it may.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnExhaustion {
    /// It is tried again at the last interval, and later ones of the same key wait for it.
    Hold,
    /// It is set aside where a person can see it, and later ones of the same key go on.
    #[default]
    SetAside,
}

impl OnExhaustion {
    /// The stored name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::SetAside => "set_aside",
        }
    }
}

/// What an endpoint is like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EndpointSettings {
    /// What it is for, in words.
    pub description: Note,
    /// Where to.
    pub target: Target,
    /// Which events.
    pub filter: Filter,
    /// The kind of tag whose events are delivered in the order of the log; null is no order.
    pub ordering: Option<TagKind>,
    /// What becomes of a delivery that has failed as often as it may.
    pub on_exhaustion: OnExhaustion,
    /// The most requests per second; null is no limit.
    pub rate: Option<Rate>,
    /// How long a request may take.
    pub timeout: Timeout,
    /// The waits after each failed attempt, in seconds; null is the usual ones.
    pub retries: Option<RetrySchedule>,
    /// Headers.
    pub headers: Headers,
}

/// A number within bounds, checked when it is made.
macro_rules! bounded {
    ($($(#[$doc:meta])* $name:ident($number:ty) in $min:literal..=$max:literal, $kind:literal, $rule:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "i64", into = "i64")]
        pub struct $name($number);

        impl $name {
            /// Checks a number.
            ///
            /// # Errors
            /// It is out of bounds.
            pub fn new(number: i64) -> Result<Self, IdError> {
                let bounded = <$number>::try_from(number).ok().filter(|number| ($min..=$max).contains(number));
                bounded.map(Self).ok_or_else(|| IdError::new($kind, &number.to_string(), $rule))
            }

            /// The number.
            #[must_use]
            pub fn get(self) -> $number { self.0 }
        }

        impl TryFrom<i64> for $name {
            type Error = IdError;
            fn try_from(number: i64) -> Result<Self, IdError> { Self::new(number) }
        }

        impl From<$name> for i64 {
            fn from(number: $name) -> Self { number.0.into() }
        }
    )*};
}

bounded! {
    /// The most requests per second, from 1 to 1,000.
    Rate(u16) in 1..=1_000, "rate", "1 to 1,000 requests per second";
    /// How long a request may take, in seconds: from 15 to 30.
    Timeout(u8) in 15..=30, "timeout", "15 to 30 seconds";
}

impl Default for Timeout {
    fn default() -> Self {
        Self(15)
    }
}

/// The wait after each failed attempt, in seconds: after the first, the second, and so on. There is one attempt more than
/// waits. 0 counts as 1: nobody is sent to as fast as it can be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Vec<u32>", into = "Vec<u32>")]
pub struct RetrySchedule(Vec<u32>);

impl RetrySchedule {
    /// The most waits.
    pub const MOST: usize = 20;
    /// The longest wait, in seconds: 7 days.
    pub const LONGEST: u32 = 7 * 24 * 3_600;

    /// Checks the waits.
    ///
    /// # Errors
    /// None, too many, or one that is too short or too long.
    pub fn new<T: Into<i64>>(waits: impl IntoIterator<Item = T>) -> Result<Self, IdError> {
        let waits: Vec<i64> = waits.into_iter().map(Into::into).collect();
        let bounded = |wait: &i64| u32::try_from(*wait).ok().filter(|wait| (1..=Self::LONGEST).contains(wait));
        let checked = waits.iter().map(bounded).collect::<Option<Vec<u32>>>();
        let rule = "1 to 20 waits, each of 1 to 604800 seconds (7 days)";
        let checked = checked.filter(|checked| (1..=Self::MOST).contains(&checked.len()));
        checked.map(Self).ok_or_else(|| IdError::new("retry schedule", &format!("{waits:?}"), rule))
    }

    /// The waits, in seconds. One of 0, which is made no more, counts as 1.
    #[must_use]
    pub fn waits(&self) -> &[u32] {
        &self.0
    }
}

/// As it is stored.
impl TryFrom<Vec<u32>> for RetrySchedule {
    type Error = IdError;
    fn try_from(waits: Vec<u32>) -> Result<Self, IdError> {
        Self::new(waits.iter().map(|wait| *wait.max(&1)))?;
        Ok(Self(waits))
    }
}

impl From<RetrySchedule> for Vec<u32> {
    fn from(schedule: RetrySchedule) -> Self {
        schedule.0
    }
}

text_id!(
    /// The name of a header that an endpoint adds, in lower case. Those that carry the delivery itself are not its own.
    HeaderName,
    "name of a header",
    "lower-case letters, digits and hyphens, at most 64, and none that the delivery itself carries: host, user-agent, \
     connection, te, trailer, upgrade, expect, transfer-encoding, keep-alive, accept-encoding, cookie, \
     or one that begins with content-, proxy-, sec- or webhook-",
    |text| {
        let letters = text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        let taken = OURS.contains(&text) || OUR_BEGINNINGS.iter().any(|beginning| text.starts_with(beginning));
        (1..=64).contains(&text.len()) && letters && !taken
    }
);

const OURS: &[&str] = &[
    "accept-encoding",
    "connection",
    "cookie",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];
const OUR_BEGINNINGS: &[&str] = &["content-", "proxy-", "sec-", "webhook-"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_checked_when_they_are_made_and_when_they_are_read() {
        assert!([0, 1_001, -1, 70_000].iter().all(|number| Rate::new(*number).is_err()));
        assert!([14, 31, 271].iter().all(|number| Timeout::new(*number).is_err()));
        assert_eq!(serde_json::from_str::<Timeout>("30").unwrap().get(), 30);
        assert!(serde_json::from_str::<Timeout>("31").is_err());
        assert_eq!(Rate::new(1_000).unwrap().get(), 1_000);
    }

    #[test]
    fn a_schedule_has_waits_and_an_end() {
        assert!(RetrySchedule::new::<u32>([]).is_err());
        assert!(RetrySchedule::new([1; 21]).is_err());
        assert!(RetrySchedule::new([RetrySchedule::LONGEST + 1]).is_err());
        assert_eq!(RetrySchedule::new([1, 5, RetrySchedule::LONGEST]).unwrap().waits().len(), 3);
    }

    #[test]
    fn a_wait_of_nothing_is_read_but_not_made() {
        assert!(RetrySchedule::new([5, 0]).is_err() && RetrySchedule::new([-1]).is_err());
        assert_eq!(serde_json::from_str::<RetrySchedule>("[5, 0]").unwrap().waits(), [5, 0]);
    }

    #[test]
    fn headers_that_the_delivery_carries_are_not_an_endpoints_own() {
        for good in ["authorization", "x-api-key", "x-1"] {
            assert!(HeaderName::new(good).is_ok(), "{good}");
        }
        for bad in ["", "Authorization", "x api", "x:y", "host", "content-length", "webhook-signature", "x\r\ny"] {
            assert!(HeaderName::new(bad).is_err(), "{bad:?}");
        }
    }
}
