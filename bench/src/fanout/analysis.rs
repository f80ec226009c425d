//! What the subscribers were told, beside what was written.

use std::time::Duration;

use hdrhistogram::Histogram;

use super::server::Commit;
use super::subscriber::Told;
use super::watched::Watched;
use crate::Outcome;
use crate::closed_loop::histogram;

/// How it went.
pub(super) struct Seen {
    /// From asking for the append to the subscriber, in microseconds: of what was written after the warm-up.
    pub(super) latencies: Histogram<u64>,
    /// Changes that were told in all, and in how many items: several changes of a row may come as one.
    pub(super) told: u64,
    pub(super) items: u64,
    /// Changes that a subscriber was never told.
    pub(super) lost: u64,
}

impl Seen {
    /// Compares, subscriber by subscriber.
    pub(super) fn of(told: &[Vec<Told>], commits: &[Commit], watched: Watched, warm_up: Duration) -> Outcome<Self> {
        let mut seen = Self { latencies: histogram(), told: 0, items: 0, lost: 0 };
        let counted = commits.first().map_or(0, |first| first.at) + i64::try_from(warm_up.as_micros())?;
        let mut of_row: Vec<Vec<&Commit>> = Vec::new();
        for commit in commits {
            if of_row.len() <= commit.row {
                of_row.resize_with(commit.row + 1, Vec::new);
            }
            of_row[commit.row].push(commit);
        }
        for (subscriber, told) in told.iter().enumerate() {
            if let Some(pair) = told.windows(2).find(|pair| pair[1].position < pair[0].position) {
                return Err(format!(
                    "subscriber {subscriber} was told of {} after {}",
                    pair[1].position, pair[0].position
                )
                .into());
            }
            let row = if watched.sees(subscriber, subscriber) { subscriber } else { 0 };
            seen.compare(told, of_row.get(row).map_or(&[][..], |commits| commits), counted);
        }
        Ok(seen)
    }

    fn compare(&mut self, told: &[Told], commits: &[&Commit], counted: i64) {
        let mut items = told.iter().peekable();
        for commit in commits {
            while items.next_if(|item| item.position < commit.position).is_some() {}
            let Some(item) = items.peek() else {
                self.lost += 1;
                continue;
            };
            self.told += 1;
            if commit.at >= counted {
                self.latencies.saturating_record(u64::try_from(item.at - commit.at).unwrap_or(0));
            }
        }
        self.items += told.len() as u64;
    }
}
