//! A long log in short time: rows as appends leave them, put in by the server itself.

use std::time::Instant;

use sqlx::{Connection, PgConnection};

use crate::Outcome;

/// Positions in a transaction: tags are sorted within it, and its rows are a range's in the tables.
const CHUNK: i64 = 250_000;
/// How many stands the filled events are about: of five million, a thousand each.
pub(crate) const STANDS: i64 = 5_000;

/// Which log to fill.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many events to add.
    events: i64,
    /// The database, migrated or empty.
    #[arg(long)]
    into: String,
}

/// Fills a database that stays.
pub(crate) async fn run(args: Args) -> Outcome<()> {
    let mut connection = PgConnection::connect(&args.into).await?;
    vigie_eventlog::MIGRATOR.run(&mut connection).await?;
    let since = Instant::now();
    fill(&mut connection, args.events).await?;
    let seconds = since.elapsed().as_secs_f64();
    println!("{} events in {seconds:.0} s ({:.0} /s)", args.events, args.events as f64 / seconds);
    connection.close().await?;
    Ok(())
}

/// The tag of a stand that filled events are about; `n` below [`STANDS`].
pub(crate) fn stand_tag(n: i64) -> String {
    format!("stand:LFW/F{n:05}")
}

/// Adds so many events, an append each, as if they had come in the order of their ids.
///
/// Nobody may append meanwhile. Positions, tags, commands and the head agree, as `vigie log check` wants them. Nothing
/// is vacuumed or analysed: that is left to the server, as in life.
pub(crate) async fn fill(connection: &mut PgConnection, events: i64) -> Outcome<()> {
    sqlx::query("set synchronous_commit = off").execute(&mut *connection).await?;
    let mut rest = events;
    while rest > 0 {
        let count = rest.min(CHUNK);
        let mut transaction = connection.begin().await?;
        let head: i64 =
            sqlx::query_scalar("select position from log_head for update").fetch_one(&mut *transaction).await?;
        for statement in CHUNK_SQL {
            sqlx::query(statement).bind(head).bind(head + count).bind(STANDS).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        while sqlx::query_scalar("select log_extend(2)").fetch_one(&mut *connection).await? {}
        rest -= count;
    }
    sqlx::query("reset synchronous_commit").execute(&mut *connection).await?;
    // What was committed without waiting is on disk before anything is measured.
    sqlx::query("checkpoint").execute(&mut *connection).await?;
    Ok(())
}

/// Events `$1 + 1` to `$2` over `$3` stands.
const CHUNK_SQL: [&str; 4] = [
    "insert into event (position, occurred_at, recorded_at, id, command_id, correlation_id, version, kind, site, command,
                        actor, tags, data)
     select n, made.moment, greatest(made.moment, (select recorded_at from log_head)), made.id, made.command_id,
            made.command_id, 1, 'airport.stand_allocated', 'LFW', 'airport.allocate_stand', 'operator:bench',
            array['flight:' || made.flight, 'stand:LFW/F' || lpad((n % $3)::text, 5, '0'), 'airline:' || n % 20],
            format('{\"flight\":\"%s\",\"stand\":\"LFW/F%s\",\"from\":\"%s\",\"until\":\"%s\",\"buffer_minutes\":15,'
                   '\"score\":%s,\"considered\":[{\"stand\":\"LFW/C01\",\"lost_because\":\"occupied\",\"until\":\"%s\"},'
                   '{\"stand\":\"LFW/C02\",\"lost_because\":\"too_small\",\"code\":\"C\"}],'
                   '\"note\":\"allocated from the board by the duty planner\"}',
                   made.flight, lpad((n % $3)::text, 5, '0'), made.at, made.at, n % 100, made.at)::json
     from generate_series($1 + 1, $2) n
     cross join lateral (
         select (time || '7001' || '8' || substr(md5('event' || n), 1, 15))::uuid id,
                (time || '7002' || '8' || substr(md5('command' || n), 1, 15))::uuid command_id,
                (time || '7003' || '8' || substr(md5('flight' || n), 1, 15))::uuid flight,
                '2026-01-01T00:00:00Z' at, moment
         from (select lpad(to_hex((extract(epoch from moment) * 1000)::bigint), 12, '0') time, moment
               from (select '2026-01-01T00:00:00Z'::timestamptz + n * interval '1 millisecond' moment) m) t
     ) made
     order by n",
    "insert into event_tag (tag, position, kind)
     select t.tag, e.position, e.kind from event e cross join lateral unnest(e.tags) t(tag)
     where e.position > $1 and e.position <= $2 and $3 > 0
     order by t.tag, e.position",
    "insert into command (id, name, first_position, last_position, answer)
     select e.command_id, e.command, e.position, e.position, '{\"stand\":\"LFW/C03\",\"score\":12}'
     from event e where e.position > $1 and e.position <= $2 and $3 > 0
     order by e.position",
    "update log_head h set position = $2, recorded_at = greatest(h.recorded_at, e.recorded_at)
     from event e where e.position = $2 and h.position = $1 and $3 > 0",
];
