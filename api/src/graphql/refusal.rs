//! Refusals: the rule that was broken, in words, as a code, and with what is needed to act.
//!
//! Each family of rules has a type of its own; all implement the interface `Refusal`. What a refusal carries is taken
//! from its stored form by name, so a field is null for the rules of the family that it says nothing about.

use async_graphql::{ID, Interface, SimpleObject};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;
use vigie_domain::kernel::Refused;

/// A refusal before it has a type.
pub(super) struct Told {
    code: &'static str,
    message: String,
    details: Value,
}

impl Told {
    pub(super) fn of(refusal: &impl Refused) -> Self {
        Self { code: refusal.code(), message: refusal.to_string(), details: refusal.details() }
    }

    /// A rule about what stands beside the log.
    pub(super) fn beside(code: &'static str, message: String, details: Value) -> Self {
        Self { code, message, details }
    }

    fn field<T: serde::de::DeserializeOwned>(&self, name: &str) -> Option<T> {
        self.details.get(name).and_then(|value| serde_json::from_value(value.clone()).ok())
    }
}

/// A time from a moment on, up to another if that is known.
#[derive(Debug, Clone, Copy, Deserialize, SimpleObject)]
pub(crate) struct Interval {
    /// First moment inside.
    from: DateTime<Utc>,
    /// First moment after it.
    to: Option<DateTime<Utc>>,
}

/// A reading of a pass.
#[derive(Debug, Clone, Deserialize, SimpleObject)]
pub(crate) struct SpringName {
    /// Place of the car in the train, from 1.
    car: i32,
    /// Place of the spring in the car.
    spring: String,
    /// What was measured.
    quantity: String,
}

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $type:ty,)* })*) => {
        $($(#[$doc])*
        #[derive(Debug, Clone, SimpleObject)]
        pub(crate) struct $name {
            /// The rule, in upper snake case.
            code: String,
            /// The rule, in words.
            message: String,
            $($(#[$fdoc])* $field: Option<$type>,)*
        }

        impl From<Told> for $name {
            fn from(told: Told) -> Self {
                Self { $($field: told.field(stringify!($field)),)* code: told.code.to_owned(), message: told.message }
            }
        })*

        /// A rule that forbids a command.
        #[derive(Debug, Interface)]
        #[graphql(
            field(name = "code", ty = "&String", desc = "The rule, in upper snake case."),
            field(name = "message", ty = "&String", desc = "The rule, in words.")
        )]
        #[expect(clippy::enum_variant_names, reason = "named after their types")]
        pub(crate) enum Refusal {
            $($name($name),)*
        }
    };
}

