//! A command that waits behind its own first sending, and behind a companion that breaks its condition.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

use sqlx::{Executor, PgPool};
use uuid::Uuid;
use vigie_eventlog::{Append, Appended, Condition, Criterion, Log, Metadata, NewEvent, Query, testing};

fn append(command_id: Uuid, tag: &str, criterion: Option<&[&str]>) -> Append {
    let event = NewEvent {
        kind: "test.written".into(),
        version: 1,
        site: "LFW".into(),
        tags: vec![tag.into()],
        data: "{}".into(),
        occurred_at: chrono::DateTime::UNIX_EPOCH,
    };
    let metadata = Metadata {
        command_id,
        command: "test.write".into(),
        correlation_id: command_id,
        causation_id: None,
        actor: "operator:test".into(),
        traceparent: None,
    };
    let condition = |tags: &[&str]| {
        let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
        Condition { query: Query { criteria: vec![Criterion { kinds: vec![], tags }] }, after: 0 }
    };
    Append { events: vec![event], metadata, conditions: criterion.into_iter().map(condition).collect(), answer: None }
}

/// Waits until so many appends wait for the head's lock.
async fn until_waiting(owner: &PgPool, count: i64) {
    let waiting = "select count(*) from pg_stat_activity
                   where datname = current_database() and wait_event_type = 'Lock' and query like '%log_append%'";
    while sqlx::query_scalar::<_, i64>(waiting).fetch_one(owner).await.unwrap() < count {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_command_that_is_in_the_log_is_never_told_of_a_conflict() {
    let pool = testing::database().await;
    let owner = testing::owner(&pool).await;
    let log = Log::open(pool).await.unwrap();
    let mut holder = owner.begin().await.unwrap();
    holder.execute("select position from log_head for update").await.unwrap();
    let send = |append: Append| {
        let log = log.clone();
        tokio::spawn(async move { log.append(append).await })
    };
    let twice = Uuid::now_v7();
    let first_in_line = send(append(Uuid::now_v7(), "z", None));
    until_waiting(&owner, 1).await;
    let one = send(append(twice, "a", Some(&["c"])));
    until_waiting(&owner, 2).await;
    // Held behind `one`, whose tag is the first that it asks for, though it does not match it.
    let between = send(append(Uuid::now_v7(), "c", Some(&["a", "q"])));
    // Held behind both: its own first sending, and an event that breaks its condition.
    let again = [(); 3].map(|()| send(append(twice, "a", Some(&["c"]))));
    tokio::task::yield_now().await;
    holder.rollback().await.unwrap();

    first_in_line.await.unwrap().unwrap();
    let one: Appended = one.await.unwrap().unwrap();
    between.await.unwrap().unwrap();
    for again in again {
        let again = again.await.unwrap();
        assert!(matches!(&again, Ok(appended) if appended.repeated && appended.first == one.first), "{again:?}");
    }
}
