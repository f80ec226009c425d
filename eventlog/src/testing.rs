//! A fresh database for a test, on a real Postgres.

use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgPool};

use crate::database;

/// The environment variable that names the test server, such as `postgres:///postgres?host=/run/x`.
pub const SERVER: &str = "VIGIE_TEST_DATABASE_URL";

/// A database of its own for one test, migrated, with the rights of the application. It stays until the server goes, or
/// somebody drops it.
///
/// # Panics
/// The server is not set ([`SERVER`]; `make test` starts one and sets it) or cannot be used.
pub async fn database() -> PgPool {
    let options = options().await;
    PgPoolOptions::new().max_connections(16).connect_with(options).await.expect("the new test database can be reached")
}

/// The same database as its owner, who may change its structure.
///
/// # Panics
/// As [`database()`].
pub async fn owner(of: &PgPool) -> PgPool {
    let options = owner_options(&of.connect_options());
    PgPoolOptions::new().max_connections(4).connect_with(options).await.expect("the test database can be reached")
}

/// How to connect as the owner of a test database, to which these options connect.
///
/// # Panics
/// As [`database()`].
#[must_use]
pub fn owner_options(of: &PgConnectOptions) -> PgConnectOptions {
    server().database(of.get_database().expect("a test database has a name"))
}

fn server() -> PgConnectOptions {
    let url = std::env::var(SERVER).unwrap_or_else(|_| {
        panic!("{SERVER} is not set: run the tests with `make test`, or set it to a server where databases may be made")
    });
    PgConnectOptions::from_str(&url).expect("the test server's URL can be read")
}

/// A database in the shape of an earlier release: with the migrations up to `version`, as their owner.
///
/// # Panics
/// As [`database()`].
pub async fn released(version: i64) -> PgPool {
    let server = server();
    let name = format!("vigie_test_{}", uuid::Uuid::now_v7().simple());
    let mut admin = server.connect().await.expect("the test server can be reached");
    let create = AssertSqlSafe(format!(r#"create database "{name}""#));
    admin.execute(create).await.expect("a test database can be made");
    let pool = PgPoolOptions::new().max_connections(4).connect_with(server.database(&name)).await;
    let pool = pool.expect("the new test database can be reached");
    crate::MIGRATOR.run_to(version, &pool).await.expect("the migrations of a release run");
    pool
}

/// How the application connects to a new, migrated database.
///
/// # Panics
/// As [`database()`].
pub async fn options() -> PgConnectOptions {
    let server = server();
    let template = template(&server).await;
    let name = format!("vigie_test_{}", uuid::Uuid::now_v7().simple());
    let mut admin = server.connect().await.expect("the test server can be reached");
    admin
        .execute(AssertSqlSafe(format!(r#"create database "{name}" template "{template}" strategy wal_log"#)))
        .await
        .expect("a test database can be made");
    admin.close().await.expect("the connection closes");
    database::in_role(&server.database(&name))
}

/// The migrated database that others are copied from; its name follows from the migrations.
async fn template(server: &PgConnectOptions) -> String {
    let digest = crate::MIGRATOR
        .iter()
        .flat_map(|m| m.checksum.iter())
        .chain(include_bytes!("database/rights.sql"))
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    let name = format!("vigie_template_{digest:016x}");
    let mut admin = server.connect().await.expect("the test server can be reached");
    // Tests run in many processes at once: one makes the template, the others wait.
    admin.execute("select pg_advisory_lock(817264)").await.expect("the lock can be had");
    let known: bool = sqlx::query_scalar("select exists (select from pg_database where datname = $1)")
        .bind(&name)
        .fetch_one(&mut admin)
        .await
        .expect("the catalogue can be read");
    if !known {
        let making = format!("{name}_making");
        for statement in [format!(r#"drop database if exists "{making}""#), format!(r#"create database "{making}""#)] {
            admin.execute(AssertSqlSafe(statement)).await.expect("the template can be made");
        }
        let making_it = server.clone().database(&making);
        database::prepare(&making_it).await.expect("the migrations run, and the roles can be made");
        admin
            .execute(AssertSqlSafe(format!(r#"alter database "{making}" rename to "{name}""#)))
            .await
            .expect("the template can be named");
    }
    admin.close().await.expect("the connection closes");
    name
}
