//! The task by which a process notices that somebody has paused a read model, also through another process.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::engine::Projector;

/// How often it looks: with one statement for all read models.
const LOOK: Duration = Duration::from_secs(1);

/// Looks for paused read models until the shutdown. Whoever folds one is held up by the database anyway; this makes
/// sure that it is noticed while the log stands still, and that nobody takes the read model for further than it is:
/// it may have been made anew until an earlier position.
pub(crate) async fn notice_pauses(projectors: Arc<[Arc<Projector>]>, pool: PgPool, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        let paused = sqlx::query!("select name, position from read.checkpoint where state = 'paused'");
        match paused.fetch_all(&pool).await {
            Ok(paused) => {
                for row in paused {
                    for projector in projectors.iter().filter(|projector| projector.model.name == row.name) {
                        projector.halt(row.position);
                    }
                }
            }
            Err(error) => tracing::debug!(error = %error, "cannot look for paused read models; looking again"),
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}
