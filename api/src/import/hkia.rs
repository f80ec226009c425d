//! The flight schedule of Hong Kong International Airport.
//!
//! Each batch is followed by what the feed confirmed with it; see [`vigie_integrations::feed_clock`] for why in this
//! order.

use std::io;

use chrono::{DateTime, Utc};
use vigie_commands::{Executor, Failure, Order};
use vigie_domain::airport::{Clock, FlightId, ObserveAnswer, ObserveFlight};
use vigie_domain::kernel::Refused;
use vigie_integrations::airport::hkia::{self, Aside, Feed, Item, Observation};
use vigie_integrations::feed_clock::FeedClock;

use super::{Fault, ImportError, Input, Outcome, SetAside, Sink, Source, Tally, Was, Work, side_by_side};

/// Who gives the commands.
pub const ACTOR: &str = "feed:hkia";
/// Its name, as `vigie import` is told it.
pub const FEED: &str = "hkia";

/// The captures of one airport.
#[derive(Debug)]
pub struct Hkia {
    /// How they are read.
    pub feed: Feed,
    /// What the feed has confirmed.
    pub clock: FeedClock,
}

impl Source for Hkia {
    type Item = Item;

    fn feed(&self) -> &'static str {
        FEED
    }

    fn reader(&self, input: Input) -> impl FnOnce(&mut Sink<'_, Item>) -> io::Result<()> + Send + 'static {
        let feed = self.feed.clone();
        move |each| {
            let mut sized = |item: Item| {
                let size = match &item {
                    Item::Row(row) => row.raw.len(),
                    Item::Aside(aside) => aside.raw.len(),
                };
                each(item, size)
            };
            input.open_rewindable().and_then(|text| hkia::read(text, &feed, &mut sized)).map(drop)
        }
    }

    async fn carry_out(
        &self,
        file: &str,
        items: Vec<Item>,
        work: &mut Work<'_>,
        tally: &mut Tally,
    ) -> Result<(), ImportError> {
        let mut rows = Vec::with_capacity(items.len());
        for item in items {
            match item {
                Item::Row(row) => rows.push(*row),
                Item::Aside(aside) => work.set_aside(tally, not_understood(file, aside))?,
            }
        }
        self.observe_all(file, &rows, work, tally).await
    }
}

impl Hkia {
    async fn observe_all(
        &self,
        file: &str,
        rows: &[Observation],
        work: &mut Work<'_>,
        tally: &mut Tally,
    ) -> Result<(), ImportError> {
        let flights: Vec<&FlightId> = rows.iter().map(|row| &row.flight).collect();
        let confirmed = self.clock.confirmed(&flights).await?;
        let (executor, orders) = (work.executor.clone(), work.orders(ACTOR, rows.len()));
        let carried_out = |index: usize| {
            let row = &rows[index];
            observe(&executor, orders[index].clone(), row, confirmed.get(&row.flight).copied())
        };
        let outcomes = side_by_side(rows, |row| row.flight.clone(), carried_out).await;
        let (mut confirmations, mut fault) = (Vec::new(), None);
        for (row, outcome) in rows.iter().zip(outcomes) {
            match outcome {
                Ok(Outcome::Taken(was, events)) => {
                    tally.take(was, events);
                    work.letters.took(&row.raw);
                    if was != Was::Stale {
                        confirmations.push((row.flight.clone(), row.observed_at));
                    }
                }
                Ok(Outcome::Refused { code, reason }) => {
                    work.set_aside(tally, refused(file, row, code, &reason))?;
                }
                Err(source) => {
                    let place = row.row.into();
                    fault.get_or_insert(ImportError::Fault { file: file.to_owned(), place, source });
                }
            }
        }
        // What was taken before a fault is in the log, so it is confirmed all the same.
        self.clock.confirm(&confirmations).await?;
        fault.map_or(Ok(()), Err)
    }
}

fn not_understood(file: &str, aside: Aside) -> SetAside {
    SetAside {
        file: file.to_owned(),
        place: aside.row.map(u64::from),
        pointer: aside.problem.pointer,
        reason: aside.problem.reason,
        row: aside.raw.into(),
    }
}

fn refused(file: &str, row: &Observation, code: &str, reason: &str) -> SetAside {
    SetAside {
        file: file.to_owned(),
        place: Some(row.row.into()),
        pointer: format!("/flights/{}", row.row - 1),
        reason: format!("{code}: {reason}"),
        row: row.raw.to_string(),
    }
}

async fn observe(
    executor: &Executor,
    order: Order,
    row: &Observation,
    confirmed_at: Option<DateTime<Utc>>,
) -> Result<Outcome, Fault> {
    let said = row.said.clone();
    let command = ObserveFlight {
        leg: said.leg,
        scheduled_at: said.scheduled_at,
        details: said.details,
        progress: said.progress,
        placement: said.placement,
        aircraft_type: None,
        clock: Clock { source: hkia::SOURCE.to_owned(), observed_at: row.observed_at },
        confirmed_at,
    };
    match executor.execute(&command, order).await {
        Ok(done) => {
            let was = match done.answer {
                ObserveAnswer::Registered => Was::New,
                ObserveAnswer::Changed { .. } => Was::Changed,
                ObserveAnswer::Unchanged => Was::Unchanged,
                ObserveAnswer::Stale => Was::Stale,
            };
            Ok(Outcome::Taken(was, done.appended))
        }
        Err(Failure::Refused(refusal)) => Ok(Outcome::Refused { code: refusal.code(), reason: refusal.to_string() }),
        Err(failure) => Err(Box::new(failure)),
    }
}
