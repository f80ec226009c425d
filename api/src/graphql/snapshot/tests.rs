//! A reader that takes too long, or goes, leaves nothing behind.

use sqlx::Connection as _;
use tokio_util::sync::CancellationToken;
use vigie_commands::Executor;
use vigie_eventlog::{Log, testing};

use super::*;
use crate::accounts::Accounts;
use crate::clock;
use crate::settings::Settings;
use crate::webhooks::Webhooks;

const LONG: Duration = Duration::from_secs(600);

async fn services() -> Services {
    let pool = testing::database().await;
    let log = Log::open(pool.clone()).await.unwrap();
    let executor = Executor::new(log.clone(), Arc::new(clock::now));
    let projections = Projections::start(pool.clone(), log.clone(), CancellationToken::new()).await.unwrap();
    let accounts = Accounts::open(pool.clone(), executor.clone(), &Settings::open()).unwrap();
    let (schema, directory) = (crate::graphql::ReadSchema::default(), crate::rights::Directory::of_nobody());
    let webhooks = Webhooks::open(pool.clone(), executor.clone(), &Settings::open(), None).unwrap();
    Services { pool, log, executor, projections, schema, accounts, directory, webhooks }
}

/// A connection beside the server's, as the one who logged in.
async fn own(services: &Services) -> PgConnection {
    let mut connection = services.pool.connect_options().connect().await.unwrap();
    sqlx::raw_sql("set role none").execute(&mut connection).await.unwrap();
    connection
}

/// Readers wait for as long as this is open.
async fn gate_closed(services: &Services) -> PgConnection {
    let mut gate = own(services).await;
    sqlx::raw_sql("begin; lock table read.swap_gate in access exclusive mode").execute(&mut gate).await.unwrap();
    gate
}

/// Until the reader waits, or does not any more.
async fn until_waiting(snapshot: &Snapshot, other: &mut PgConnection, waiting: bool) {
    let waits = "select exists (select from pg_stat_activity where application_name = $1 and wait_event_type = 'Lock')";
    while sqlx::query_scalar::<_, bool>(waits).bind(&snapshot.limits.name).fetch_one(&mut *other).await.unwrap()
        != waiting
    {}
}

fn code(error: &Error) -> Option<String> {
    match error.extensions.as_ref()?.get("code")? {
        async_graphql::Value::String(code) => Some(code.clone()),
        _ => None,
    }
}

#[tokio::test]
async fn cancelling_ends_the_statement_that_runs_and_no_other() {
    let services = services().await;
    let (gate, mut other) = (gate_closed(&services).await, own(&services).await);
    let (cancelled, waits) =
        (Snapshot::new(&services, Scope::whole(), LONG), Snapshot::new(&services, Scope::whole(), LONG));
    let reads = tokio::spawn({
        let waits = waits.clone();
        async move { waits.read().await.is_ok() }
    });
    until_waiting(&waits, &mut other, true).await;
    let ended = async {
        until_waiting(&cancelled, &mut other, true).await;
        cancelled.cancel().await;
    };
    let (read, ()) = tokio::join!(cancelled.read(), ended);
    assert_eq!(read.err().and_then(|error| code(&error)).as_deref(), Some("TIMEOUT"));
    gate.close().await.unwrap();
    assert!(reads.await.unwrap());
}

#[tokio::test]
async fn a_statement_ends_by_itself_after_its_time() {
    let services = services().await;
    let gate = gate_closed(&services).await;
    let read = Snapshot::new(&services, Scope::whole(), Duration::from_millis(50));
    assert_eq!(read.read().await.err().and_then(|error| code(&error)).as_deref(), Some("TIMEOUT"));
    gate.close().await.unwrap();
    assert!(read.read().await.is_ok());
}

/// Whoever gets the connection next must not find itself in a transaction that somebody else has begun.
#[tokio::test]
async fn a_reader_that_goes_while_it_begins_leaves_no_transaction_behind() {
    let services = services().await;
    let one = sqlx::postgres::PgPoolOptions::new().max_connections(1);
    let options = (*services.pool.connect_options()).clone();
    let services = Services { pool: one.connect_with(options).await.unwrap(), ..services };
    let (gate, mut other) = (gate_closed(&services).await, own(&services).await);
    for timeout in [LONG, Duration::from_millis(50)] {
        let snapshot = Snapshot::new(&services, Scope::whole(), timeout);
        tokio::select! {
            read = snapshot.read() => assert_eq!((read.is_err(), timeout < LONG), (true, true)),
            () = until_waiting(&snapshot, &mut other, true), if timeout == LONG => {}
        }
        if timeout == LONG {
            snapshot.cancel().await;
        }
        let isolation = sqlx::query_scalar("select current_setting('transaction_isolation')");
        let isolation: String = isolation.fetch_one(&services.pool).await.unwrap();
        assert_eq!(isolation, "read committed", "{timeout:?}");
    }
    gate.close().await.unwrap();
}
