//! `check` on logs that were broken on purpose, as only their owner can with the triggers off.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

mod filling;

use std::sync::Mutex;

use sqlx::{Executor, PgPool};
use vigie_eventlog::check::{Checked, Progress, STRETCH, check};
use vigie_eventlog::ranges::{archive, restore};
use vigie_eventlog::{Log, Recorded, testing};

use filling::{fill, tamper};

/// Refuses events of one type only.
fn readable(event: &Recorded) -> Result<(), String> {
    if event.kind == "spec.unreadable" { Err("nobody can read this".to_owned()) } else { Ok(()) }
}

async fn checked(pool: &PgPool) -> Checked {
    let whole = check(pool, STRETCH, &readable, &|_| {}).await.unwrap();
    // The same in many small steps, which cut through commands.
    let mut stepwise = check(pool, 2, &readable, &|_| {}).await.unwrap();
    if whole.found <= Checked::SHOWN as u64 && whole.head == stepwise.head {
        let mut sorted = whole.clone();
        for checked in [&mut stepwise, &mut sorted] {
            checked.findings.sort_by(|a, b| (a.position, &a.problem).cmp(&(b.position, &b.problem)));
        }
        assert_eq!(stepwise, sorted);
    }
    whole
}

/// A log of 6 commands with 1 to 3 events: 1, 2-3, 4-6, 7, 8-9, 10-12.
async fn log() -> PgPool {
    let pool = testing::database().await;
    let log = Log::open(pool.clone()).await.unwrap();
    fill(&log, 6).await;
    log.close().await;
    pool
}

/// What the check finds after `sql`, as it is told.
async fn findings(sql: &str) -> Vec<String> {
    let pool = log().await;
    assert!(checked(&pool).await.is_sound());
    tamper(&pool, sql).await;
    let checked = checked(&pool).await;
    assert_eq!(checked.found, checked.findings.len() as u64);
    checked.findings.iter().map(ToString::to_string).collect()
}

#[track_caller]
fn assert_found(found: &[String], wanted: &[&str]) {
    let all = found.len() == wanted.len() && found.iter().zip(wanted).all(|(found, wanted)| found.contains(wanted));
    assert!(all, "found {found:#?}\nwanted {wanted:#?}");
}

#[tokio::test]
async fn a_sound_log_has_no_findings_and_progress_is_told() {
    let pool = log().await;
    let told = Mutex::new(Vec::new());
    let sound = check(&pool, STRETCH, &readable, &|progress| told.lock().unwrap().push(progress)).await.unwrap();
    assert_eq!((sound.head, sound.events, sound.found), (12, 12, 0));
    let told = told.into_inner().unwrap();
    assert!(told.contains(&Progress::Events(12)) && told.contains(&Progress::Tables("event ids")), "{told:?}");
    let empty = testing::database().await;
    assert_eq!(checked(&empty).await, Checked::default());
}

#[tokio::test]
async fn a_table_that_nothing_protects_is_found() {
    let pool = log().await;
    let owner = testing::owner(&pool).await;
    let disable = "alter table event_tag_p000001 disable trigger user; alter table command enable trigger user";
    owner.execute(disable).await.unwrap();
    let found: Vec<_> = checked(&pool).await.findings.iter().map(ToString::to_string).collect();
    assert_found(&found, &["changes of the table command", "changes of the table event_tag_p000001"]);
}

#[tokio::test]
async fn a_missing_event_is_a_gap() {
    let found = findings("delete from event where position = 7").await;
    assert_found(
        &found,
        &[
            "position 7: there is no event",
            "position 7: the tag table has the tag command:3",
            "position 7: the tag table has the tag thing:1",
        ],
    );
}

#[tokio::test]
async fn missing_events_are_one_gap() {
    let found = findings(
        "delete from event where position between 2 and 6; delete from event_tag where position between 2 and 6",
    )
    .await;
    assert_found(&found, &["position 2: there are no events up to position 6"]);
}

