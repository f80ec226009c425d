//! A test: one real, signed request that stands in no log.

use sqlx::PgPool;
use uuid::Uuid;
use vigie_eventlog::time::Time;

use super::attempts;
use super::changes::AttemptRow;
use super::delivery::request;
use super::endpoint::Endpoint;
use super::wire::{Body, Sender, TEST_TYPE};

/// Sends an endpoint an event of type `webhooks.test` with this id, enabled or not, and notes the attempt.
///
/// # Errors
/// The attempt was made, and cannot be noted.
pub async fn probe(
    endpoint: &Endpoint,
    id: Uuid,
    sender: &Sender,
    time: &Time,
    pool: &PgPool,
) -> Result<AttemptRow, sqlx::Error> {
    let at = time.now();
    let attempt = sender.send(&request(endpoint, id, at, Body::test(id, at).text)).await;
    let row = attempts::of_test(endpoint, id, TEST_TYPE, at, &attempt);
    super::record::note(&row, pool).await?;
    Ok(row)
}
