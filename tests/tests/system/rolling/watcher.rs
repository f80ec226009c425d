//! One that watches, comes back when it is cut off, and remembers what it has seen.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::{Addresses, Dice, any};

/// How a client watches.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way {
    /// A WebSocket.
    Socket,
    /// Server-sent events.
    Events,
}

/// Which events.
#[derive(Debug, Clone)]
pub(super) enum Filter {
    All,
    /// Those of one site.
    Site(String),
}

impl Filter {
    pub(super) fn takes(&self, site: &str) -> bool {
        match self {
            Self::All => true,
            Self::Site(wanted) => wanted == site,
        }
    }

    fn argument(&self) -> String {
        match self {
            Self::All => String::new(),
            Self::Site(site) => format!(", filter: {{ site: \"{site}\" }}"),
        }
    }
}

/// Why a connection ended.
enum Cut {
    /// It has seen all.
    Done,
    /// The server, or the way to it, has gone.
    Gone,
}

#[derive(Debug)]
pub(super) struct Watcher {
    way: Way,
    pub(super) filter: Filter,
    addresses: Addresses,
    goal: watch::Receiver<Option<i64>>,
    dice: Dice,
    /// Resume after it.
    position: i64,
    pub(super) seen: Vec<(i64, String)>,
    pub(super) connections: usize,
}

impl Watcher {
    pub(super) fn new(
        number: usize,
        way: Way,
        filter: Filter,
        addresses: Addresses,
        goal: watch::Receiver<Option<i64>>,
    ) -> Self {
        let dice = Dice::new(u64::try_from(number).unwrap() + 1);
        Self { way, filter, addresses, goal, dice, position: 0, seen: Vec::new(), connections: 0 }
    }

    /// Watches until it has seen everything that there will be.
    pub(super) async fn run(mut self) -> Self {
        loop {
            if let Some(address) = any(&self.addresses, self.dice.throw()) {
                let cut = match self.way {
                    Way::Socket => self.socket(address).await,
                    Way::Events => self.events(address).await,
                };
                if let Ok(Cut::Done) = cut {
                    return self;
                }
            }
            // As every client does before it comes back.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn query(&self, after: i64) -> String {
        let filter = self.filter.argument();
        format!("subscription {{ events(after: {after}{filter}) {{ position event {{ position id }} }} }}")
    }

    fn is_done(&self) -> bool {
        self.goal.borrow().is_some_and(|goal| self.position >= goal)
    }

    /// Takes an item in.
    fn take(&mut self, answer: &Value) {
        assert!(answer.get("errors").is_none(), "{answer}");
        let item = &answer["data"]["events"];
        let position = item["position"].as_i64().unwrap();
        assert!(position > self.position, "{item} after {}", self.position);
        self.position = position;
        if let Some(id) = item["event"]["id"].as_str() {
            assert_eq!(item["event"]["position"], position);
            self.seen.push((position, id.to_owned()));
        }
    }

    async fn socket(&mut self, address: SocketAddr) -> Result<Cut, Box<dyn std::error::Error + Send + Sync>> {
        let mut request = format!("ws://{address}/graphql").into_client_request()?;
        request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse()?);
        let (mut socket, _) = connect_async(request).await?;
        socket.send(Message::text(json!({ "type": "connection_init" }).to_string())).await?;
        self.connections += 1;
        loop {
            let message = tokio::select! {
                message = socket.next() => message,
                _ = self.goal.changed() => Some(Ok(Message::Ping(Default::default()))),
            };
            match message.ok_or("the connection has ended")?? {
                Message::Text(text) => {
                    let message: Value = serde_json::from_str(&text)?;
                    match message["type"].as_str() {
                        Some("connection_ack") => {
                            let payload = json!({ "query": self.query(self.position) });
                            let subscribe = json!({ "type": "subscribe", "id": "1", "payload": payload });
                            socket.send(Message::text(subscribe.to_string())).await?;
                        }
                        Some("next") => self.take(&message["payload"]),
                        _ => panic!("a subscription neither ends nor fails by itself: {message}"),
                    }
                }
                Message::Close(frame) => {
                    let code = frame.map(|frame| u16::from(frame.code));
                    assert_eq!(code, Some(1012), "the code that says: come back");
                    return Ok(Cut::Gone);
                }
                _ => {}
            }
            if self.is_done() {
                return Ok(Cut::Done);
            }
        }
    }

    async fn events(&mut self, address: SocketAddr) -> Result<Cut, Box<dyn std::error::Error + Send + Sync>> {
        let mut stream = TcpStream::connect(address).await?;
        // As a browser comes back: the same document, and the id of the last event.
        let body = json!({ "query": self.query(0) }).to_string();
        let last = if self.position > 0 { format!("last-event-id: {}\r\n", self.position) } else { String::new() };
        let head = format!(
            "POST /graphql/stream HTTP/1.1\r\nhost: {address}\r\naccept: text/event-stream\r\n{last}\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all((head + &body).as_bytes()).await?;
        let mut lines = BufReader::new(stream).lines();
        let status = lines.next_line().await?.ok_or("no answer")?;
        match status.split(' ').nth(1) {
            Some("200") => self.connections += 1,
            // It stops: somebody else will answer.
            Some("503") => return Ok(Cut::Gone),
            _ => panic!("{status}"),
        }
        // Sizes of chunks are lines too, and like every line that is no field they are passed over; a chunk is an event.
        let (mut id, mut kind) = (None, String::new());
        loop {
            let line = tokio::select! {
                line = lines.next_line() => line?.ok_or("the answer has ended")?,
                _ = self.goal.changed() => String::new(),
            };
            if let Some(position) = line.strip_prefix("id:") {
                id = Some(position.trim().parse()?);
            } else if let Some(name) = line.strip_prefix("event:") {
                kind = name.trim().to_owned();
            } else if let Some(data) = line.strip_prefix("data:").filter(|_| kind == "next") {
                self.take(&serde_json::from_str(data)?);
                assert_eq!(id, Some(self.position));
            }
            assert_ne!(kind, "complete", "a subscription does not end by itself");
            if self.is_done() {
                return Ok(Cut::Done);
            }
        }
    }
}
