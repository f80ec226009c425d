//! Comparing a sample of a read model's rows with the log.

use std::time::Duration;

use async_graphql::{Context, Error, Json, SimpleObject};
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use vigie_projections::{Difference, ProjectionError, Verified, verify_sample};

use super::projection::ProjectionState;
use super::unavailable;
use crate::graphql::context::Parts;
use crate::graphql::error::{bad_input, fault};
use crate::graphql::scalars::Position;

/// The most rows of each table that are compared for one question; `vigie projections verify` compares more.
const MOST: i32 = 200;
/// How long one may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// It reads much: a process answers one such question at a time.
static ONE: Semaphore = Semaphore::const_new(1);

/// What a comparison of rows with the log has found.
#[derive(SimpleObject)]
pub(crate) struct ProjectionVerification {
    /// The read model.
    projection: String,
    /// The position at which it was compared: nothing after it is in its rows.
    position: Position,
    /// Whether it goes on from there.
    state: ProjectionState,
    /// The event that has stopped it, or had before it tried again.
    error_position: Option<Position>,
    /// Rows that were compared, with what they were before.
    rows: i64,
    /// Rows that differ.
    differing_rows: i64,
    /// How they do, field by field: the first hundred rows of each table.
    differences: Vec<ProjectionDifference>,
}

/// A field that is not what the log says.
#[derive(SimpleObject)]
pub(crate) struct ProjectionDifference {
    /// The table.
    table: String,
    /// The row's key, by column.
    key: Json<Value>,
    /// The column; null when the whole row is missing or should not be there.
    field: Option<String>,
    /// What the table holds; null when the row is missing.
    stored: Json<Value>,
    /// What the log says; null when the row should not be there.
    expected: Json<Value>,
}

impl From<Difference> for ProjectionDifference {
    fn from(difference: Difference) -> Self {
        let Difference { table, key, field, stored, expected } = difference;
        Self { table, key: Json(key), field, stored: Json(stored), expected: Json(expected) }
    }
}

impl From<Verified> for ProjectionVerification {
    fn from(verified: Verified) -> Self {
        let Verified { name, position, rows, differences, differing_rows, state, error_position } = verified;
        Self {
            projection: name,
            position: Position(position),
            state: state.into(),
            error_position: error_position.map(Position),
            rows,
            differing_rows,
            differences: differences.into_iter().map(Into::into).collect(),
        }
    }
}

/// Compares random rows of a read model, and those that random events should have left, with the log.
pub(super) async fn verification(ctx: &Context<'_>, name: &str, sample: i32) -> Result<ProjectionVerification, Error> {
    let count = u32::try_from(sample).ok().filter(|_| (1..=MOST).contains(&sample));
    let count = count.ok_or_else(|| bad_input("sample", format!("1 to {MOST} rows of each table are compared")))?;
    let services = ctx.services();
    if services.schema.until().is_some() {
        return Err(fault("READ_ONLY", "this server shows a moment; what follows the log is verified elsewhere"));
    }
    let busy = |_| fault("BUSY", "another read model is being verified by this server: ask again");
    let _one = ONE.try_acquire().map_err(busy)?;
    let cancel = CancellationToken::new();
    let verifying = verify_sample(&services.pool, &services.log, name, count, &|_| {}, &cancel);
    match tokio::time::timeout(PATIENCE, verifying).await {
        Ok(Ok(verified)) => Ok(verified.into()),
        Ok(Err(error @ ProjectionError::Unknown { .. })) => Err(bad_input("projection", error)),
        Ok(Err(error)) => Err(unavailable(&error)),
        Err(_) => {
            let seconds = PATIENCE.as_secs();
            Err(fault("TOO_MUCH", format!("it took more than {seconds} s: ask for a smaller sample")))
        }
    }
}
