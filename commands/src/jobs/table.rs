//! What the owner of the jobs reads and writes, all over the connection that holds its lock.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use sqlx::{Connection, PgConnection};

use super::{Counts, Job, Missed};

/// Takes the lock, which is the connection's; `false` when another process has it.
pub(super) async fn lock(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(r#"select pg_try_advisory_lock(hashtextextended('jobs', 0)) as "owned!""#)
        .fetch_one(connection)
        .await
}

/// Puts the job down, due at `next` if it is new or its schedule has changed, and fences other owners off; the fence.
pub(super) async fn register(
    connection: &mut PgConnection,
    job: &Job,
    zone: Tz,
    next: DateTime<Utc>,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        "insert into job (name, schedule, zone, next_at, about, missed) values ($1, $2, $3, $4, $5, $6)
         on conflict (name) do update
         set fence = job.fence + 1, about = excluded.about, missed = excluded.missed, schedule = excluded.schedule, zone = excluded.zone,
             next_at = case when (job.schedule, job.zone) = (excluded.schedule, excluded.zone) then job.next_at
                            else excluded.next_at end
         returning fence",
        job.name,
        job.schedule.to_string(),
        zone.name(),
        next,
        job.about,
        job.missed as Missed
    )
    .fetch_one(connection)
    .await
}

/// A run that has died with its process.
pub(super) struct Dead {
    pub(super) id: i64,
    pub(super) job: String,
    scheduled_for: DateTime<Utc>,
    missed: i64,
    /// How many runs for the same due time have died, this one included.
    pub(super) deaths: i64,
}

/// Marks what `owner`, or anybody, has left running.
pub(super) async fn bury(
    connection: &mut PgConnection,
    owner: Option<&str>,
    now: DateTime<Utc>,
    error: &str,
) -> Result<Vec<Dead>, sqlx::Error> {
    sqlx::query_as!(
        Dead,
        r#"update job_run r set state = 'died', ended_at = $2, error = $3
           where state = 'running' and ($1::text is null or owner = $1)
           returning id, job, scheduled_for, missed,
                     1 + (select count(*) from job_run o
                          where o.job = r.job and o.scheduled_for = r.scheduled_for and o.state = 'died') as "deaths!""#,
        owner,
        now,
        error
    )
    .fetch_all(connection)
    .await
}

/// Has it run again; one that waits already will do.
pub(super) async fn take_up(connection: &mut PgConnection, dead: &Dead) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into job_run (job, state, trigger, scheduled_for, missed) values ($1, 'waiting', 'taken_up', $2, $3)
         on conflict do nothing",
        dead.job,
        dead.scheduled_for,
        dead.missed
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// When a job is due.
pub(super) struct Due {
    pub(super) name: String,
    pub(super) fence: i64,
    pub(super) next_at: DateTime<Utc>,
    pub(super) paused: bool,
    /// A run that waits.
    pub(super) waiting: Option<i64>,
    /// Whether somebody has asked for that.
    pub(super) by_hand: bool,
}

pub(super) async fn due(connection: &mut PgConnection, names: &[String]) -> Result<Vec<Due>, sqlx::Error> {
    sqlx::query_as!(
        Due,
        r#"select j.name, j.fence, j.next_at, j.paused_by is not null as "paused!", r.id as "waiting?",
                  coalesce(r.trigger = 'hand', false) as "by_hand!"
           from job j left join job_run r on r.job = j.name and r.state = 'waiting'
           where j.name = any($1) order by j.next_at"#,
        names
    )
    .fetch_all(connection)
    .await
}

/// What begins a run.
pub(super) enum Start {
    /// It waits already; the job's own next time stays.
    Waiting { id: i64, next: DateTime<Utc> },
    /// It is due, or is recorded as skipped.
    Due { at: DateTime<Utc>, missed: i64, next: DateTime<Utc>, zone: Tz, skipped: bool },
}

impl Start {
    /// Whether something runs.
    pub(super) fn runs(&self) -> bool {
        !matches!(self, Self::Due { skipped: true, .. })
    }
}

/// Records the beginning of a run, or that it is skipped; `None` when another owner has been there.
pub(super) async fn begin(
    connection: &mut PgConnection,
    job: &str,
    fence: i64,
    owner: &str,
    now: DateTime<Utc>,
    start: &Start,
) -> Result<Option<i64>, sqlx::Error> {
    let (next, zone) = match start {
        Start::Waiting { next, .. } => (*next, None),
        Start::Due { next, zone, .. } => (*next, Some(zone.name())),
    };
    let mut transaction = connection.begin().await?;
    let moved = sqlx::query!(
        "update job set fence = fence + 1, next_at = $3, zone = coalesce($4, zone) where name = $1 and fence = $2",
        job,
        fence,
        next,
        zone
    );
    if moved.execute(&mut *transaction).await?.rows_affected() == 0 {
        return Ok(None);
    }
    let id = match start {
        Start::Waiting { id, .. } => {
            sqlx::query_scalar!(
                "update job_run set state = 'running', owner = $2, started_at = $3
                 where id = $1 and state = 'waiting' returning id",
                id,
                owner,
                now
            )
            .fetch_optional(&mut *transaction)
            .await?
        }
        Start::Due { at, missed, skipped, .. } => {
            let (state, ended) = if *skipped { ("skipped", Some(now)) } else { ("running", None) };
            let id = sqlx::query_scalar!(
                "insert into job_run (job, state, trigger, scheduled_for, missed, owner, started_at, ended_at)
                 values ($1, $2, 'schedule', $3, $4, $5, $6, $7) returning id",
                job,
                state,
                at,
                missed,
                owner,
                (!skipped).then_some(now),
                ended
            );
            Some(id.fetch_one(&mut *transaction).await?)
        }
    };
    transaction.commit().await?;
    Ok(id)
}

/// Records what a run came to; `false` when another owner has taken it for dead.
pub(super) async fn end(
    connection: &mut PgConnection,
    run: i64,
    owner: &str,
    now: DateTime<Utc>,
    outcome: &Result<Counts, String>,
) -> Result<bool, sqlx::Error> {
    let state = if outcome.is_ok() { "done" } else { "failed" };
    let ended = sqlx::query!(
        "update job_run set state = $4, ended_at = $3, counts = $5, error = $6
         where id = $1 and owner = $2 and state = 'running'",
        run,
        owner,
        now,
        state,
        outcome.as_ref().ok().map(|counts| serde_json::json!(counts)),
        outcome.as_ref().err()
    )
    .execute(connection)
    .await?;
    Ok(ended.rows_affected() > 0)
}
