//! Places in the log, as people name them.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;
use vigie_eventlog::{Log, LogError, Query, Read, Recorded};

use crate::clock;

/// Why a place cannot be found.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlaceError {
    /// No such event.
    #[error("there is no event {0}")]
    NoEvent(EventName),
    /// Nothing was recorded yet.
    #[error("nothing had been recorded at {0}; the log begins later")]
    BeforeTheLog(DateTime<Utc>),
    /// No such position.
    #[error("{asked} is not a position of the log, which goes from 1 to {head}")]
    OutOfRange {
        /// What was asked for.
        asked: i64,
        /// The last one.
        head: i64,
    },
    /// A time to come.
    #[error("what will be recorded until {0} is not known yet")]
    ToCome(DateTime<Utc>),
    /// The log failed.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The database failed.
    #[error("the event could not be looked up")]
    Database(#[from] sqlx::Error),
}

/// An event, by its position or its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventName {
    /// Its place in the log.
    Position(i64),
    /// Its id.
    Id(Uuid),
}

impl std::fmt::Display for EventName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Position(position) => write!(f, "at position {position}"),
            Self::Id(id) => write!(f, "{id}"),
        }
    }
}

impl FromStr for EventName {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match (text.parse::<i64>(), text.parse::<Uuid>()) {
            (Ok(position), _) if position > 0 => Ok(Self::Position(position)),
            (Err(_), Ok(id)) => Ok(Self::Id(id)),
            _ => Err("an event is named by its position (1, 2, 3, …) or its id"),
        }
    }
}

/// The end of something: a position, or the last event that was recorded by a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// This position.
    Position(i64),
    /// What the log held then.
    Time(DateTime<Utc>),
}

impl FromStr for Until {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match (text.parse(), DateTime::parse_from_rfc3339(text)) {
            (Ok(position), _) => Ok(Self::Position(position)),
            (Err(_), Ok(time)) => Ok(Self::Time(time.to_utc())),
            (Err(_), Err(_)) => Err("a position (1, 2, 3, …) or a time such as 2026-01-15T12:00:00Z"),
        }
    }
}

/// The event of this name.
pub(crate) async fn find_event(log: &Log, pool: &PgPool, name: EventName) -> Result<Recorded, PlaceError> {
    let position = match name {
        EventName::Position(position) => Some(position),
        EventName::Id(id) => {
            sqlx::query_scalar!("select position from event where id = $1", id).fetch_optional(pool).await?
        }
    };
    let Some(position) = position else { return Err(PlaceError::NoEvent(name)) };
    event_at(log, position).await?.ok_or(PlaceError::NoEvent(name))
}

/// The position until which something goes.
pub(crate) async fn position_until(log: &Log, until: Until) -> Result<i64, PlaceError> {
    let head = log.head().await?;
    let time = match until {
        Until::Position(position) if (1..=head).contains(&position) => return Ok(position),
        Until::Position(asked) => return Err(PlaceError::OutOfRange { asked, head }),
        Until::Time(time) if time > clock::now() => return Err(PlaceError::ToCome(time)),
        Until::Time(time) => time,
    };
    // Times do not go back along the log: everything up to `known` was recorded by then, nothing after `limit` was.
    let (mut known, mut limit) = (0, head);
    while known < limit {
        let middle = known + (limit - known + 1) / 2;
        match event_at(log, middle).await? {
            Some(event) if event.recorded_at <= time => known = middle,
            Some(_) | None => limit = middle - 1,
        }
    }
    if known == 0 { Err(PlaceError::BeforeTheLog(time)) } else { Ok(known) }
}

/// The same of a range: before the log begins that is 0, and of a time to come the last position.
pub(crate) async fn bounded(log: &Log, until: Until) -> Result<i64, PlaceError> {
    match position_until(log, until).await {
        Err(PlaceError::BeforeTheLog(_)) => Ok(0),
        Err(PlaceError::ToCome(_)) => Ok(log.head().await?),
        found => found,
    }
}

async fn event_at(log: &Log, position: i64) -> Result<Option<Recorded>, LogError> {
    Ok(log.read(&Query::all(), Read::after(position - 1).until(position).limit(1)).await?.pop())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_named_by_position_or_id() {
        assert_eq!("17".parse(), Ok(EventName::Position(17)));
        let id = Uuid::from_u128(7);
        assert_eq!(id.to_string().parse(), Ok(EventName::Id(id)));
        for text in ["", "0", "-1", "seventeen"] {
            assert!(text.parse::<EventName>().is_err(), "{text}");
        }
    }

    #[tokio::test]
    async fn an_end_lies_in_the_log() {
        let log = Log::open(vigie_eventlog::testing::database().await).await.unwrap();
        for asked in [-1, 0, 1, 99] {
            let refused = position_until(&log, Until::Position(asked)).await.unwrap_err();
            assert!(matches!(refused, PlaceError::OutOfRange { head: 0, .. }), "{refused}");
        }
        let tomorrow = clock::now() + chrono::Duration::days(1);
        let refused = position_until(&log, Until::Time(tomorrow)).await.unwrap_err();
        assert!(matches!(refused, PlaceError::ToCome(_)), "{refused}");
        for time in [tomorrow, clock::now() - chrono::Duration::days(1)] {
            assert_eq!(bounded(&log, Until::Time(time)).await.unwrap(), 0);
        }
        assert!(bounded(&log, Until::Position(1)).await.is_err(), "a position is one of the log");
        log.close().await;
    }

    #[test]
    fn an_end_is_a_position_or_a_time_with_its_zone() {
        assert_eq!("17".parse(), Ok(Until::Position(17)));
        let time: Until = "2026-01-15T13:00:00+01:00".parse().unwrap();
        assert_eq!(time, Until::Time("2026-01-15T12:00:00Z".parse().unwrap()));
        assert!("2026-01-15T13:00:00".parse::<Until>().is_err());
    }
}
