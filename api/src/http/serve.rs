//! Serving until told to stop, and stopping without losing anything.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;

use super::{App, router};

/// The server could not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("{address} cannot be listened on")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// Serving failed.
    #[error("serving failed")]
    Serve(#[source] io::Error),
}

/// Serves on `listener` until [`super::Life::stop`]; then running requests and sockets get the drain time to end.
///
/// # Errors
/// The listener failed.
pub async fn serve(app: App, listener: TcpListener) -> Result<(), ServeError> {
    let life = app.life().clone();
    let drain = app.settings().drain;
    let stopping = {
        let life = life.clone();
        async move { life.stopping().await }
    };
    let service = router(app).into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, service).with_graceful_shutdown(stopping).into_future();
    let mut serving = std::pin::pin!(serving);
    tokio::select! {
        ended = &mut serving => return ended.map_err(ServeError::Serve),
        () = life.stopping() => {}
    }
    // One drain time for requests and sockets together.
    let drained = tokio::time::timeout(drain.max(Duration::from_millis(1)), async {
        let ended = serving.await;
        life.sockets().wait().await;
        ended
    });
    match drained.await {
        Ok(ended) => ended.map_err(ServeError::Serve),
        Err(_) => {
            tracing::warn!(
                drain.seconds = drain.as_secs(),
                sockets = life.sockets().len(),
                "stopped before everything had ended"
            );
            Ok(())
        }
    }
}
