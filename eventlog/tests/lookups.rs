//! What a look-up reads does not grow with the log: rows are counted, not time. Its plan is made while the log is all but
//! empty, and kept.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

use chrono::DateTime;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use uuid::Uuid;
use vigie_eventlog::{Append, AppendError, Condition, Log, Metadata, NewEvent, Query, testing};

/// Far more than any look-up below needs to read, far fewer than there are.
const FEW: i64 = 200;

/// Event `n` is about one of ten things and one of two sides.
fn append(n: usize) -> Append {
    let command_id = Uuid::now_v7();
    let event = NewEvent {
        kind: "test.happened".into(),
        version: 1,
        site: "LFW".into(),
        tags: vec![format!("thing:{}", n % 10), format!("side:{}", n % 2)],
        data: "{}".into(),
        occurred_at: DateTime::from_timestamp(1_767_268_800, 0).unwrap(),
    };
    let metadata = Metadata {
        command_id,
        command: "test.append".into(),
        correlation_id: command_id,
        causation_id: None,
        actor: "operator:test".into(),
        traceparent: None,
    };
    Append { events: vec![event], metadata, conditions: Vec::new(), answer: None }
}

async fn fill(log: &Log) {
    let appends: Vec<_> = (0..3_000)
        .map(|n| {
            let log = log.clone();
            tokio::spawn(async move { log.append(append(n)).await.unwrap() })
        })
        .collect();
    for appended in appends {
        appended.await.unwrap();
    }
}

async fn conflict(log: &Log, n: usize) {
    let conditions = vec![Condition { query: Query::tag(format!("thing:{n}")), after: 0 }];
    let refused = log.append(Append { conditions, ..append(n) }).await.unwrap_err();
    assert!(matches!(refused, AppendError::Conflict { .. }), "{refused:?}");
}

/// Rows of the table that have been read, once everybody else has gone and said what they read.
async fn rows_read(pool: &PgPool, table: &str) -> i64 {
    let others = "select count(*) from pg_stat_activity
                  where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()";
    while sqlx::query_scalar::<_, i64>(others).fetch_one(pool).await.unwrap() > 0 {
        tokio::task::yield_now().await;
    }
    let read = "select (seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint from pg_stat_user_tables where relname = $1";
    sqlx::query_scalar(read).bind(table).fetch_one(pool).await.unwrap()
}

#[tokio::test]
async fn a_conflict_is_told_without_reading_every_command() {
    let options = testing::options().await;
    let pool = PgPoolOptions::new().max_connections(1).connect_with(options.clone()).await.unwrap();
    let log = Log::open(PgPoolOptions::new().connect_lazy_with(options)).await.unwrap();
    log.append(append(0)).await.unwrap();
    conflict(&log, 0).await;
    fill(&log).await;
    for n in 0..10 {
        conflict(&log, n).await;
    }
    log.close().await;
    drop(log);
    let read = rows_read(&pool, "command").await;
    assert!(read < FEW, "{read} commands were read for ten conflicts");
}
