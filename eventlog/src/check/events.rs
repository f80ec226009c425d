//! Event by event, in order.

use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;
use sqlx::PgConnection;

use super::commands::Runs;
use super::{Checked, Part, Progress, Readable};
use crate::Recorded;
use crate::read::between;

/// How often progress is told, in events.
const STEP: i64 = 1_000;

/// A walk along the log.
pub(super) struct Walk {
    position: i64,
    recorded_at: DateTime<Utc>,
}

impl Walk {
    pub(super) fn new() -> Self {
        Self { position: 0, recorded_at: DateTime::<Utc>::MIN_UTC }
    }

    /// Goes on at the beginning of a part.
    pub(super) fn enter(&mut self, (after, _): Part) {
        self.position = after;
    }

    /// What is missing up to the end of it.
    pub(super) fn leave(&self, (_, until): Part, checked: &mut Checked) {
        self.gap(until + 1, checked);
    }

    /// Looks at the events in `(after, until]`.
    pub(super) async fn stretch(
        &mut self,
        snapshot: &mut PgConnection,
        (after, until): Part,
        checked: &mut Checked,
        readable: Readable<'_>,
        runs: &mut Runs,
        progress: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<(), sqlx::Error> {
        {
            let mut events = std::pin::pin!(between(&mut *snapshot, after, until));
            loop {
                match events.try_next().await {
                    Ok(Some(event)) => self.look(&event, checked, readable, runs),
                    Ok(None) => break,
                    Err(error) if is_about_a_row(&error) => self.skip(&error, checked),
                    Err(error) => return Err(error),
                }
                if self.position % STEP == 0 {
                    progress(Progress::Events(self.position));
                }
            }
        }
        progress(Progress::Events(until));
        runs.compare(snapshot, checked).await
    }

    fn look(&mut self, event: &Recorded, checked: &mut Checked, readable: Readable<'_>, runs: &mut Runs) {
        self.gap(event.position, checked);
        checked.events += 1;
        let at = event.position;
        if event.recorded_at < self.recorded_at {
            let (now, before) = (event.recorded_at, self.recorded_at);
            checked.find(at, format!("recorded at {now}, before the event ahead of it ({before})"));
        }
        let mut tags: Vec<&String> = event.tags.iter().collect();
        tags.sort_unstable();
        if let Some(twice) = tags.windows(2).find(|pair| pair[0] == pair[1]) {
            checked.find(at, format!("it carries the tag {} twice", twice[0]));
        }
        if let Err(problem) = readable(event) {
            checked.find(at, problem);
        }
        runs.take(event, checked);
        (self.position, self.recorded_at) = (at, event.recorded_at);
    }

    /// What is missing before `next`.
    fn gap(&self, next: i64, checked: &mut Checked) {
        match next - 1 - self.position {
            0 => {}
            1 => checked.find(next - 1, "there is no event"),
            _ => checked.find(self.position + 1, format!("there are no events up to position {}", next - 1)),
        }
    }

    /// A row that is no event at all.
    fn skip(&mut self, error: &sqlx::Error, checked: &mut Checked) {
        self.position += 1;
        checked.events += 1;
        checked.find(self.position, format!("the row is not that of an event: {error}"));
    }
}

fn is_about_a_row(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_))
}