#[tokio::test]
async fn a_head_that_is_behind_or_ahead_is_found() {
    let found = findings("update log_head set position = 9").await;
    assert_found(
        &found,
        &[
            "position 12: it is the last event, and the log's head says 9",
            "position 12: the tag table",
            "position 12: the table of commands",
        ],
    );
    let found = findings("update log_head set position = 14").await;
    assert_found(
        &found,
        &[
            "position 12: it is the last event, and the log's head says 14",
            "position 13: there are no events up to position 14",
        ],
    );
    let found = findings("update log_head set recorded_at = '2020-01-01'").await;
    assert_found(&found, &["position 12: it was recorded later"]);
}

#[tokio::test]
async fn times_that_go_back_are_found() {
    let found = findings("update event set recorded_at = '2020-01-01' where position = 5").await;
    assert_found(&found, &["position 5: recorded at 2020-01-01 00:00:00 UTC, before the event ahead of it"]);
}

#[tokio::test]
async fn a_tag_that_is_missing_or_too_many_on_either_side_is_found() {
    let found = findings("delete from event_tag where position = 4 and tag = 'thing:0'").await;
    assert_found(&found, &["position 4: it carries the tag thing:0, which the tag table does not have"]);
    let found = findings("insert into event_tag (tag, position, kind) values ('thing:9', 4, 'spec.happened')").await;
    assert_found(&found, &["position 4: the tag table has the tag thing:9, which it does not carry"]);
    let found = findings("update event set tags = tags || '{thing:9}'::text[] where position = 4").await;
    assert_found(&found, &["position 4: it carries the tag thing:9, which the tag table does not have"]);
    let found = findings("update event set tags = tags || tags[1] where position = 4").await;
    assert_found(&found, &["position 4: it carries the tag command:2 twice"]);
}

#[tokio::test]
async fn a_tag_with_another_type_is_found() {
    let found = findings("update event_tag set kind = 'spec.other' where position = 4 and tag = 'thing:0'").await;
    assert_found(
        &found,
        &["position 4: it is a spec.happened, and with the tag thing:0 the tag table says spec.other"],
    );
}

#[tokio::test]
async fn a_command_that_is_missing_is_found() {
    let found = findings("delete from command where first_position = 4").await;
    assert_found(
        &found,
        &["position 4: its command 00000000-0000-7000-8000-000000000002 is not in the table of commands"],
    );
}

#[tokio::test]
async fn a_command_with_other_positions_or_another_name_is_found() {
    let found = findings("update command set last_position = 5 where first_position = 4").await;
    assert_found(
        &found,
        &[
            "position 4: the events of its command 00000000-0000-7000-8000-000000000002 are at 4 to 6, and the table of commands says 4 to 5",
        ],
    );
    let found = findings("update command set name = 'spec.other' where first_position = 4").await;
    assert_found(
        &found,
        &[
            "position 4: its command 00000000-0000-7000-8000-000000000002 is spec.given in the event and spec.other in the table",
        ],
    );
}

#[tokio::test]
async fn a_command_without_events_is_found() {
    let found = findings("insert into command (id, name, first_position, last_position) values ('ffffffff-0000-7000-8000-000000000000', 'spec.given', 5, 5)").await;
    assert_found(
        &found,
        &[
            "position 5: the table of commands gives it to spec.given ffffffff-0000-7000-8000-000000000000 as well as to the command 00000000-0000-7000-8000-000000000002",
        ],
    );
    let found = findings("insert into command (id, name, first_position, last_position) values ('ffffffff-0000-7000-8000-000000000000', 'spec.given', 0, 0)").await;
    assert_found(
        &found,
        &["position 0: the table of commands has spec.given ffffffff-0000-7000-8000-000000000000 at 0 to 0"],
    );
}

