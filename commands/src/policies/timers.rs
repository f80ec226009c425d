//! Timers of policies: kept in the database, fired once they are due, by whichever process comes first.
//!
//! A timer is set in the transaction that moves its policy's checkpoint, so exactly once for each fact. Firing it gives a
//! command whose id follows from the fact, and then removes the timer: a crash in between gives the command again, which
//! repeats nothing. Whether the command still makes sense is decided by its own rule, when it is carried out.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::types::Json;
use sqlx::{PgConnection, PgPool};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use vigie_domain::policies::{Policy, Reaction, TimerChange, timer_command_id};
use vigie_eventlog::Recorded;

use super::react::{Fault, give_or_keep};
use crate::time::Time;
use crate::{Executor, Order, reason};

/// How long a timer that another process has set may go unnoticed, beyond its time.
const LOOK: TimeDelta = TimeDelta::seconds(1);
/// The first pause after a failure; it doubles up to [`LONGEST`].
const PAUSE: TimeDelta = TimeDelta::seconds(2);
const LONGEST: TimeDelta = TimeDelta::minutes(5);

/// What a fact does to a timer, with where it comes from.
pub(super) struct Setting {
    change: TimerChange,
    command_id: Uuid,
    event: Uuid,
    correlation_id: Uuid,
    traceparent: Option<String>,
}

impl Setting {
    /// The changes that a fact makes to the timers of a policy, in order.
    pub(super) fn all(policy: &dyn Policy, changes: Vec<TimerChange>, recorded: &Recorded) -> Vec<Self> {
        let setting = |(index, change)| Self {
            change,
            command_id: timer_command_id(policy.name(), recorded.id, index),
            event: recorded.id,
            correlation_id: recorded.metadata.correlation_id,
            traceparent: recorded.metadata.traceparent.clone(),
        };
        changes.into_iter().enumerate().map(setting).collect()
    }

    /// Writes it, within the transaction that moves the policy's checkpoint.
    pub(super) async fn write(&self, policy: &str, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        match &self.change {
            TimerChange::Cancel(key) => {
                sqlx::query!("delete from policy_timer where policy = $1 and key = $2", policy, key)
                    .execute(connection)
                    .await
            }
            TimerChange::Set(timer) => {
                sqlx::query!(
                    "insert into policy_timer (policy, key, due, next_try, command_id, reaction, event, correlation_id,
                                               traceparent)
                     values ($1, $2, $3, $3, $4, $5, $6, $7, $8)
                     on conflict (policy, key) do update
                     set due = excluded.due, next_try = excluded.due, command_id = excluded.command_id,
                         reaction = excluded.reaction, event = excluded.event,
                         correlation_id = excluded.correlation_id, traceparent = excluded.traceparent,
                         attempts = 0, error = null",
                    policy,
                    timer.key,
                    timer.due,
                    self.command_id,
                    Json(&timer.reaction) as _,
                    self.event,
                    self.correlation_id,
                    self.traceparent
                )
                .execute(connection)
                .await
            }
        }
        .map(drop)
    }
}

/// A timer that waits.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Waiting {
    /// The policy that has set it.
    pub policy: String,
    /// What it is about, such as `alert:…`.
    pub key: String,
    /// When it fires.
    pub due: DateTime<Utc>,
    /// The command that it gives.
    pub command: String,
    /// The fact that has set it.
    pub event: Uuid,
    /// How often it was tried and failed.
    pub attempts: i32,
    /// Why it failed last.
    pub error: Option<String>,
}

/// The timers that wait, those that are due first; of one policy, or of all.
///
/// # Errors
/// The database failed.
pub async fn waiting(pool: &PgPool, policy: Option<&str>, most: i64) -> Result<Vec<Waiting>, sqlx::Error> {
    sqlx::query_as!(
        Waiting,
        r#"select policy, key, due, reaction ->> 'command' as "command!", event, attempts, error
           from policy_timer where $1::text is null or policy = $1 order by next_try, policy, key limit $2"#,
        policy,
        most
    )
    .fetch_all(pool)
    .await
}

