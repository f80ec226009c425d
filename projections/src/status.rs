//! How far every read model has come.

use std::collections::HashMap;

use sqlx::PgPool;

use crate::control::{Rebuild, all_rebuilds};
use crate::engine::FOLDING;
use crate::{MODELS, PausedBy, ProjectionError, State, Status};

/// The state of every read model, in the order of their registration; also of those that have never run.
///
/// # Errors
/// The database failed.
pub async fn status(pool: &PgPool) -> Result<Vec<Status>, ProjectionError> {
    let failed = |source| ProjectionError::Database { attempt: "the checkpoints could not be read", source };
    let rebuilds = all_rebuilds(pool).await.map_err(failed)?;
    let mut rebuilds: HashMap<String, Rebuild> =
        rebuilds.into_iter().map(|rebuild| (rebuild.name.clone(), rebuild)).collect();
    let (names, versions): (Vec<String>, Vec<i32>) =
        MODELS.iter().map(|model| (model.name.to_owned(), model.version)).unzip();
    let rows = sqlx::query!(
        r#"select m.name as "name!", coalesce(c.version, m.version) as "version!",
                  coalesce(c.position, 0) as "position!",
                  greatest(h.position - coalesce(c.position, 0), 0) as "lag_events!",
                  coalesce(extract(epoch from clock_timestamp() - e.recorded_at), 0)::float8 as "lag_seconds!",
                  coalesce(c.rate, 0) as "rate!", coalesce(c.state, 'running') as "state!: State",
                  c.error as "error?", c.error_position as "error_position?", coalesce(c.attempts, 0) as "attempts!",
                  c.paused_by as "paused_by?", c.paused_at as "paused_at?", c.paused_reason as "paused_reason?",
                  exists (
                      select from pg_locks l
                      where l.locktype = 'advisory' and l.granted and l.objsubid = 2
                        and l.database = (select oid from pg_database where datname = current_database())
                        and l.classid::bigint = $3::integer
                        and l.objid::bigint = hashtext(m.name)::bigint & 4294967295
                  ) as "owned!",
                  c.owner as "owner?", coalesce(c.updated_at, clock_timestamp()) as "updated_at!"
           from unnest($1::text[], $2::integer[]) with ordinality m (name, version, place)
           cross join log_head h
           left join read.checkpoint c on c.name = m.name
           left join event e on e.position = coalesce(c.position, 0) + 1
           order by m.place"#,
        &names,
        &versions,
        FOLDING
    )
    .fetch_all(pool)
    .await
    .map_err(failed)?;
    let status = rows.into_iter().map(|row| {
        let paused = row.paused_by.zip(row.paused_at);
        Status {
            rebuild: rebuilds.remove(&row.name),
            name: row.name,
            version: row.version,
            position: row.position,
            lag_events: row.lag_events,
            lag_seconds: row.lag_seconds.max(0.0),
            rate: row.rate,
            state: row.state,
            error: row.error,
            error_position: row.error_position,
            attempts: row.attempts,
            paused: paused.map(|(by, at)| PausedBy { by, at, reason: row.paused_reason.unwrap_or_default() }),
            owned: row.owned,
            owner: row.owner.filter(|_| row.owned),
            updated_at: row.updated_at,
        }
    });
    Ok(status.collect())
}
