//! When a source last confirmed a flight.
//!
//! Reports of a flight are ordered by the source's clock. A report that changes something is an event, which carries
//! that clock; one that changes nothing appends nothing, and the log does not know that it came. Yet it counts: a
//! report from before it must not undo what it confirmed. So the newest time at which a source confirmed a flight is
//! kept here, beside the log.
//!
//! The events of a batch are appended before its confirmations are written. A crash in between loses confirmations
//! only, and importing the same files again restores them: their reports are found unchanged, and confirm.
//!
//! One import of a source at a site runs at a time, held apart by an advisory lock on a connection of its own, which
//! goes with the connection: a crashed import leaves no lock behind.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use sqlx::{Connection, PgConnection, PgPool};
use vigie_domain::airport::FlightId;
use vigie_domain::support::SiteId;

/// The confirmations could not be read or written, or the lock not be had.
#[derive(Debug, thiserror::Error)]
#[error("{attempt}")]
pub struct FeedClockError {
    attempt: &'static str,
    source: sqlx::Error,
}

fn failed(attempt: &'static str) -> impl FnOnce(sqlx::Error) -> FeedClockError {
    move |source| FeedClockError { attempt, source }
}

/// What one source has confirmed at one site.
#[derive(Debug, Clone)]
pub struct FeedClock {
    pool: PgPool,
    site: SiteId,
    source: String,
}

/// The right to import; given back when dropped.
#[derive(Debug)]
pub struct Turn {
    connection: PgConnection,
}

impl Turn {
    /// Gives the right back and waits until that is done.
    pub async fn end(self) {
        // The server frees the lock when the connection goes, whether it is told or not.
        let _ = self.connection.close().await;
    }
}

impl FeedClock {
    /// The confirmations of `source` at `site`.
    #[must_use]
    pub fn new(pool: PgPool, site: SiteId, source: &str) -> Self {
        Self { pool, site, source: source.to_owned() }
    }

    /// Waits for the right to import; `waiting` is called once if another import holds it.
    ///
    /// # Errors
    /// The database failed.
    pub async fn turn(&self, waiting: impl FnOnce()) -> Result<Turn, FeedClockError> {
        let attempt = "taking the lock of the feed";
        let mut connection = self.pool.acquire().await.map_err(failed(attempt))?.detach();
        let name = format!("vigie.import.{}.{}", self.site, self.source);
        let free = sqlx::query_scalar!(r#"select pg_try_advisory_lock(hashtextextended($1, 0)) as "free!""#, name)
            .fetch_one(&mut connection)
            .await
            .map_err(failed(attempt))?;
        if !free {
            waiting();
            sqlx::query!("select pg_advisory_lock(hashtextextended($1, 0))", name)
                .execute(&mut connection)
                .await
                .map_err(failed(attempt))?;
        }
        Ok(Turn { connection })
    }

    /// When the source last confirmed each of these flights; flights that it never confirmed are left out.
    ///
    /// # Errors
    /// The database failed.
    pub async fn confirmed(&self, flights: &[&FlightId]) -> Result<HashMap<FlightId, DateTime<Utc>>, FeedClockError> {
        let wanted: Vec<String> = flights.iter().map(|flight| flight.as_str().to_owned()).collect();
        let rows = sqlx::query!(
            "select flight, observed_at from feed_clock where site = $1 and source = $2 and flight = any($3)",
            self.site.as_str(),
            self.source,
            &wanted,
        )
        .fetch_all(&self.pool)
        .await
        .map_err(failed("reading what the feed confirmed"))?;
        let known = |flight: &str| FlightId::new(flight).ok();
        Ok(rows.into_iter().filter_map(|row| Some((known(&row.flight)?, row.observed_at))).collect())
    }

    /// The source confirmed each of these flights; an older time than the one known changes nothing.
    ///
    /// # Errors
    /// The database failed.
    pub async fn confirm(&self, flights: &[(FlightId, DateTime<Utc>)]) -> Result<(), FeedClockError> {
        // In one order everywhere, and each once: two writers of the same rows cannot wait for each other.
        let mut newest: BTreeMap<&str, DateTime<Utc>> = BTreeMap::new();
        for (flight, at) in flights {
            newest.entry(flight.as_str()).and_modify(|known| *known = (*known).max(*at)).or_insert(*at);
        }
        let (names, times): (Vec<String>, Vec<DateTime<Utc>>) =
            newest.into_iter().map(|(flight, at)| (flight.to_owned(), at)).unzip();
        sqlx::query!(
            "insert into feed_clock (site, source, flight, observed_at)
             select $1, $2, flight, observed_at from unnest($3::text[], $4::timestamptz[]) as t (flight, observed_at)
             on conflict on constraint feed_clock_pk do update set observed_at = excluded.observed_at
             where feed_clock.observed_at < excluded.observed_at",
            self.site.as_str(),
            self.source,
            &names,
            &times,
        )
        .execute(&self.pool)
        .await
        .map_err(failed("writing what the feed confirmed"))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn clock(source: &str, pool: &PgPool) -> FeedClock {
        FeedClock::new(pool.clone(), SiteId::new("HKG").unwrap(), source)
    }

    #[tokio::test]
    async fn the_newest_confirmation_stays() {
        let pool = vigie_eventlog::testing::database().await;
        let flight = FlightId::new("HKG/CX636/2025-12-20/A/SIN").unwrap();
        let (hkia, other) = (clock("hkia", &pool), clock("other", &pool));
        let (early, late) = (at("2026-01-15T12:00:00Z"), at("2026-01-15T16:00:00Z"));
        hkia.confirm(&[(flight.clone(), late), (flight.clone(), early)]).await.unwrap();
        hkia.confirm(&[(flight.clone(), early)]).await.unwrap();
        assert_eq!(hkia.confirmed(&[&flight]).await.unwrap().get(&flight), Some(&late));
        assert!(other.confirmed(&[&flight]).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_second_import_waits_for_the_first() {
        let pool = vigie_eventlog::testing::database().await;
        let hkia = clock("hkia", &pool);
        let first = hkia.turn(|| panic!("nobody else imports")).await.unwrap();
        clock("other", &pool).turn(|| panic!("another source is free")).await.unwrap().end().await;
        let (said, told) = tokio::sync::oneshot::channel();
        let second = tokio::spawn(async move { hkia.turn(|| said.send(()).unwrap()).await.unwrap().end().await });
        told.await.unwrap();
        assert!(!second.is_finished());
        first.end().await;
        second.await.unwrap();
    }
}
