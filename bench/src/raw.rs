//! The raw limits: the same rows into a table of the same shape that has only a primary key.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;
use sqlx::types::Json;
use sqlx::{ConnectOptions, Executor, PgConnection};
use uuid::Uuid;
use vigie_eventlog::{Metadata, NewEvent};

use crate::Outcome;
use crate::closed_loop::{self, Caller, Measured, Timing};
use crate::database::{Database, Server, Where};
use crate::load;
use crate::report::{Case, Report};

/// What to compare with.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    at: Where,
    #[command(flatten)]
    timing: Timing,
    #[command(flatten)]
    report: crate::report::Args,
    /// Connections that insert.
    #[arg(long, default_value_t = 64)]
    callers: usize,
}

/// Measures the raw limits alone.
pub(crate) async fn run(args: Args) -> Outcome<()> {
    let server = Server::open(&args.at).await?;
    let mut report = Report::new(&server).await?;
    let (mut inserts, mut copies) = (Case::new("one-row INSERT", args.callers), Case::new("COPY of 100 rows", 16));
    for _ in 0..args.timing.rounds {
        let database = server.database().await?;
        inserts.add(insert(&database, args.callers, args.timing).await?);
        copies.add(copy(&database, 16, 100, args.timing).await?);
        server.drop(database).await?;
    }
    report.cases.extend([inserts, copies]);
    report.print(&args.report)?;
    server.close().await
}

/// One row and one transaction at a time, over as many connections as there are callers.
pub(crate) async fn insert(database: &Database, callers: usize, timing: Timing) -> Outcome<Measured> {
    let position = prepare(database).await?;
    let mut inserting = Vec::new();
    for caller in 0..callers {
        let connection = database.options.connect().await?;
        inserting.push(Inserting { connection, position: Arc::clone(&position), caller, n: 0 });
    }
    closed_loop::run(inserting, timing).await
}

/// COPY of so many rows and a transaction at a time.
pub(crate) async fn copy(database: &Database, callers: usize, rows: usize, timing: Timing) -> Outcome<Measured> {
    let position = prepare(database).await?;
    let mut copying = Vec::new();
    for caller in 0..callers {
        let connection = database.options.connect().await?;
        copying.push(Copying { connection, position: Arc::clone(&position), caller, rows, n: 0 });
    }
    closed_loop::run(copying, timing).await
}

/// An empty table of the shape of `event`, and the positions that its callers share.
async fn prepare(database: &Database) -> Outcome<Arc<AtomicI64>> {
    database.pool.execute("drop table if exists raw_event").await?;
    database.pool.execute("create table raw_event (like event)").await?;
    database.pool.execute("alter table raw_event add constraint raw_event_pk primary key (position)").await?;
    Ok(Arc::new(AtomicI64::new(1)))
}

struct Inserting {
    connection: PgConnection,
    position: Arc<AtomicI64>,
    caller: usize,
    n: u64,
}

const INSERT: &str = "insert into raw_event
    (position, id, kind, version, site, tags, data, command_id, correlation_id, command, actor, occurred_at, recorded_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, clock_timestamp())";

impl Caller for Inserting {
    async fn ask(&mut self) -> Outcome<u64> {
        let event = load::event(self.caller, self.n);
        self.n += 1;
        let metadata = load::metadata();
        let data: &RawValue = serde_json::from_str(&event.data)?;
        sqlx::query(INSERT)
            .bind(self.position.fetch_add(1, Ordering::Relaxed))
            .bind(Uuid::now_v7())
            .bind(&event.kind)
            .bind(i16::try_from(event.version)?)
            .bind(&event.site)
            .bind(&event.tags)
            .bind(Json(data))
            .bind(metadata.command_id)
            .bind(metadata.correlation_id)
            .bind(&metadata.command)
            .bind(&metadata.actor)
            .bind(event.occurred_at)
            .execute(&mut self.connection)
            .await?;
        Ok(1)
    }
}

struct Copying {
    connection: PgConnection,
    position: Arc<AtomicI64>,
    caller: usize,
    rows: usize,
    n: u64,
}

impl Caller for Copying {
    async fn ask(&mut self) -> Outcome<u64> {
        let count = i64::try_from(self.rows)?;
        let first = self.position.fetch_add(count, Ordering::Relaxed);
        let metadata = load::metadata();
        let mut text = String::new();
        for position in first..first + count {
            line(&mut text, position, &load::event(self.caller, self.n), &metadata)?;
            self.n += 1;
        }
        let mut copying = self.connection.copy_in_raw(COPY).await?;
        copying.send(text.into_bytes()).await?;
        Ok(copying.finish().await?)
    }
}

const COPY: &str = "copy raw_event
    (position, id, kind, version, site, tags, data, command_id, correlation_id, command, actor, occurred_at, recorded_at)
    from stdin";

/// A row in COPY's text format. Nothing in the load needs escaping but the quotes of JSON, which that format leaves alone.
fn line(text: &mut String, position: i64, event: &NewEvent, metadata: &Metadata) -> Outcome<()> {
    use std::fmt::Write;
    let now: DateTime<Utc> = event.occurred_at;
    writeln!(
        text,
        "{position}\t{}\t{}\t{}\t{}\t{{{}}}\t{}\t{}\t{}\t{}\t{}\t{}\t{}",
        Uuid::now_v7(),
        event.kind,
        event.version,
        event.site,
        event.tags.join(","),
        event.data,
        metadata.command_id,
        metadata.correlation_id,
        metadata.command,
        metadata.actor,
        event.occurred_at.to_rfc3339(),
        now.to_rfc3339(),
    )?;
    Ok(())
}
