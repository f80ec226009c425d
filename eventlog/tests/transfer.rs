//! The log as a file, and back.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

mod filling;

use sqlx::{AssertSqlSafe, Executor, PgPool};
use vigie_eventlog::check::{STRETCH, check};
use vigie_eventlog::transfer::{Exported, Imported, TransferError, export, import};
use vigie_eventlog::{Log, testing};

use filling::{fill, fill_from, tamper};

/// A log of 6 commands with 1 to 3 events: 1, 2-3, 4-6, 7, 8-9, 10-12.
async fn filled() -> (PgPool, Log) {
    let pool = testing::database().await;
    let log = Log::open(pool.clone()).await.unwrap();
    fill(&log, 6).await;
    (pool, log)
}

async fn exported(log: &Log, after: i64, until: Option<i64>) -> String {
    let mut file = Vec::new();
    let exported = export(log, after, until, &mut file, &|_| {}).await.unwrap();
    let file = String::from_utf8(file).unwrap();
    assert_eq!(exported.events, file.lines().count() as i64 - 2);
    file
}

async fn imported(pool: &PgPool, file: &str) -> Result<Imported, TransferError> {
    let mut owner = testing::owner(pool).await.acquire().await.unwrap();
    import(&mut owner, "log.jsonl", file.as_bytes(), &|_| {}).await
}

/// Every row of the log as text.
async fn rows(pool: &PgPool) -> Vec<String> {
    let mut rows = Vec::new();
    for sql in [
        "select e::text from event e order by position",
        "select t::text from event_tag t order by tag, position",
        "select c::text from command c order by first_position",
        "select (position, recorded_at >= (select max(recorded_at) from event))::text from log_head",
    ] {
        rows.extend(sqlx::query_scalar::<_, String>(AssertSqlSafe(sql)).fetch_all(pool).await.unwrap());
    }
    rows
}

async fn assert_refused(pool: &PgPool, file: &str, wanted: &[&str]) {
    let before = rows(pool).await;
    let told = imported(pool, file).await.unwrap_err().to_string();
    assert!(wanted.iter().all(|wanted| told.contains(wanted)), "{told}\nwanted {wanted:?}");
    assert_eq!(rows(pool).await, before, "nothing of it is in");
}

#[tokio::test]
async fn a_log_that_went_through_a_file_is_the_same_row_by_row_and_gives_the_same_bytes() {
    let (source_pool, source) = filled().await;
    let file = exported(&source, 0, None).await;
    let pool = testing::database().await;
    assert_eq!(imported(&pool, &file).await.unwrap(), Imported { events: 12, last: 12 });
    let target = Log::open(pool.clone()).await.unwrap();
    assert_eq!(exported(&target, 0, None).await, file);
    assert_eq!(rows(&pool).await, rows(&source_pool).await);
    assert!(check(&pool, STRETCH, &|_| Ok(()), &|_| {}).await.unwrap().is_sound());
    // It goes on from the next position, and knows the commands that it has.
    fill_from(&target, 4, 3).await;
    assert_eq!(target.head().await.unwrap(), 13);
}

#[tokio::test]
async fn an_empty_log_is_a_file_too() {
    let file = exported(&Log::open(testing::database().await).await.unwrap(), 0, None).await;
    assert!(
        file.starts_with("{\"format\":\"vigie log\",\"version\":1,\"first\":1}\n{\"end\":{\"events\":0,\"last\":0,")
    );
    let pool = testing::database().await;
    assert_eq!(imported(&pool, &file).await.unwrap(), Imported { events: 0, last: 0 });
}

#[tokio::test]
async fn parts_that_follow_each_other_make_the_whole() {
    let (_, source) = filled().await;
    let whole = exported(&source, 0, None).await;
    let parts =
        [exported(&source, 0, Some(3)).await, exported(&source, 3, Some(9)).await, exported(&source, 9, None).await];
    let pool = testing::database().await;
    for part in &parts {
        imported(&pool, part).await.unwrap();
    }
    assert_eq!(exported(&Log::open(pool).await.unwrap(), 0, None).await, whole);
}

#[tokio::test]
async fn a_bound_inside_a_command_or_beyond_the_log_is_refused_with_what_is_possible() {
    let (_, source) = filled().await;
    for (after, until, wanted) in [
        (0, Some(5), "at positions 4 to 6: choose 3 or 6"),
        (8, None, "at positions 8 to 9: choose 7 or 9"),
        (0, Some(13), "there is nothing to export from position 1 to 13: the log ends at 12"),
        (9, Some(6), "there is nothing to export from position 10 to 6"),
    ] {
        let refused = export(&source, after, until, std::io::sink(), &|_| {}).await.unwrap_err().to_string();
        assert!(refused.contains(wanted), "{refused}");
    }
}

#[tokio::test]
async fn a_file_goes_into_a_log_that_ends_right_before_it_only() {
    let (source_pool, source) = filled().await;
    let (whole, second) = (exported(&source, 0, None).await, exported(&source, 6, None).await);
    assert_refused(&source_pool, &whole, &["begins at position 1", "the log ends at 12"]).await;
    let pool = testing::database().await;
    assert_refused(&pool, &second, &["log.jsonl begins at position 7", "the log ends at 0"]).await;
    imported(&pool, &exported(&source, 0, Some(3)).await).await.unwrap();
    assert_refused(&pool, &second, &["begins at position 7", "the log ends at 3"]).await;
}

