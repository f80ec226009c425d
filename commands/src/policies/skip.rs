//! Events that a policy leaves out, as people have decided and the log says.

use std::collections::HashSet;

use sqlx::{PgPool, Postgres, Transaction};
use vigie_domain::Event;
use vigie_domain::support::{SupportEvent, names};
use vigie_eventlog::{Criterion, Log, Query, Read};

use super::Halt;

/// The positions that the policy leaves out of what comes after `after`. An event is skipped after it has happened, so
/// that looking at the log from there on is enough.
pub(super) async fn skips_after(log: &Log, policy: &str, mut after: i64) -> Result<HashSet<i64>, Halt> {
    let kinds = vec![names::EVENT_SKIPPED.to_owned()];
    let query = Query { criteria: vec![Criterion { kinds, tags: vec![format!("projection:{policy}")] }] };
    let mut skips = HashSet::new();
    loop {
        let events = log.read(&query, Read::after(after)).await?;
        for event in &events {
            match Event::decode(&event.kind, event.version, event.data.get()) {
                Ok(Event::Support(SupportEvent::EventSkipped(skipped))) => skips.extend([skipped.position]),
                Ok(_) => {}
                Err(source) => return Err(Halt::Event { position: event.position, source: Box::new(source) }),
            }
        }
        match events.last() {
            Some(last) if events.len() == Read::PAGE as usize => after = last.position,
            _ => return Ok(skips),
        }
    }
}

/// A policy that nobody moves until this is let go: for deciding on what stops it.
pub struct Held {
    stopped_at: Option<i64>,
    transaction: Transaction<'static, Postgres>,
}

/// Holds a policy still where it is.
///
/// # Errors
/// The database failed.
pub async fn hold(pool: &PgPool, name: &str) -> Result<Held, sqlx::Error> {
    let mut transaction = pool.begin().await?;
    let stopped_at =
        sqlx::query_scalar!("select error_position from policy_checkpoint where name = $1 for update", name)
            .fetch_optional(&mut *transaction)
            .await?
            .flatten();
    Ok(Held { stopped_at, transaction })
}

impl Held {
    /// The event that has stopped it.
    #[must_use]
    pub fn stopped_at(&self) -> Option<i64> {
        self.stopped_at
    }

    /// Lets it go: it tries again by itself.
    ///
    /// # Errors
    /// The database failed; it is let go all the same.
    pub async fn release(self) -> Result<(), sqlx::Error> {
        self.transaction.commit().await
    }
}
