//! Sessions that end, wait, hold locks or keep old snapshots alive.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::{Connection, Executor, PgConnection};

use super::chaos::Ground;
use super::crashes::terminate;
use crate::Fault;
use crate::dice::Dice;

/// The sessions of Vigie's processes.
pub(super) async fn backends(admin: &mut PgConnection) -> Result<Vec<i32>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select pid as "pid!" from pg_stat_activity
           where application_name = 'vigie' and backend_type = 'client backend'"#
    )
    .fetch_all(admin)
    .await
}

/// The sessions that are waiting for the log's head with an append.
async fn waiting(admin: &mut PgConnection) -> Result<Vec<i32>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select pid as "pid!" from pg_stat_activity
           where application_name = 'vigie' and state = 'active' and wait_event_type = 'Lock'
             and query ilike '%append%'"#
    )
    .fetch_all(admin)
    .await
}

/// Ends a session from outside, whatever it is doing.
pub(super) async fn end(ground: &Ground, dice: &mut Dice) -> Result<(), Fault> {
    let mut admin = ground.server.admin().await?;
    let sessions = backends(&mut admin).await?;
    if let Some(session) = dice.pick(&sessions)
        && terminate(&mut admin, *session).await?
    {
        ground.tally.add("sessions terminated");
    }
    Ok(())
}

/// Takes the lock that every append needs, in a transaction that stays open.
async fn hold(admin: &mut PgConnection) -> Result<(), sqlx::Error> {
    admin.execute("begin").await?;
    sqlx::query_scalar!("select position from log_head for update").fetch_one(admin).await.map(drop)
}

/// Sits idle in a transaction while it holds the lock that every append needs, for a moment.
pub(super) async fn hold_lock(ground: &Ground, dice: &mut Dice) -> Result<(), Fault> {
    let mut admin = ground.server.admin().await?;
    hold(&mut admin).await?;
    ground.tally.add("sessions idle in transaction, holding the head's lock");
    tokio::time::sleep(Duration::from_millis(dice.between(200, 1_500))).await;
    Ok(admin.close().await?)
}

/// Makes appends wait, and cancels them: they are rolled back.
pub(super) async fn cancel_append(ground: &Ground) -> Result<(), Fault> {
    let (mut holder, mut admin) = (ground.server.admin().await?, ground.server.admin().await?);
    hold(&mut holder).await?;
    let until = Instant::now() + Duration::from_secs(1);
    while Instant::now() < until {
        let waiting = waiting(&mut admin).await?;
        for session in &waiting {
            sqlx::query_scalar!("select pg_cancel_backend($1)", *session).fetch_one(&mut admin).await?;
            ground.tally.add("appends cancelled and rolled back");
        }
        if !waiting.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(holder.close().await?)
}

/// Reads the log in a transaction and leaves it open: its snapshot holds back what Postgres may clear away.
pub(super) async fn idle_in_transaction(ground: Arc<Ground>, mut dice: Dice) -> Result<(), Fault> {
    let mut session = ground.server.admin().await?;
    session.execute("begin transaction isolation level repeatable read").await?;
    let look = async |session: &mut PgConnection| {
        sqlx::query_scalar!("select max(position) from event").fetch_one(session).await
    };
    let Ok(before) = look(&mut session).await else { return Ok(()) };
    ground.tally.add("sessions idle in transaction, with an old snapshot");
    tokio::time::sleep(Duration::from_millis(dice.between(1_000, 6_000))).await;
    // It ends early when the server does.
    if let Ok(after) = look(&mut session).await
        && after != before
    {
        ground.tally.complain(format!("one snapshot has seen the log end at {before:?} and at {after:?}"));
    }
    Ok(())
}

/// Keeps a writing transaction open in another database of the server; a new one when the server has ended it.
pub(super) async fn long_transaction(ground: Arc<Ground>, until: Instant) -> Result<(), Fault> {
    while Instant::now() < until {
        let mut session = ground.server.elsewhere().await?;
        if session.execute("begin; create table if not exists kept (n int); insert into kept values (1)").await.is_ok()
        {
            ground.tally.add("long transactions in another database");
            while Instant::now() < until && session.ping().await.is_ok() {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
    Ok(())
}