#[tokio::test]
async fn a_bad_line_is_named_and_nothing_of_the_file_is_in() {
    let file = exported(&filled().await.1, 0, None).await;
    let lines: Vec<&str> = file.lines().collect();
    let pool = testing::database().await;
    let with = |number: usize, line: &str| {
        let mut lines: Vec<&str> = lines.clone();
        lines[number - 1] = line;
        lines.join("\n") + "\n"
    };
    let changed = |number: usize, from: &str, to: &str| {
        assert!(lines[number - 1].contains(from), "{} has no {from}", lines[number - 1]);
        with(number, &lines[number - 1].replace(from, to))
    };
    let id = |number: usize| lines[number - 1].split('"').nth(5).unwrap();
    for (bad, wanted) in [
        (with(1, "{}"), vec!["line 1:", "no file of vigie log export"]),
        (changed(1, "\"version\":1", "\"version\":2"), vec!["line 1:", "version 2", "upgrade vigie"]),
        (with(4, "nonsense"), vec!["log.jsonl, line 4:", "expected"]),
        (changed(4, "\"site\"", "\"sight\""), vec!["line 4:", "unknown field `sight`"]),
        (changed(4, "\"position\":3", "\"position\":4"), vec!["line 4:", "position 4 does not follow 2"]),
        (changed(4, "\"version\":", "\"version\":-"), vec!["line 4:"]),
        (changed(4, "\"recorded_at\":\"2", "\"recorded_at\":\"1"), vec!["line 4:", "before the event ahead of it"]),
        (changed(4, "\"thing:1\"", "\"command:1\""), vec!["line 4:", "cannot be stored", "event_tag"]),
        (changed(9, id(9), id(2)), vec!["line 9:", "cannot be stored", "duplicate key"]),
        (
            changed(8, "8000-000000000003\",\"command\":", "8000-000000000001\",\"command\":"),
            vec!["line 8:", "cannot be stored", "command_pk"],
        ),
        (changed(4, "\"n\": 1", "\"n\": \"\\u0000\""), vec!["line 4:", "U+0000"]),
        (changed(4, "\"n\": 1", "\"n\": 2"), vec!["line 14:", "the file is not what it was"]),
        (changed(14, "\"events\":12", "\"events\":13"), vec!["line 14:", "the file is not what it was"]),
        (lines[..13].join("\n") + "\n", vec!["line 14:", "without its closing line"]),
        (lines[..6].join("\n"), vec!["without its closing line"]),
        (file.clone() + "more\n", vec!["line 15:", "more after the closing line"]),
        (String::new(), vec!["line 1:", "the file is empty"]),
    ] {
        assert_refused(&pool, &bad, &wanted).await;
    }
    imported(&pool, &file).await.unwrap();
}

#[tokio::test]
async fn an_answer_beside_another_event_than_the_first_is_refused() {
    let file = exported(&filled().await.1, 0, None).await;
    let bad = file.replace("\"position\":3,", "\"position\":3,\"answer\":1,");
    assert_refused(&testing::database().await, &bad, &["line 4:", "beside its first event"]).await;
}

#[tokio::test]
async fn what_is_imported_lies_in_ranges_of_positions_like_what_is_appended() {
    let file = exported(&filled().await.1, 0, None).await;
    let pool = testing::database().await;
    let owner = testing::owner(&pool).await;
    owner.execute("select log_resize(5)").await.unwrap();
    imported(&pool, &file).await.unwrap();
    let in_default: i64 = sqlx::query_scalar("select count(*) from event_default").fetch_one(&owner).await.unwrap();
    let last: i64 = sqlx::query_scalar("select max(last_position) from log_range").fetch_one(&owner).await.unwrap();
    assert!(in_default == 0 && last > 17, "{in_default} {last}");
    assert_eq!(exported(&Log::open(pool).await.unwrap(), 0, None).await, file);
}

#[tokio::test]
async fn an_export_stops_where_the_log_is_not_whole() {
    for (sql, wanted) in [
        ("delete from event where position = 5", "past position 4: there is no event at position 5"),
        ("delete from command where first_position = 4", "past position 3: its command"),
        ("update command set last_position = 5 where first_position = 4", "past position 5: its command"),
    ] {
        let (pool, source) = filled().await;
        tamper(&pool, sql).await;
        let told = export(&source, 0, None, std::io::sink(), &|_| {}).await.unwrap_err().to_string();
        assert!(told.contains(wanted) && told.contains("vigie log check"), "{told}");
    }
}

#[tokio::test]
async fn an_export_of_a_growing_log_ends_where_the_log_ended_when_it_began() {
    let (_, source) = filled().await;
    let (mut file, log) = (Vec::new(), source.clone());
    let before = source.head().await.unwrap();
    let appending = tokio::spawn(async move {
        for n in 6.. {
            fill_from(&log, n, 1).await;
        }
    });
    let Exported { events, .. } = export(&source, 0, None, &mut file, &|_| {}).await.unwrap();
    assert!(events >= before);
    let mut head = source.seen();
    head.wait_for(|head| *head > events).await.unwrap();
    appending.abort();
    let pool = testing::database().await;
    assert_eq!(imported(&pool, std::str::from_utf8(&file).unwrap()).await.unwrap().events, events);
}
