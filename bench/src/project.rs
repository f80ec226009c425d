//! How fast each read model is made from the log, beside a projector that runs a statement for each event.

use std::time::Instant;

use sqlx::{Connection, PgConnection};
use tokio_util::sync::CancellationToken;
use vigie_eventlog::{Log, Query};
use vigie_projections::{MODELS, rebuild};

use crate::closed_loop::{Measured, histogram};
use crate::database::{Server, Where};
use crate::report::{Case, Report};
use crate::{Outcome, facts};

/// How much to fold.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    at: Where,
    #[command(flatten)]
    report: crate::report::Args,
    /// Flights in the log, nine events each.
    #[arg(long, default_value_t = 10_000)]
    flights: usize,
    /// How often everything is measured, in turns.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Only the read model of this name.
    #[arg(long)]
    only: Option<String>,
}

/// Rebuilds the read models one after the other.
pub(crate) async fn run(args: Args) -> Outcome<()> {
    let server = Server::open(&args.at).await?;
    let mut report = Report::new(&server).await?;
    let database = server.database().await?;
    let log = Log::open(database.pool.clone()).await?;
    facts::put(&log, [facts::site()]).await?;
    facts::put(&log, (0..100).map(facts::stand)).await?;
    let lives = (0..args.flights).map(|n| facts::life(n).unwrap_or_default());
    facts::put(&log, lives.flatten().map(Ok)).await?;
    let head = log.head().await?;
    for model in MODELS.iter().filter(|model| args.only.as_ref().is_none_or(|only| only == model.name)) {
        let (mut ours, mut naive) = (Case::new(model.name, 1), Case::new("naive: a statement for each event", 1));
        for _ in 0..args.rounds {
            naive.add(statement_for_each(&mut PgConnection::connect_with(&database.options).await?, &log).await?);
            let since = Instant::now();
            rebuild(&database.pool, &log, model.name, &|_| {}, &CancellationToken::new()).await?;
            ours.add(rate(head, since));
        }
        report.compare(ours, naive, None);
    }
    report.note(format!("{head} events of the log; read models that match few of them pass over the others"));
    log.close().await;
    report.print(&args.report)?;
    server.drop(database).await?;
    server.close().await
}

fn rate(events: i64, since: Instant) -> Measured {
    Measured::of(events as f64 / since.elapsed().as_secs_f64(), &histogram())
}

/// The least that a projector does which thinks in rows: for each event one upsert of what it is about, by key. A
/// transaction for each piece that is read, so that flushes hardly count; no history, no second index, no reading before writing.
async fn statement_for_each(connection: &mut PgConnection, log: &Log) -> Outcome<Measured> {
    let table = "create temp table naive_row (key text primary key, kind text not null, data json not null,
                                              position bigint not null, at timestamptz not null)";
    sqlx::query("drop table if exists naive_row").execute(&mut *connection).await?;
    sqlx::query(table).execute(&mut *connection).await?;
    let (since, mut position, mut history) = (Instant::now(), 0, log.history(Query::all(), 0, i64::MAX));
    while let Some(events) = history.next().await? {
        let mut transaction = connection.begin().await?;
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
            .execute(&mut *transaction)
            .await?;
            position = event.position;
        }
        transaction.commit().await?;
    }
    Ok(rate(position, since))
}