/// Fires timers.
pub(super) struct Timers {
    pub(super) executor: Executor,
    pub(super) pool: PgPool,
    pub(super) time: Time,
    /// Told when a timer was set here.
    pub(super) set: Arc<Notify>,
}

/// A timer that is due.
struct Due {
    policy: String,
    key: String,
    command_id: Uuid,
    reaction: Json<Box<serde_json::value::RawValue>>,
    event: Uuid,
    correlation_id: Uuid,
    traceparent: Option<String>,
    attempts: i32,
}

impl Timers {
    /// Fires what is due, until told to stop.
    pub(super) async fn run(self, stop: CancellationToken) {
        loop {
            let next = match self.fire_all(&stop).await {
                Ok(next) => next,
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "timers wait for the database");
                    None
                }
            };
            let look = self.time.now() + LOOK;
            let until = next.map_or(look, |next| next.min(look));
            tokio::select! {
                () = self.time.sleep_until(until) => {}
                // A clock that is moved by hand may stand still while another process sets a timer.
                () = tokio::time::sleep(LOOK.to_std().unwrap_or_default()) => {}
                () = self.set.notified() => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Fires one after the other until none is due; when the next one is.
    async fn fire_all(&self, stop: &CancellationToken) -> Result<Option<DateTime<Utc>>, sqlx::Error> {
        while !stop.is_cancelled() && self.fire_one().await? {}
        sqlx::query_scalar!("select min(next_try) from policy_timer").fetch_one(&self.pool).await
    }

    /// Fires the first that is due and that nobody else is at; false if there is none. Its row is held meanwhile, so that
    /// no other process is at it; a policy that is switched off keeps its timers.
    async fn fire_one(&self) -> Result<bool, sqlx::Error> {
        let now = self.time.now();
        let mut transaction = self.pool.begin().await?;
        let due = sqlx::query_as!(
            Due,
            r#"select t.policy, t.key, t.command_id, t.reaction as "reaction: _", t.event, t.correlation_id,
                      t.traceparent, t.attempts
               from policy_timer t join policy_checkpoint c on c.name = t.policy
               where t.next_try <= $1 and not c.off
               order by t.next_try limit 1 for update of t skip locked"#,
            now
        );
        let Some(due) = due.fetch_optional(&mut *transaction).await? else { return Ok(false) };
        match self.give(&due).await {
            Ok(()) => {
                sqlx::query!("delete from policy_timer where policy = $1 and key = $2", due.policy, due.key)
                    .execute(&mut *transaction)
                    .await?;
            }
            Err(fault) => {
                let error = reason(fault.as_ref());
                tracing::warn!(policy.name = due.policy, timer.key = due.key, error, "a timer's command failed");
                sqlx::query!(
                    "update policy_timer set attempts = attempts + 1, error = $3, next_try = $4
                     where policy = $1 and key = $2",
                    due.policy,
                    due.key,
                    error,
                    now + pause(due.attempts)
                )
                .execute(&mut *transaction)
                .await?;
            }
        }
        transaction.commit().await?;
        Ok(true)
    }

    async fn give(&self, due: &Due) -> Result<(), Fault> {
        let reaction: Reaction = serde_json::from_str(due.reaction.get())?;
        let order = Order {
            command_id: due.command_id,
            actor: format!("policy:{}", due.policy),
            correlation_id: Some(due.correlation_id),
            causation_id: Some(due.event),
            traceparent: due.traceparent.clone(),
            exact: false,
        };
        give_or_keep(&due.policy, &self.executor, &self.pool, &reaction, order).await
    }
}

fn pause(attempts: i32) -> TimeDelta {
    let doubled = 1_i32.checked_shl(attempts.clamp(0, 20).unsigned_abs()).unwrap_or(i32::MAX);
    (PAUSE * doubled).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        assert_eq!([0, 1, 3, 50].map(pause), [PAUSE, PAUSE * 2, PAUSE * 8, LONGEST]);
    }
}
