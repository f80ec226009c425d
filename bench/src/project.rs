//! How fast each read model is made from the log, beside a projector that runs a statement for each event.

use std::time::Instant;

use sqlx::{Connection, Executor, PgConnection};
use tokio_util::sync::CancellationToken;
use vigie_eventlog::{Log, Query};
use vigie_projections::{MODELS, rebuild};

use crate::closed_loop::{Measured, histogram};
use crate::database::{Database, Server, Where};
use crate::report::{Case, Report};
use crate::{Outcome, facts, memory};

/// How much to fold.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    at: Where,
    #[command(flatten)]
    report: crate::report::Args,
    /// Events in the log.
    #[arg(long, default_value_t = 1_000_000)]
    events: usize,
    /// How many of them the naive projector folds; its rate does not depend on it.
    #[arg(long, default_value_t = 30_000)]
    naive: i64,
    /// How often everything is measured, in turns.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Only the read model of this name.
    #[arg(long)]
    only: Option<String>,
    /// A log that is there already and stays, such as one of an earlier run.
    #[arg(long)]
    from: Option<String>,
}

/// Rebuilds the read models one after the other.
pub(crate) async fn run(args: Args) -> Outcome<()> {
    let server = Server::open(&args.at).await?;
    let mut report = Report::new(&server).await?;
    let database = match &args.from {
        Some(url) => Database::open(url).await?,
        None => server.database().await?,
    };
    let log = Log::open(database.pool.clone()).await?;
    if log.head().await? == 0 {
        facts::put(&log, [facts::site()]).await?;
        facts::put(&log, (0..100).map(facts::stand)).await?;
        facts::put(&log, facts::days(args.events)).await?;
    }
    let head = log.head().await?;
    let until = args.naive.min(head);
    for model in MODELS.iter().filter(|model| args.only.as_ref().is_none_or(|only| only == model.name)) {
        let mut ours = Case::new(model.name, 1);
        let mut naive = Case::new("naive: a statement for each event", 1);
        let mut generous = Case::new("the same, 256 in a transaction", 1);
        let mut shares = Vec::new();
        for _ in 0..args.rounds {
            let mut connection = PgConnection::connect_with(&database.options).await?;
            naive.add(statement_for_each(&mut connection, &log, until, false).await?);
            generous.add(statement_for_each(&mut connection, &log, until, true).await?);
            let (since, before) = (Instant::now(), memory::processor()?);
            rebuild(&database.pool, &log, model.name, &|_| {}, &CancellationToken::new()).await?;
            let seconds = since.elapsed().as_secs_f64();
            shares.push(format!("{:.2} of {seconds:.2} s", memory::processor()? - before));
            ours.add(Measured::of(head as f64 / seconds, &histogram()));
        }
        let (now, most) = memory::resident()?;
        let shares = shares.join(", ");
        report.note(format!("{}: processor time {shares}; resident {now} MiB, at most {most} MiB so far", model.name));
        report.compare(ours.clone(), naive, None);
        report.compare(ours, generous, None);
    }
    report.note(format!("{head} events of the log; read models that match few of them pass over the others"));
    log.close().await;
    report.print(&args.report)?;
    match args.from {
        Some(_) => database.pool.close().await,
        None => server.drop(database).await?,
    }
    server.close().await
}

/// The least that a projector does which thinks in rows: for each event one upsert of what it is about, by key. No
/// history, no second index, no reading before writing. In a transaction each, as such projectors do; or, to be
/// generous, a transaction for each piece of 256 that is read, so that flushes hardly count.
async fn statement_for_each(connection: &mut PgConnection, log: &Log, until: i64, pieces: bool) -> Outcome<Measured> {
    let table = "create table naive_row (key text primary key, kind text not null, data json not null,
                                         position bigint not null, at timestamptz not null)";
    sqlx::query("drop table if exists naive_row").execute(&mut *connection).await?;
    sqlx::query(table).execute(&mut *connection).await?;
    let (since, mut count, mut history) = (Instant::now(), 0_usize, log.history(Query::all(), 0, until));
    while let Some(events) = history.next().await? {
        count += events.len();
        if pieces {
            connection.execute("begin").await?;
        }
        for event in events {
            sqlx::query(
                "insert into naive_row (key, kind, data, position, at) values ($1, $2, $3, $4, $5)
                 on conflict (key) do update set kind = excluded.kind, data = excluded.data,
                                                 position = excluded.position, at = excluded.at",
            )
            .bind(event.tags.first())
            .bind(&event.kind)
            .bind(sqlx::types::Json(&event.data))
            .bind(event.position)
            .bind(event.occurred_at)
            .execute(&mut *connection)
            .await?;
        }
        if pieces {
            connection.execute("commit").await?;
        }
    }
    let rate = count as f64 / since.elapsed().as_secs_f64();
    sqlx::query("drop table naive_row").execute(&mut *connection).await?;
    Ok(Measured::of(rate, &histogram()))
}