refusals! {
    /// The site is not what the command needs.
    SiteRefusal {
        /// The site.
        site: ID,
    }
    /// A value that no rule allows.
    ValueRefusal {
        /// The time.
        at: DateTime<Utc>,
        /// The interval.
        interval: Interval,
        /// The text.
        text: String,
        /// What would be right.
        rule: String,
        /// The most minutes, limits or whatever is counted.
        max: i64,
        /// The longest stay in days.
        max_days: i64,
        /// The quantity.
        quantity: String,
    }
    /// A stand that cannot take the aircraft.
    StandRefusal {
        /// The stand.
        stand: ID,
        /// The largest code letter that it takes.
        takes: String,
        /// The code letter that is needed.
        needs: String,
        /// When it is closed or held.
        interval: Interval,
        /// Who holds it.
        flight: ID,
        /// The allocation that holds it.
        allocation: ID,
        /// Minutes that stay free between two stays.
        buffer_minutes: i32,
    }
    /// A flight to which this cannot happen.
    FlightRefusal {
        /// The flight.
        flight: ID,
        /// When it departed.
        at: DateTime<Utc>,
        /// The stand that it holds.
        stand: ID,
        /// The allocation that it holds.
        allocation: ID,
        /// The stay.
        interval: Interval,
        /// Its aircraft type.
        aircraft_type: String,
        /// The type's wingspan.
        wingspan_cm: i32,
    }
    /// An allocation to which this cannot happen.
    AllocationRefusal {
        /// The allocation.
        allocation: ID,
        /// When the aircraft left.
        off_block_at: DateTime<Utc>,
        /// The earliest time that would do.
        earliest: DateTime<Utc>,
        /// The latest time that would do.
        latest: DateTime<Utc>,
        /// The stands that were looked at.
        candidates: Vec<super::airport::Candidate>,
    }
    /// Two flights that are no turnaround.
    TurnaroundRefusal {
        /// The arriving flight, or the allocation that it holds.
        arrival: ID,
        /// The departing flight, or the allocation that it holds.
        departure: ID,
        /// The flight that does not fit.
        flight: ID,
        /// The flight that it turns around with already.
        with: ID,
        /// When the arrival is scheduled.
        arrival_at: DateTime<Utc>,
        /// When the departure is scheduled.
        departure_at: DateTime<Utc>,
    }
    /// An alert to which this cannot happen.
    AlertRefusal {
        /// The alert.
        alert: ID,
        /// When it was resolved, by whom and why.
        resolved: Earlier,
    }
    /// A read model or policy to which this cannot be done.
    ProjectionRefusal {
        /// The read model or policy.
        projection: String,
        /// Those that there are.
        known: Vec<String>,
        /// The event that has stopped it.
        stopped_at: i64,
        /// The event or position as given.
        position: i64,
        /// The first position that would do.
        first: i64,
        /// The last position that would do.
        last: i64,
        /// Who has paused it, or asked for its rebuild.
        by: String,
    }
    /// A user, key or session with which this cannot be done.
    AccountRefusal {
        /// The user.
        user: ID,
        /// The key.
        key: ID,
        /// The session.
        session: ID,
        /// The site.
        site: ID,
        /// The name that somebody else has.
        username: String,
        /// The most days that a key may work.
        days: i64,
        /// Seconds after which it can be tried again.
        retry: i64,
    }
    /// A job to which this cannot be done.
    JobRefusal {
        /// The job.
        job: String,
        /// Those that there are.
        known: Vec<String>,
        /// Since when a run waits.
        since: DateTime<Utc>,
    }
    /// A dead letter with which this cannot be done.
    DeadLetterRefusal {
        /// The letter.
        letter: ID,
        /// What became of it: done or discarded.
        state: String,
        /// Who has closed it.
        by: String,
        /// What would do it: a command for the command line.
        how: String,
    }
    /// A webhook endpoint with which this cannot be done.
    WebhookRefusal {
        /// The endpoint.
        endpoint: ID,
        /// The site.
        site: ID,
        /// The pattern of types that fits none.
        pattern: String,
        /// The most of whatever is counted.
        most: i64,
        /// The most minutes.
        minutes: i64,
    }
    /// A pass that cannot be confirmed.
    PassRefusal {
        /// The pass.
        pass: ID,
        /// The number of cars that the camera system has declared.
        declared: i32,
        /// The number of cars that were measured.
        measured: i32,
        /// The cars that were not, as far as is known.
        missing: Vec<i32>,
        /// Readings whose alerts are about to be raised.
        springs: Vec<SpringName>,
        /// Alerts that nobody has acknowledged.
        alerts: Vec<ID>,
    }
}

/// Who did the same before, when, and what was written beside it.
#[derive(Debug, Clone, Deserialize, SimpleObject)]
pub(crate) struct Earlier {
    /// The event.
    position: i64,
    /// When the log recorded it.
    at: DateTime<Utc>,
    /// Who or what did it.
    by: String,
    /// What was written beside it.
    note: String,
}

impl From<vigie_domain::kernel::Earlier> for Earlier {
    fn from(earlier: vigie_domain::kernel::Earlier) -> Self {
        Self { position: earlier.position, at: earlier.at, by: earlier.by, note: earlier.note.into() }
    }
}

/// The result of a mutation: `Name = Payload | refusals`.
macro_rules! results {
    ($($(#[$doc:meta])* $name:ident = $payload:ident, $family:ident [$($refusal:ident),*];)*) => {$(
        $(#[$doc])*
        #[derive(async_graphql::Union)]
        pub(crate) enum $name {
            /// Carried out.
            Done($payload),
            $($refusal($refusal),)*
        }

        impl From<$family> for $name {
            fn from(refused: $family) -> Self {
                match refused { $($family::$refusal(told) => Self::$refusal(told.into()),)* }
            }
        }
    )*};
}
pub(super) use results;
