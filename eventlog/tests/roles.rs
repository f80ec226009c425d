//! Append-only, held by the database: what the application's role cannot do, and what nobody can.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgPool};
use uuid::Uuid;
use vigie_eventlog::database::{PrepareError, as_application, prepare};
use vigie_eventlog::{Append, Log, MIGRATOR, Metadata, NewEvent, testing};

fn append() -> Append {
    let command_id = Uuid::now_v7();
    let event = NewEvent {
        kind: "test.written".into(),
        version: 1,
        site: "LFW".into(),
        tags: vec!["t:1".into()],
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
    Append { events: vec![event], metadata, conditions: Vec::new(), answer: None }
}

async fn refused(pool: &PgPool, statement: &str) -> String {
    match sqlx::query(AssertSqlSafe(statement)).execute(pool).await {
        Ok(_) => panic!("{statement} was not refused"),
        Err(error) => error.as_database_error().and_then(|error| error.code()).unwrap().into_owned(),
    }
}

/// The log's tables and, of the ranges, those that are there now.
const TABLES: [&str; 9] = [
    "event",
    "event_tag",
    "command",
    "event_p000001",
    "event_tag_p000001",
    "event_p000003",
    "event_tag_p000003",
    "event_default",
    "event_tag_default",
];

fn changes(table: &str) -> [String; 3] {
    let column = if table == "command" { "name" } else { "kind" };
    [format!("update {table} set {column} = 'b'"), format!("delete from {table}"), format!("truncate {table}")]
}

#[tokio::test]
async fn the_application_can_neither_change_nor_delete_nor_insert() {
    let pool = testing::database().await;
    let log = Log::open(pool.clone()).await.unwrap();
    log.append(append()).await.unwrap();
    for table in TABLES {
        for statement in changes(table) {
            assert_eq!(refused(&pool, &statement).await, "42501", "{statement}");
        }
        let insert = format!("insert into {table} select * from {table}");
        assert_eq!(refused(&pool, &insert).await, "42501", "{insert}");
    }
    for statement in [
        "update log_head set position = 0",
        "delete from log_range",
        "update log_partitioning set range_size = 1",
        "select log_resize(10)",
        "alter table event disable trigger all",
        "drop table event",
        "create table of_mine ()",
    ] {
        assert_eq!(refused(&pool, statement).await, "42501", "{statement}");
    }
    assert_eq!(log.append(append()).await.unwrap().first, 2);
}

#[tokio::test]
async fn the_owner_is_refused_by_a_trigger_on_every_partition() {
    let pool = testing::database().await;
    Log::open(pool.clone()).await.unwrap().append(append()).await.unwrap();
    let owner = testing::owner(&pool).await;
    for table in TABLES {
        for statement in changes(table) {
            assert_eq!(refused(&owner, &statement).await, "23001", "{statement}");
        }
    }
    // As replication does, whose session other triggers leave alone.
    let mut replica = owner.acquire().await.unwrap();
    replica.execute("set session_replication_role = replica").await.unwrap();
    let error = replica.execute("delete from event_p000001").await.unwrap_err();
    assert_eq!(error.as_database_error().unwrap().code().unwrap(), "23001");
}

#[tokio::test]
async fn the_application_makes_and_drops_read_models() {
    let pool = testing::database().await;
    for statement in [
        "create table read_rebuild.sites (like read.sites including all)",
        "drop table read.sites",
        "alter table read_rebuild.sites set schema read",
        "insert into feed_clock values ('LFW', 's', 'f', now())",
        "insert into policy_checkpoint (name, position) values ('p', 0)",
        "update policy_checkpoint set position = 1",
    ] {
        pool.execute(statement).await.unwrap();
    }
}

#[tokio::test]
async fn many_databases_of_one_server_may_be_prepared_at_once() {
    let of = testing::owner_options(&testing::options().await);
    let local = tokio::task::LocalSet::new();
    let prepared = (0..6).map(|_| {
        let of = of.clone();
        local.spawn_local(async move {
            let name = format!("vigie_test_{}", Uuid::now_v7().simple());
            let mut admin = of.connect().await.unwrap();
            admin.execute(AssertSqlSafe(format!(r#"create database "{name}""#))).await.unwrap();
            admin.close().await.unwrap();
            // Two processes that start on it together, too.
            let options = of.database(&name);
            let (one, other) = tokio::join!(prepare(&options), prepare(&options));
            one.unwrap();
            other.unwrap();
            let pool = connect(as_application(&options).await.unwrap()).await;
            let role: String = sqlx::query_scalar("select current_user::text").fetch_one(&pool).await.unwrap();
            assert_eq!(role, "vigie_app");
            Log::open(pool).await.unwrap().append(append()).await.unwrap();
        })
    });
    let prepared: Vec<_> = prepared.collect();
    local.await;
    for prepared in prepared {
        prepared.await.unwrap();
    }
}

async fn connect(options: PgConnectOptions) -> PgPool {
    PgPoolOptions::new().max_connections(4).connect_with(options).await.unwrap()
}

#[tokio::test]
async fn a_login_that_may_not_migrate_works_once_it_is_done_and_says_when_it_is_not() {
    let app = testing::options().await;
    prepare(&app).await.unwrap();

    let owner = testing::owner(&connect(app.clone()).await).await;
    let last = MIGRATOR.iter().map(|migration| migration.version).max().unwrap();
    owner.execute(AssertSqlSafe(format!("delete from _sqlx_migrations where version = {last}"))).await.unwrap();
    let error = prepare(&app).await.unwrap_err();
    assert!(matches!(&error, PrepareError::NotMigrated { missing, .. } if *missing == [last]), "{error:?}");
    assert!(error.to_string().contains("VIGIE_MIGRATION_DATABASE_URL"), "{error}");

    owner.execute("update _sqlx_migrations set checksum = 'x' where version = 1").await.unwrap();
    let error = prepare(&app).await.unwrap_err();
    assert!(matches!(&error, PrepareError::OtherVersion { differing } if *differing == [1]), "{error:?}");
}

#[tokio::test]
async fn a_login_that_cannot_become_the_application_keeps_its_own_rights() {
    let pool = testing::database().await;
    let owner = testing::owner(&pool).await;
    let name = format!("vigie_test_{}", Uuid::now_v7().simple());
    owner.execute(AssertSqlSafe(format!("create role {name} login"))).await.unwrap();
    let login = testing::owner_options(&pool.connect_options()).username(&name);
    let plain = connect(as_application(&login).await.unwrap()).await;
    let role: String = sqlx::query_scalar("select current_user::text").fetch_one(&plain).await.unwrap();
    owner.execute(AssertSqlSafe(format!("drop role {name}"))).await.unwrap();
    assert_eq!(role, name);
}

#[tokio::test]
async fn a_released_database_of_one_role_alone_is_brought_up_to_date() {
    let of = testing::owner_options(&testing::options().await);
    let name = format!("vigie_test_{}", Uuid::now_v7().simple());
    let mut admin = of.connect().await.unwrap();
    admin.execute(AssertSqlSafe(format!(r#"create database "{name}""#))).await.unwrap();
    admin.close().await.unwrap();
    let options = of.database(&name);
    let before = connect(options.clone()).await;
    MIGRATOR.run_to(5, &before).await.unwrap();
    before
        .execute("insert into read.checkpoint (name, version, position, state) values ('m', 1, 0, 'running')")
        .await
        .unwrap();

    prepare(&options).await.unwrap();
    let pool = connect(as_application(&options).await.unwrap()).await;
    Log::open(pool.clone()).await.unwrap().append(append()).await.unwrap();
    pool.execute("update read.checkpoint set position = 1 where name = 'm'").await.unwrap();
    assert_eq!(refused(&pool, "delete from event").await, "42501");
    // The program of the release, which may still be running, goes on.
    before.execute("update read.checkpoint set position = 2 where name = 'm'").await.unwrap();
    assert_eq!(refused(&before, "delete from event").await, "23001");
}
