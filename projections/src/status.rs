//! How far every read model has come.

use sqlx::PgPool;

use crate::{MODELS, ProjectionError, State, Status};

/// The state of every read model, in the order of their registration; also of those that have never run.
///
/// # Errors
/// The database failed.
pub async fn status(pool: &PgPool) -> Result<Vec<Status>, ProjectionError> {
    let (names, versions): (Vec<String>, Vec<i32>) =
        MODELS.iter().map(|model| (model.name.to_owned(), model.version)).unzip();
    let rows = sqlx::query!(
        r#"select m.name as "name!", coalesce(c.version, m.version) as "version!",
                  coalesce(c.position, 0) as "position!",
                  greatest(h.position - coalesce(c.position, 0), 0) as "lag_events!",
                  coalesce(extract(epoch from clock_timestamp() - e.recorded_at), 0)::float8 as "lag_seconds!",
                  coalesce(c.rate, 0) as "rate!", coalesce(c.state = 'stopped', false) as "stopped!",
                  c.error as "error?", c.error_position as "error_position?", c.owner as "owner?",
                  coalesce(c.updated_at, clock_timestamp()) as "updated_at!"
           from unnest($1::text[], $2::integer[]) with ordinality m (name, version, place)
           cross join log_head h
           left join read.checkpoint c on c.name = m.name
           left join event e on e.position = coalesce(c.position, 0) + 1
           order by m.place"#,
        &names,
        &versions
    )
    .fetch_all(pool)
    .await
    .map_err(|source| ProjectionError::Database { attempt: "the checkpoints could not be read", source })?;
    let status = rows.into_iter().map(|row| Status {
        name: row.name,
        version: row.version,
        position: row.position,
        lag_events: row.lag_events,
        lag_seconds: row.lag_seconds.max(0.0),
        rate: row.rate,
        state: if row.stopped { State::Stopped } else { State::Running },
        error: row.error,
        error_position: row.error_position,
        owner: row.owner,
        updated_at: row.updated_at,
    });
    Ok(status.collect())
}
