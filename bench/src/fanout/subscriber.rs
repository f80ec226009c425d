//! Subscribers: WebSockets that note what they are told, and when.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use futures_util::stream::{SplitStream, StreamExt, TryStreamExt, iter};
use futures_util::{SinkExt, TryFutureExt};
use serde_json::json;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use tokio_util::sync::CancellationToken;

use super::server::Commit;
use super::watched::Watched;
use crate::Outcome;

/// How many sockets are opened at the same time.
const AT_ONCE: usize = 64;

/// A change that a subscriber was told of.
pub(super) struct Told {
    pub(super) position: i64,
    /// Microseconds since 1970.
    pub(super) at: i64,
}

/// How far each subscriber is.
#[derive(Clone)]
pub(super) struct Progress(Arc<[AtomicI64]>);

impl Progress {
    pub(super) fn of(subscribers: usize) -> Self {
        Self((0..subscribers).map(|_| AtomicI64::new(0)).collect())
    }

    /// Waits until every subscriber has been told of the last change that is its.
    pub(super) async fn all_told(&self, watched: Watched, commits: &[Commit]) {
        let mut last = vec![0; self.0.len()];
        for commit in commits {
            if watched.sees(commit.row, commit.row) {
                last[commit.row] = commit.position;
            }
            if !watched.sees(1, 1) {
                last.fill(commit.position);
            }
        }
        let mut ticks = tokio::time::interval(Duration::from_millis(50));
        while self.0.iter().zip(&last).any(|(told, last)| told.load(Ordering::Relaxed) < *last) {
            ticks.tick().await;
        }
    }
}

type Socket = WebSocketStream<TcpStream>;

/// What the subscribers of a socket were told, each by its number.
type OfSocket = Vec<(usize, Vec<Told>)>;

/// All of them.
pub(super) struct Subscribers(JoinSet<Outcome<OfSocket>>);

impl Subscribers {
    /// Opens the sockets and subscribes.
    pub(super) async fn connect(
        address: SocketAddr,
        watched: Watched,
        per_socket: usize,
        progress: &Progress,
        over: &CancellationToken,
    ) -> Outcome<Self> {
        let subscribers: Vec<usize> = (0..progress.0.len()).collect();
        let sockets: Vec<(Vec<usize>, Socket)> = iter(subscribers.chunks(per_socket).map(<[usize]>::to_vec))
            .map(|own| open(address, watched, own.clone()).map_ok(|socket| (own, socket)))
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        let mut all = JoinSet::new();
        for (own, socket) in sockets {
            all.spawn(listen(socket, own, watched, progress.clone(), over.clone()));
        }
        Ok(Self(all))
    }

    /// What each was told, once it is over.
    pub(super) async fn told(self) -> Outcome<Vec<Vec<Told>>> {
        let mut told: Vec<_> =
            self.0.join_all().await.into_iter().collect::<Outcome<Vec<_>>>()?.into_iter().flatten().collect();
        told.sort_by_key(|(subscriber, _)| *subscriber);
        Ok(told.into_iter().map(|(_, told)| told).collect())
    }
}

async fn open(address: SocketAddr, watched: Watched, own: Vec<usize>) -> Outcome<Socket> {
    let mut request = format!("ws://{address}/graphql").into_client_request()?;
    request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("graphql-transport-ws"));
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let config = WebSocketConfig::default().read_buffer_size(4 * 1_024);
    let (mut socket, _) = client_async_with_config(request, stream, Some(config)).await?;
    socket.send(Message::text(r#"{"type":"connection_init"}"#)).await?;
    let ack = socket.next().await.ok_or("the server has closed the socket")??;
    if !ack.to_text()?.contains("connection_ack") {
        return Err(format!("the server does not acknowledge: {ack}").into());
    }
    for subscriber in own {
        let subscribe =
            json!({ "type": "subscribe", "id": subscriber.to_string(), "payload": watched.payload(subscriber)? });
        socket.send(Message::text(subscribe.to_string())).await?;
    }
    Ok(socket)
}

async fn listen(
    socket: Socket,
    own: Vec<usize>,
    watched: Watched,
    progress: Progress,
    over: CancellationToken,
) -> Outcome<OfSocket> {
    let (mut sink, mut stream) = socket.split();
    let mut told: OfSocket = own.into_iter().map(|subscriber| (subscriber, Vec::new())).collect();
    while let Some(message) = over.run_until_cancelled(next(&mut stream)).await.transpose()? {
        let Message::Text(text) = message else { continue };
        let (subscriber, position) = item(&text)?;
        if !watched.is_change(&text) {
            continue;
        }
        let at = vigie_api::clock::now().timestamp_micros();
        let place = told.binary_search_by_key(&subscriber, |(own, _)| *own).map_err(|_| "an item of somebody else")?;
        told[place].1.push(Told { position, at });
        progress.0[subscriber].store(position, Ordering::Relaxed);
    }
    sink.close().await?;
    Ok(told)
}

async fn next(stream: &mut SplitStream<Socket>) -> Outcome<Message> {
    Ok(stream.next().await.ok_or("the server has closed a socket")??)
}

/// Whose item it is and its position; anything else than an item, and an item with errors, ends the measurement.
fn item(text: &str) -> Outcome<(usize, i64)> {
    let number = |name: &str| {
        let rest = text.split_once(name)?.1;
        rest.split_once(|c: char| !c.is_ascii_digit() && c != '-').and_then(|(number, _)| number.parse::<i64>().ok())
    };
    let read = || Some((usize::try_from(number(r#""id":""#)?).ok()?, number(r#""position":"#)?));
    match read() {
        Some(item) if text.starts_with(r#"{"type":"next""#) && !text.contains(r#""errors":"#) => Ok(item),
        _ => Err(format!("the server says {text}").into()),
    }
}
