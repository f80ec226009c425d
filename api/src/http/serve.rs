//! Serving until told to stop, and stopping without losing anything.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use super::arrival::Encrypted;
use super::connections::{Connections, Counted};
use super::tls::Tls;
use super::{App, Life, router};

/// What the system may run out of (file descriptors) comes back.
const RECOVERY: Duration = Duration::from_millis(500);

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
}

/// Serves on `listener` until [`super::Life::stop`]; then running requests and sockets get the drain time to end.
pub async fn serve(app: App, listener: TcpListener, tls: Option<Tls>) {
    let life = app.life().clone();
    let drain = app.settings().drain;
    let connections = TaskTracker::new();
    let head = app.settings().edge.head;
    let open = Connections::new(app.settings());
    let plain = tls.is_none();
    let door = Door { router: router(app), life: life.clone(), tls, head };
    loop {
        let (stream, peer) = tokio::select! {
            accepted = accept(&listener) => accepted,
            () = life.stopping() => break,
        };
        // Small messages are sent when they are there; a socket that cannot be told so is as good otherwise.
        let _ = stream.set_nodelay(true);
        if let Some(stream) = open.count(stream, peer.ip(), plain) {
            connections.spawn(door.clone().connection(stream, peer));
        }
    }
    drop(listener);
    connections.close();
    // One drain time for requests and sockets together.
    let drained = tokio::time::timeout(drain.max(Duration::from_millis(1)), async {
        connections.wait().await;
        life.sockets().wait().await;
    });
    if drained.await.is_err() {
        tracing::warn!(
            drain.seconds = drain.as_secs(),
            sockets = life.sockets().len(),
            "stopped before everything had ended"
        );
    }
}

/// The next connection. One that its client has given up meanwhile is no reason to stop.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if of_one_connection(&error) => {}
            Err(error) => {
                tracing::error!(error = %error, "no connection can be accepted");
                tokio::time::sleep(RECOVERY).await;
            }
        }
    }
}

fn of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// What every connection comes through.
#[derive(Clone)]
struct Door {
    router: Router,
    life: Life,
    tls: Option<Tls>,
    /// How long a client may take over the handshake, and over the head of a request: no number of slow ones keeps
    /// connections for ever.
    head: Duration,
}

impl Door {
    async fn connection(self, stream: Counted, peer: SocketAddr) {
        match self.tls.clone() {
            None => self.requests(stream, peer, None).await,
            Some(tls) => match tls.handshake(stream, self.head).await {
                Ok(stream) => self.requests(stream, peer, Some(Encrypted)).await,
                Err(error) => tracing::debug!(client.address = %peer, error = %error, "no TLS connection"),
            },
        }
    }

    async fn requests<S>(self, stream: S, peer: SocketAddr, encrypted: Option<Encrypted>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let router = self.router;
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            if let Some(encrypted) = encrypted {
                request.extensions_mut().insert(encrypted);
            }
            router.clone().oneshot(request)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.head)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = self.life.stopping() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(client.address = %peer, error = %error, "a connection broke");
        }
    }
}