#[tokio::test]
async fn an_event_that_was_given_to_another_command_is_found() {
    let found =
        findings("update event set command_id = (select command_id from event where position = 7) where position = 5")
            .await;
    assert_found(
        &found,
        &[
            "position 4: the events of its command 00000000-0000-7000-8000-000000000002 are at 4 to 4",
            "position 5: the events of its command 00000000-0000-7000-8000-000000000003 are at 5 to 5",
            "position 6: the events of its command 00000000-0000-7000-8000-000000000002 are at 6 to 6",
        ],
    );
}

#[tokio::test]
async fn an_id_that_two_events_have_is_found() {
    let found = findings("drop index event_p000001_id; update event set id = (select id from event where position = 2) where position = 9").await;
    assert_found(&found, &["position 2: 2 events have its id"]);
}

#[tokio::test]
async fn an_event_that_cannot_be_read_is_found_with_the_reason() {
    let found = findings("update event set kind = 'spec.unreadable' where position = 3; update event_tag set kind = 'spec.unreadable' where position = 3").await;
    assert_found(&found, &["position 3: nobody can read this"]);
}

#[tokio::test]
async fn only_the_first_findings_are_listed_and_all_are_counted() {
    let pool = testing::database().await;
    let log = Log::open(pool.clone()).await.unwrap();
    fill(&log, 150).await;
    tamper(&pool, "delete from event_tag where tag like 'command:%'").await;
    let checked = checked(&pool).await;
    assert_eq!((checked.findings.len(), checked.found), (Checked::SHOWN, 300));
    log.close().await;
}

#[tokio::test]
async fn a_check_of_a_growing_log_looks_up_to_where_it_began() {
    let pool = log().await;
    let log = Log::open(pool.clone()).await.unwrap();
    let growing = tokio::spawn(async move {
        filling::fill_from(&log, 6, 200).await;
        log.close().await;
    });
    while !growing.is_finished() {
        let checked = checked(&pool).await;
        assert!(checked.is_sound(), "{checked:?}");
        assert_eq!(checked.events, checked.head);
    }
    growing.await.unwrap();
    assert_eq!(checked(&pool).await.events, 411);
}

#[tokio::test]
async fn what_is_archived_is_left_out_wherever_it_lies_and_the_rest_is_looked_at() {
    let pool = testing::database().await;
    let admin = testing::owner(&pool).await;
    admin.execute("select log_resize(5)").await.unwrap();
    let log = Log::open(pool.clone()).await.unwrap();
    for number in 0..12 {
        filling::fill_from(&log, number, 1).await;
        // Ranges stay ahead, so that each has its five positions.
        while sqlx::query_scalar::<_, bool>("select log_extend(2)").fetch_one(&admin).await.unwrap() {}
    }
    let (folder, owner) = (tempfile::tempdir().unwrap(), testing::owner_options(&pool.connect_options()));
    // Ranges of 5 events cut through commands of 2 and 3.
    let archived = archive(&owner, 15, folder.path(), &[], &|_| {}).await.unwrap();
    assert_eq!(archived.len(), 3);
    let sound = checked(&pool).await;
    assert_eq!((sound.events, sound.archived, &sound.findings), (9, 15, &vec![]));
    // The first and the last are there again, the one in the middle is not.
    restore(&owner, &[archived[0].path.clone(), archived[2].path.clone()], &|_| {}).await.unwrap();
    let sound = checked(&pool).await;
    assert_eq!((sound.events, sound.archived, &sound.findings), (19, 5, &vec![]));
    tamper(&pool, "update event set recorded_at = '2020-01-01' where position in (3, 18)").await;
    assert_eq!(checked(&pool).await.found, 2);
    log.close().await;
}

#[tokio::test]
async fn ranges_of_positions_are_looked_at_one_after_the_other() {
    let pool = testing::database().await;
    testing::owner(&pool).await.execute("select log_resize(5)").await.unwrap();
    let log = Log::open(pool.clone()).await.unwrap();
    fill(&log, 20).await;
    log.close().await;
    let checked = checked(&pool).await;
    assert!(checked.is_sound() && checked.events == 39, "{checked:?}");
}
