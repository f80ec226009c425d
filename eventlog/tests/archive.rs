//! Ranges leave the log for files and come back.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

use std::fs;
use std::path::PathBuf;

use sqlx::postgres::PgConnectOptions;
use sqlx::{Executor, PgPool};
use uuid::Uuid;
use vigie_eventlog::check::{STRETCH, check};
use vigie_eventlog::ranges::{ArchiveError, Moved, archive, restore};
use vigie_eventlog::transfer::{TransferError, export};
use vigie_eventlog::{
    Append, AppendError, Condition, Criterion, Log, LogError, Metadata, NewEvent, Query, Read, Recorded, testing,
};

fn append(n: i64) -> Append {
    let command_id = Uuid::now_v7();
    let event = NewEvent {
        kind: ["test.even", "test.odd"][usize::try_from(n % 2).unwrap()].into(),
        version: 1,
        site: "LFW".into(),
        tags: vec![format!("t:{}", n % 3), "all:1".into(), format!("n:{n} \"ü\" \\ {{,}}")],
        data: format!(r#"{{"n": {n}.50, "text":"a\u00fc\n€", "none":null}}"#),
        occurred_at: chrono::DateTime::from_timestamp_micros(1_767_268_800_123_456 + n).unwrap(),
    };
    let metadata = Metadata {
        command_id,
        command: "test.write".into(),
        correlation_id: command_id,
        causation_id: (n % 2 == 0).then(Uuid::now_v7),
        actor: "operator:test".into(),
        traceparent: (n % 4 == 0).then(|| "00-1-2-03".into()),
    };
    let answer = serde_json::value::to_raw_value(&n).unwrap();
    Append { events: vec![event], metadata, conditions: Vec::new(), answer: Some(answer) }
}

struct Given {
    pool: PgPool,
    owner: PgPool,
    login: PgConnectOptions,
    log: Log,
    folder: tempfile::TempDir,
    commands: Vec<Append>,
}

/// A log with ranges of ten and 45 events, of which the first 40 are in whole ranges.
async fn given() -> Given {
    let pool = testing::database().await;
    let owner = testing::owner(&pool).await;
    owner.execute("select log_resize(10)").await.unwrap();
    // All ranges beforehand: which ones the background makes in time is not what is tested here.
    while sqlx::query_scalar::<_, bool>("select log_extend(6)").fetch_one(&owner).await.unwrap() {}
    let log = Log::open(pool.clone()).await.unwrap();
    let commands: Vec<Append> = (1..=45).map(append).collect();
    for command in &commands {
        log.append(command.clone()).await.unwrap();
    }
    let ready = "select count(*) from log_range where first_position > 46";
    while sqlx::query_scalar::<_, i64>(ready).fetch_one(&pool).await.unwrap() < 2 {
        tokio::task::yield_now().await;
    }
    let login = testing::owner_options(&pool.connect_options());
    Given { pool, owner, login, log, folder: tempfile::tempdir().unwrap(), commands }
}

impl Given {
    async fn archive(&self, until: i64) -> Result<Vec<Moved>, ArchiveError> {
        self.archive_but(until, &[]).await
    }

    async fn archive_but(&self, until: i64, keep: &[&str]) -> Result<Vec<Moved>, ArchiveError> {
        archive(&self.login, until, self.folder.path(), keep, &|_| {}).await
    }

    async fn restore(&self, files: &[PathBuf]) -> Result<Vec<Moved>, ArchiveError> {
        restore(&self.login, files, &|_| {}).await
    }

    /// Everything that can be read and is told about events.
    async fn everything(&self) -> Vec<String> {
        let events = self.log.read(&Query::all(), Read::after(0)).await.unwrap();
        events.iter().map(|event| format!("{event:?}")).collect()
    }

    async fn tags(&self) -> Vec<String> {
        let tags = "select tag || ' ' || position || ' ' || kind from event_tag order by tag, position";
        sqlx::query_scalar(tags).fetch_all(&self.owner).await.unwrap()
    }
}

fn positions(events: &[Recorded]) -> Vec<i64> {
    events.iter().map(|event| event.position).collect()
}

fn is_archived<T: std::fmt::Debug>(outcome: Result<T, LogError>, bounds: (i64, i64)) {
    match outcome {
        Err(LogError::Archived { first, last }) => assert_eq!((first, last), bounds),
        other => panic!("{bounds:?} should be missed, not {other:?}"),
    }
}

#[tokio::test]
async fn a_range_comes_back_as_it_was() {
    let given = given().await;
    let (events, tags) = (given.everything().await, given.tags().await);
    let moved = given.archive(29).await.unwrap();
    assert_eq!(
        moved.iter().map(|range| (range.number, range.first, range.last)).collect::<Vec<_>>(),
        [(1, 1, 10), (2, 11, 20)]
    );
    // What carries which tag stays known.
    assert_eq!(given.tags().await, tags);

    let files: Vec<PathBuf> = moved.iter().rev().map(|range| range.path.clone()).collect();
    let lines = fs::read_to_string(&files[1]).unwrap();
    assert_eq!(lines.lines().count(), 12);
    assert!(lines.contains(r#""occurred_at":"2026-01-01T12:00:00.123457Z""#), "{lines}");
    given.restore(&files).await.unwrap();
    assert_eq!((given.everything().await, given.tags().await), (events, tags));
    for table in ["event_p000001", "event_tag_p000002"] {
        let statement = sqlx::AssertSqlSafe(format!("delete from {table}"));
        let error = sqlx::query(statement).execute(&given.owner).await.unwrap_err();
        assert_eq!(error.as_database_error().unwrap().code().unwrap(), "23001");
    }
    // The same again: the same files.
    let again = given.archive(20).await.unwrap();
    assert_eq!(again, moved);
    given.log.append(append(46)).await.unwrap();
}

#[tokio::test]
async fn reads_that_need_what_is_archived_say_so_and_others_go_on() {
    let given = given().await;
    given.archive(20).await.unwrap();
    // The one that appended has all of it in memory, and needs no file.
    assert_eq!(given.log.follow(Query::all(), 12).next().await.unwrap().events.len(), 33);
    let log = Log::open(given.pool.clone()).await.unwrap();
    let (all, tag, kind) = (Query::all(), Query::tag("t:1"), Query::kinds(["test.odd"]));
    for query in [&all, &tag, &kind] {
        is_archived(log.read(query, Read::after(0)).await, (1, 20));
        is_archived(log.read(query, Read::after(5).until(8)).await, (1, 10));
        is_archived(log.read(query, Read::backwards()).await, (1, 20));
        is_archived(log.history(query.clone(), 17, i64::MAX).next().await, (11, 20));
        is_archived(log.follow(query.clone(), 12).next().await, (11, 20));
        assert!(log.read(query, Read::after(20)).await.unwrap().iter().all(|event| event.position > 20));
        let step = log.follow(query.clone(), 20).next().await.unwrap();
        assert_eq!(step.position, 45);
    }
    for query in [&all, &kind] {
        is_archived(log.read(query, Read::after(19).limit(3)).await, (11, 20));
        is_archived(log.read(query, Read::backwards().until(20).limit(1)).await, (1, 20));
    }
    is_archived(log.read(&tag, Read::backwards().until(20).limit(1)).await, (11, 20));
    // Its last archived event is the 19th; what matches and is there needs none of the others.
    assert_eq!(positions(&log.read(&tag, Read::after(19).limit(3)).await.unwrap()), [22, 25, 28]);
    assert_eq!(positions(&log.read(&tag, Read::after(7).until(9)).await.unwrap()), [0; 0]);
    assert_eq!(positions(&log.read(&Query::tag("n:never"), Read::after(0)).await.unwrap()), [0; 0]);
    let newest = log.read(&all, Read::backwards().limit(25)).await.unwrap();
    assert!(positions(&newest).into_iter().eq((21..=45).rev()));
    assert_eq!(positions(&log.read(&tag, Read::backwards().limit(2)).await.unwrap()), [43, 40]);
    is_archived(log.require(0, 1).await, (1, 10));
    assert_eq!(export(&log, 20, None, std::io::sink(), &|_| {}).await.unwrap().events, 25);
    let lacking = export(&log, 19, None, std::io::sink(), &|_| {}).await.unwrap_err();
    assert!(matches!(lacking, TransferError::Log(LogError::Archived { first: 11, last: 20 })), "{lacking:?}");
    log.require(20, i64::MAX).await.unwrap();
}

#[tokio::test]
async fn events_of_some_types_stay_when_their_range_is_archived_and_it_comes_back_whole() {
    let given = given().await;
    let (events, tags) = (given.everything().await, given.tags().await);
    let moved = given.archive_but(20, &["test.odd", "test.never"]).await.unwrap();
    let log = Log::open(given.pool.clone()).await.unwrap();
    let odd = || (1..=45).filter(|n| n % 2 == 1);
    let of_kind = Query::kinds(["test.odd", "test.never"]);
    assert!(positions(&log.read(&of_kind, Read::after(0)).await.unwrap()).into_iter().eq(odd()));
    let step = log.follow(of_kind.clone(), 0).next().await.unwrap();
    assert!(step.events.iter().map(|event| event.position).eq(odd()));
    assert_eq!(log.history(of_kind, 0, 30).next().await.unwrap().unwrap().len(), 15);
    let odd_of = |tag: &str| Query {
        criteria: vec![Criterion { kinds: vec!["test.odd".to_owned()], tags: vec![tag.to_owned()] }],
    };
    for read in [Read::after(0).until(30), Read::backwards().until(30)] {
        let mut found = positions(&log.read(&odd_of("t:1"), read).await.unwrap());
        found.sort_unstable();
        assert_eq!(found, [1, 7, 13, 19, 25]);
    }
    assert_eq!(positions(&log.at(&[19, 3, 30]).await.unwrap()), [3, 19, 30]);
    // Whatever is asked besides is missing.
    for query in [Query::all(), Query::kinds(["test.odd", "test.even"]), Query::tag("t:1")] {
        is_archived(log.read(&query, Read::after(0)).await, (1, 20));
    }
    is_archived(log.at(&[3, 4, 30]).await, (1, 10));
    assert_eq!(check(&given.pool, STRETCH, &|_| Ok(()), &|_| {}).await.unwrap().findings, []);
    for table in ["event", "event_k000001"] {
        let statement = sqlx::AssertSqlSafe(format!("delete from {table} where position = 3"));
        let error = sqlx::query(statement).execute(&given.owner).await.unwrap_err();
        assert_eq!(error.as_database_error().unwrap().code().unwrap(), "23001");
    }

    let files: Vec<PathBuf> = moved.iter().map(|range| range.path.clone()).collect();
    given.restore(&files).await.unwrap();
    assert_eq!((given.everything().await, given.tags().await), (events, tags));
    assert_eq!(given.archive_but(20, &["test.odd"]).await.unwrap(), moved);
}

#[tokio::test]
async fn a_decision_that_needs_what_is_archived_fails_alone_and_others_pass() {
    let given = given().await;
    given.archive(20).await.unwrap();
    let wish = |n: i64, tag: &str, after: i64| {
        let mut wish = append(n);
        wish.conditions.push(Condition { query: Query::tag(tag), after });
        wish
    };
    let of_kind = |n: i64, kind: &str, after: i64| {
        let mut wish = append(n);
        wish.conditions.push(Condition { query: Query::kinds([kind]), after });
        wish
    };
    let log = Log::open(given.pool.clone()).await.unwrap();
    // Together, so that they can meet in one batch.
    let (needs, repeated, passes, born, conflicts, before) = tokio::join!(
        log.append(of_kind(100, "test.never", 19)),
        log.append(given.commands[3].clone()),
        log.append(of_kind(101, "test.never", 20)),
        log.append(wish(102, "t:never", 0)),
        log.append(wish(103, "t:1", 25)),
        log.append(wish(104, "n:7 \"ü\" \\ {,}", 0)),
    );
    let Err(AppendError::Log(needs)) = needs else { panic!("{needs:?}") };
    is_archived::<()>(Err(needs), (11, 20));
    // What was answered before is still answered.
    let repeated = repeated.unwrap();
    assert_eq!((repeated.first, repeated.repeated, repeated.answer.unwrap().get()), (4, true, "4"));
    assert!(passes.is_ok(), "{passes:?}");
    assert!(born.is_ok(), "{born:?}");
    assert!(matches!(conflicts, Err(AppendError::Conflict { position: 28, .. })), "{conflicts:?}");
    assert!(matches!(before, Err(AppendError::Conflict { position: 7, .. })), "{before:?}");
    assert_eq!(given.log.head().await.unwrap(), 47);
}

#[tokio::test]
async fn a_range_that_was_archived_with_its_tags_is_missed_as_a_whole_and_comes_back() {
    let given = given().await;
    let (events, tags) = (given.everything().await, given.tags().await);
    let moved = given.archive(10).await.unwrap();
    // As releases did that had no tags without events.
    given.owner.execute("drop table event_tag_p000001").await.unwrap();
    given.owner.execute("update log_range set tagged = false where number = 1").await.unwrap();
    let log = Log::open(given.pool.clone()).await.unwrap();
    let tag = Query::tag("n:never");
    is_archived(log.read(&tag, Read::after(0)).await, (1, 10));
    is_archived(log.read(&tag, Read::backwards()).await, (1, 10));
    let mut wish = append(100);
    wish.conditions.push(Condition { query: tag.clone(), after: 9 });
    let Err(AppendError::Log(needs)) = log.append(wish).await else { panic!("it should be missed") };
    is_archived::<()>(Err(needs), (1, 10));
    given.restore(&[moved[0].path.clone()]).await.unwrap();
    assert_eq!((given.everything().await, given.tags().await), (events, tags));
    assert!(log.read(&tag, Read::after(0)).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_range_of_the_head_stays_and_so_does_what_is_not_whole() {
    let given = given().await;
    let error = given.archive(9).await.unwrap_err();
    assert!(matches!(error, ArchiveError::Nothing { until: 9, first_end: Some(10) }), "{error}");
    assert_eq!(given.archive(1_000).await.unwrap().len(), 4);
    assert!(matches!(given.archive(1_000).await, Err(ArchiveError::Nothing { first_end: None, .. })));
    assert!(given.log.read(&Query::all(), Read::after(40)).await.unwrap().len() == 5);
}

#[tokio::test]
async fn broken_off_while_readers_are_in_the_way_it_can_be_done_again() {
    let given = given().await;
    let events = given.everything().await;
    let mut reader = given.owner.begin().await.unwrap();
    reader.execute("lock table event in access share mode").await.unwrap();
    // Written, but not detached: as if it had been killed there.
    tokio::select! {
        outcome = given.archive(10) => panic!("{outcome:?}"),
        () = async { while !given.folder.path().join("range-000001.jsonl").exists() { tokio::task::yield_now().await } } => {}
    }
    reader.rollback().await.unwrap();
    assert_eq!(given.everything().await, events);
    let moved = given.archive(10).await.unwrap();

    // Filled, but not attached.
    let mut reader = given.owner.begin().await.unwrap();
    reader.execute("lock table event in access share mode").await.unwrap();
    reader.execute("lock table event_default in access share mode").await.unwrap();
    let filled = std::sync::atomic::AtomicBool::new(false);
    let files = [moved[0].path.clone()];
    let told = |_| filled.store(true, std::sync::atomic::Ordering::Release);
    tokio::select! {
        outcome = restore(&given.login, &files, &told) => panic!("{outcome:?}"),
        () = async { while !filled.load(std::sync::atomic::Ordering::Acquire) { tokio::task::yield_now().await } } => {}
    }
    reader.rollback().await.unwrap();
    is_archived(given.log.read(&Query::all(), Read::after(0)).await, (1, 10));
    given.restore(&[moved[0].path.clone()]).await.unwrap();
    assert_eq!(given.everything().await, events);
}

#[tokio::test]
async fn a_file_that_is_not_the_one_that_was_archived_is_refused() {
    let given = given().await;
    let events = given.everything().await;
    let moved = given.archive(10).await.unwrap();
    let path = moved[0].path.clone();
    let whole = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let without_last = lines[..lines.len() - 1].join("\n");
    let changed = whole.replace("\"n\": 3.50", "\"n\": 4.50");
    let swapped = [&lines[..2], &[lines[3], lines[2]], &lines[4..]].concat().join("\n");
    for (text, says) in [
        (without_last.as_str(), "its last line is missing"),
        (changed.as_str(), "its digest is"),
        (swapped.as_str(), "position 3 where 2 should be"),
        (&whole[..300], "line"),
        ("", "line 1"),
        (&format!("{whole}\n"), "something follows"),
    ] {
        fs::write(&path, text).unwrap();
        let error = given.restore(std::slice::from_ref(&path)).await.unwrap_err();
        assert!(matches!(error, ArchiveError::Unsound { .. }) && error.to_string().contains(says), "{says}: {error}");
    }
    // Sound in itself, but of another log.
    let other = self::given().await;
    let others = other.archive(10).await.unwrap();
    let error = given.restore(&[others[0].path.clone()]).await.unwrap_err();
    assert!(matches!(error, ArchiveError::Different { number: 1, .. }), "{error}");
    assert!(matches!(other.restore(&[moved[0].path.with_extension("none")]).await, Err(ArchiveError::File { .. })));

    fs::write(&path, &whole).unwrap();
    given.restore(std::slice::from_ref(&path)).await.unwrap();
    // Given again, as after a restore that was broken off: what is back is passed over, and nothing but that.
    assert!(given.restore(std::slice::from_ref(&path)).await.unwrap().is_empty());
    let error = given.restore(&[others[0].path.clone()]).await.unwrap_err();
    assert!(matches!(error, ArchiveError::Unsound { .. }) && error.to_string().contains("in the tables"), "{error}");
    assert_eq!(given.everything().await, events);
}

#[tokio::test]
async fn the_application_can_neither_archive_nor_restore() {
    let given = given().await;
    let error = archive(&given.pool.connect_options(), 10, given.folder.path(), &[], &|_| {}).await.unwrap_err();
    assert!(matches!(error, ArchiveError::Log(LogError::Database { .. })), "{error}");
    assert_eq!(given.everything().await.len(), 45);
    let moved = given.archive(10).await.unwrap();
    let error = restore(&given.pool.connect_options(), &[&moved[0].path], &|_| {}).await.unwrap_err();
    assert!(matches!(error, ArchiveError::Log(LogError::Database { .. })), "{error}");
}
