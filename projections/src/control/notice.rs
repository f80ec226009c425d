//! The task by which a process notices what others have done to a read model.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::State;
use crate::engine::Projector;

/// How often it looks: with one statement for all read models.
const LOOK: Duration = Duration::from_secs(1);

/// Looks at the checkpoints until the shutdown. Whoever folds a read model that somebody has paused or made anew is held
/// up by the database with the next write; this makes sure that it is noticed while the log stands still, and that
/// nobody takes a read model for further than it is: it may have been made anew until an earlier position.
pub(crate) async fn notice(projectors: Arc<[Arc<Projector>]>, pool: PgPool, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        if let Err(error) = look(&projectors, &pool).await {
            tracing::debug!(error = %error, "cannot look at the checkpoints; looking again");
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

async fn look(projectors: &[Arc<Projector>], pool: &PgPool) -> Result<(), sqlx::Error> {
    // Taken before the checkpoints are read, which never go back by themselves.
    let known: Vec<i64> = projectors.iter().map(|projector| projector.known()).collect();
    let checkpoints = sqlx::query!(r#"select name, position, state as "state: State" from read.checkpoint"#);
    for checkpoint in checkpoints.fetch_all(pool).await? {
        let known = projectors.iter().zip(&known).find(|(projector, _)| projector.model.name == checkpoint.name);
        let Some((projector, known)) = known else { continue };
        if *known > checkpoint.position || (checkpoint.state == State::Paused && projector.is_folding()) {
            projector.halt(checkpoint.position);
        }
    }
    Ok(())
}
