//! The log in ranges of positions, each a partition.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

use sqlx::pool::PoolConnection;
use sqlx::{AssertSqlSafe, Executor, PgPool, Postgres};
use uuid::Uuid;
use vigie_eventlog::ranges::freeze;
use vigie_eventlog::{Append, Condition, Criterion, Log, MIGRATOR, Metadata, NewEvent, Query, Read, testing};

fn append(tag: &str, events: usize) -> Append {
    let command_id = Uuid::now_v7();
    let event = NewEvent {
        kind: "test.written".into(),
        version: 1,
        site: "LFW".into(),
        tags: vec![tag.into(), "all:1".into()],
        data: r#"{"n":1}"#.into(),
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
    Append { events: vec![event; events], metadata, conditions: Vec::new(), answer: None }
}

/// What the log says, whatever its tables look like inside.
async fn told(pool: &PgPool) -> Vec<String> {
    sqlx::query_scalar(
        "select e.position || ' ' || e.id || ' ' || e.kind || ' ' || e.version || ' ' || e.site || ' ' || \
                array_to_string(e.tags, ',') || ' ' || e.data || ' ' || e.occurred_at || ' ' || e.recorded_at || ' ' || \
                (select string_agg(t.tag || '/' || t.kind, ',' order by t.tag) from event_tag t \
                 where t.position = e.position) \
         from event e order by e.position",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

/// Appends as the release did, without the program of today.
async fn append_as_released(pool: &PgPool, events: i32) {
    sqlx::query(
        "select * from log_append(array[gen_random_uuid()], array['test.write'], array[null::jsonb], \
             '{}', '{}', '{}', '{}', '{}', array_fill(1, array[$1]), \
             (select array_agg(gen_random_uuid()) from generate_series(1, $1)), \
             array_fill('test.written'::text, array[$1]), array_fill(1::smallint, array[$1]), \
             array_fill('LFW'::text, array[$1]), array_fill(e't:1\\x1fall:1'::text, array[$1]), \
             (select array_agg(jsonb_build_object('n', n)) from generate_series(1, $1) n), \
             array_fill(jsonb_build_object('command_id', gen_random_uuid(), 'command', 'test.write', \
                 'correlation_id', gen_random_uuid(), 'actor', 'operator:test'), array[$1]), \
             array_fill('2026-01-01 12:00:00.123456Z'::timestamptz, array[$1]))",
    )
    .bind(events)
    .execute(pool)
    .await
    .unwrap();
}

#[tokio::test]
async fn a_released_log_keeps_its_events_when_it_becomes_ranges() {
    let pool = testing::released(5).await;
    for _ in 0..3 {
        append_as_released(&pool, 100).await;
    }
    let before = told(&pool).await;
    MIGRATOR.run(&pool).await.unwrap();
    assert_eq!(before.len(), 300);
    assert_eq!(told(&pool).await, before);

    let log = Log::open(pool.clone()).await.unwrap();
    let appended = log.append(append("t:1", 2)).await.unwrap();
    assert_eq!((appended.first, appended.last), (301, 302));
    let read = log.read(&Query::tag("t:1"), Read::after(0)).await.unwrap();
    assert!(read.iter().map(|event| event.position).eq(1..=302));
    assert_eq!(read[0].occurred_at.timestamp_subsec_micros(), 123_456);
    refuses_changes(&pool, &["event", "event_tag", "event_p000001", "event_tag_p000001", "command"]).await;
}

#[tokio::test]
async fn a_log_longer_than_a_range_gets_a_longer_first_range() {
    let pool = testing::released(5).await;
    append_as_released(&pool, 10).await;
    // As long as it takes, without writing so much.
    sqlx::query("update log_head set position = 12000000").execute(&pool).await.unwrap();
    MIGRATOR.run(&pool).await.unwrap();
    let ranges: Vec<(i32, i64, i64)> =
        sqlx::query_as("select number, first_position, last_position from log_range order by number")
            .fetch_all(&pool)
            .await
            .unwrap();
    assert_eq!(
        ranges,
        [(1, 1, 15_000_000), (2, 15_000_001, 20_000_000), (3, 20_000_001, 25_000_000)],
        "two ranges lie ahead"
    );
}

async fn refuses_changes(pool: &PgPool, tables: &[&str]) {
    for table in tables {
        let column = if *table == "command" { "name" } else { "kind" };
        for statement in
            [format!("update {table} set {column} = 'b'"), format!("delete from {table}"), format!("truncate {table}")]
        {
            let error = sqlx::query(AssertSqlSafe(statement.as_str())).execute(pool).await.unwrap_err();
            let code = error.as_database_error().and_then(|error| error.code());
            assert_eq!(code.as_deref(), Some("23001"), "{statement}: {error}");
        }
    }
}

/// A log with ranges of `size` positions: its owner's connections, the application's, and the log opened with those.
async fn with_ranges_of(size: i64) -> (PgPool, PgPool, Log) {
    let pool = testing::database().await;
    let owner = testing::owner(&pool).await;
    sqlx::query("select log_resize($1)").bind(size).execute(&owner).await.unwrap();
    let log = Log::open(pool.clone()).await.unwrap();
    (owner, pool, log)
}

/// Makes the ranges that are missing; the open log does so as well, and whoever comes second finds it done or in hand.
async fn extend(pool: &PgPool) {
    loop {
        match sqlx::query_scalar::<_, bool>("select log_extend(2)").fetch_one(pool).await {
            Ok(false) => return,
            Ok(true) => tokio::task::yield_now().await,
            Err(error) => assert_eq!(error.as_database_error().unwrap().code().unwrap(), "55P03", "{error}"),
        }
    }
}

/// Nobody makes a range while this connection says so.
async fn hinder(owner: &PgPool) -> PoolConnection<Postgres> {
    let mut connection = owner.acquire().await.unwrap();
    connection.execute("select pg_advisory_lock(hashtextextended('vigie log ranges', 0))").await.unwrap();
    connection
}

/// Number, bounds and how many events are in the table of each range; the last one counts what the default has caught.
async fn ranges(pool: &PgPool) -> (Vec<(i32, i64, i64, i64)>, i64) {
    let ranges: Vec<(i32, i64, i64, i64)> = sqlx::query_as(
        "select r.number, r.first_position, r.last_position, \
                (select count(*) from event e where e.tableoid = \
                    to_regclass('event' || to_char(r.number, '\"_p\"FM000000'))::oid) \
         from log_range r order by r.number",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    (ranges, sqlx::query_scalar("select count(*) from event_default").fetch_one(pool).await.unwrap())
}

#[tokio::test]
async fn what_no_range_was_made_for_is_caught_and_becomes_a_range() {
    let (owner, pool, log) = with_ranges_of(10).await;
    let mut hindrance = hinder(&owner).await;
    for _ in 0..10 {
        log.append(append("t:1", 5)).await.unwrap();
    }
    let (before, caught) = ranges(&owner).await;
    assert_eq!(before, [(1, 1, 10, 10), (2, 11, 20, 10), (3, 21, 30, 10)]);
    assert_eq!(caught, 20);
    let told_before = told(&owner).await;

    hindrance.execute("select pg_advisory_unlock_all()").await.unwrap();
    extend(&pool).await;
    let (after, caught) = ranges(&owner).await;
    assert_eq!(after[3..], [(4, 31, 50, 20), (5, 51, 60, 0), (6, 61, 70, 0), (7, 71, 80, 0)]);
    assert_eq!(caught, 0);
    assert_eq!(told(&owner).await, told_before);
    let tables = ["event_p000004", "event_tag_p000004", "event_default", "event_tag_default", "event_p000007"];
    refuses_changes(&owner, &tables).await;
    assert_eq!(log.append(append("t:1", 1)).await.unwrap().first, 51);
}

#[tokio::test]
async fn every_index_of_a_range_has_a_name_of_ours() {
    let (owner, pool, log) = with_ranges_of(10).await;
    let mut hindrance = hinder(&owner).await;
    log.append(append("t:1", 50)).await.unwrap();
    hindrance.execute("select pg_advisory_unlock_all()").await.unwrap();
    extend(&pool).await;
    let names: Vec<String> = sqlx::query_scalar(
        "select c.relname::text from pg_class c where c.relkind = 'i' and c.relname ~ '^event.*(p000002|p000004|default)' \
         order by 1",
    )
    .fetch_all(&owner)
    .await
    .unwrap();
    let expected = ["default", "p000002", "p000004"].map(|of| {
        [
            format!("event_{of}_id"),
            format!("event_{of}_kind_position"),
            format!("event_{of}_pk"),
            format!("event_tag_{of}_pk"),
        ]
    });
    let mut expected = expected.concat();
    expected.sort();
    assert_eq!(names, expected);
}

#[tokio::test]
async fn reads_and_conditions_cross_ranges() {
    let (_, pool, log) = with_ranges_of(7).await;
    for n in 0..40 {
        log.append(append(&format!("t:{}", n % 3), 1)).await.unwrap();
        extend(&pool).await;
    }
    let read = log.read(&Query::all(), Read::after(0)).await.unwrap();
    assert!(read.iter().map(|event| event.position).eq(1..=40));
    let read = log.read(&Query::tag("t:1"), Read::backwards().limit(5)).await.unwrap();
    assert!(read.iter().map(|event| event.position).eq([38, 35, 32, 29, 26]));
    for (tag, after, holds) in [("t:1", 37, false), ("t:1", 38, true), ("t:0", 3, false), ("t:9", 0, true)] {
        let criterion = Criterion { kinds: vec!["test.written".into()], tags: vec!["all:1".into(), tag.into()] };
        let mut wish = append("u:1", 1);
        wish.conditions.push(Condition { query: Query { criteria: vec![criterion] }, after });
        assert_eq!(log.append(wish).await.is_ok(), holds, "{tag} after {after}");
    }
}

#[tokio::test]
async fn an_open_log_keeps_two_ranges_ready_and_is_not_the_only_one() {
    let (owner, pool, log) = with_ranges_of(20).await;
    // Three processes more.
    let others = [Log::open(pool.clone()).await.unwrap(), Log::open(pool.clone()).await.unwrap(), log.clone()];
    let callers = (0..12).map(|caller| {
        let log = others[caller % 3].clone();
        tokio::spawn(async move {
            for _ in 0..40 {
                log.append(append(&format!("t:{caller}"), 2)).await.unwrap();
            }
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.unwrap();
    }
    let ready = "select count(*) from log_range, log_head where first_position > position + 1";
    while sqlx::query_scalar::<_, i64>(ready).fetch_one(&pool).await.unwrap() < 2 {
        tokio::task::yield_now().await;
    }
    let (ranges, caught) = ranges(&owner).await;
    assert_eq!((ranges.iter().map(|range| range.3).sum::<i64>(), caught), (960, 0));
    let follows = ranges.windows(2).all(|pair| pair[0].2 + 1 == pair[1].1 && pair[0].0 + 1 == pair[1].0);
    assert!(follows, "ranges without gaps: {ranges:?}");
}

#[tokio::test]
async fn a_long_reader_delays_ranges_and_holds_no_append_up_for_long() {
    let (owner, pool, log) = with_ranges_of(10).await;
    log.append(append("t:1", 1)).await.unwrap();
    extend(&pool).await;
    // As pg_dump does, on every table.
    let mut dump = owner.begin().await.unwrap();
    sqlx::query("lock table event, event_tag in access share mode").execute(&mut *dump).await.unwrap();
    for _ in 0..10 {
        let start = std::time::Instant::now();
        log.append(append("t:1", 5)).await.unwrap();
        assert!(start.elapsed() < std::time::Duration::from_secs(2), "{:?}", start.elapsed());
    }
    assert!(ranges(&owner).await.1 > 0, "what has no range was caught");
    dump.rollback().await.unwrap();
    extend(&pool).await;
    let (ranges, caught) = ranges(&owner).await;
    assert_eq!((ranges.iter().map(|range| range.3).sum::<i64>(), caught), (51, 0));
}

#[tokio::test]
async fn a_full_range_is_frozen_once_as_soon_as_nobody_looks_at_what_was_before_it() {
    let (owner, pool, log) = with_ranges_of(10).await;
    let options = testing::owner_options(&pool.connect_options());
    let mut before = owner.begin().await.unwrap();
    sqlx::query("insert into feed_clock values ('LFW', 's', 'f', now())").execute(&mut *before).await.unwrap();
    for _ in 0..5 {
        log.append(append("t:1", 5)).await.unwrap();
    }
    assert_eq!(freeze(&options).await.unwrap(), 0, "an older transaction runs");
    before.rollback().await.unwrap();
    // Transactions of other tests count too, while they run.
    let both = async {
        let mut frozen = 0;
        while frozen < 2 {
            frozen += freeze(&options).await.unwrap();
        }
        frozen
    };
    assert_eq!(tokio::time::timeout(std::time::Duration::from_secs(60), both).await.expect("in time"), 2);
    assert_eq!(freeze(&options).await.unwrap(), 0);
    let app = pool.connect_options();
    assert_eq!(freeze(&app).await.unwrap(), 0, "whose login does not own the log does nothing");
    let frozen: Vec<bool> = sqlx::query_scalar("select frozen_at is not null from log_range order by number limit 3")
        .fetch_all(&pool)
        .await
        .unwrap();
    assert_eq!(frozen, [true, true, false]);
}
