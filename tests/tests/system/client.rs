//! A client of the served API, as simple as one can be: a request, a connection.

use std::io;
use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{Place, Running, until};

/// A running `vigie serve`.
pub(crate) struct Server {
    pub(crate) program: Running,
    pub(crate) client: Client,
}

impl Server {
    /// Starts it, and waits until it is ready.
    pub(crate) async fn start(place: &Place) -> Self {
        Self::serve(place, &[]).await
    }

    /// The same with arguments.
    pub(crate) async fn serve(place: &Place, arguments: &[&str]) -> Self {
        let mut program = place.start(["serve"].iter().chain(arguments));
        let address = program.says("the address", address).await;
        let client = Client { address };
        until("the server is ready", async || matches!(client.get("/health/ready").await, Ok((200, _)))).await;
        Self { program, client }
    }
}

/// The address in `http://127.0.0.1:41234/graphql`.
fn address(said: &str) -> Option<SocketAddr> {
    let (_, rest) = said.split_once("http://")?;
    rest.split(['/', ' ', '\n', '"']).next()?.parse().ok()
}

/// Where a server is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Client {
    address: SocketAddr,
}

impl Client {
    pub(crate) fn at(address: SocketAddr) -> Self {
        Self { address }
    }

    pub(crate) fn address(self) -> SocketAddr {
        self.address
    }

    /// Status and body.
    pub(crate) async fn get(&self, path: &str) -> io::Result<(u16, String)> {
        self.send(&format!("GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.address)).await
    }

    /// The `data` of an operation; an error when the server did not answer.
    pub(crate) async fn graphql(&self, query: &str, variables: Value) -> io::Result<Value> {
        let (status, mut answer) = self.answer(query, variables).await?;
        match (status, answer.get("errors")) {
            (200, None) => Ok(answer["data"].take()),
            _ => Err(io::Error::other(format!("{status}: {answer}"))),
        }
    }

    /// The `extensions` of the first error of an operation, which must have one.
    pub(crate) async fn refused(&self, query: &str, variables: Value) -> Value {
        let (_, mut answer) = self.answer(query, variables).await.unwrap();
        assert!(answer["errors"][0]["extensions"].is_object(), "{answer:#}");
        answer["errors"][0]["extensions"].take()
    }

    /// Status and whole answer of an operation.
    async fn answer(&self, query: &str, variables: Value) -> io::Result<(u16, Value)> {
        self.post("/graphql", json!({ "query": query, "variables": variables })).await
    }

    /// Status and answer, both in JSON; null when there is none.
    pub(crate) async fn post(&self, path: &str, body: Value) -> io::Result<(u16, Value)> {
        let body = body.to_string();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-type: application/json\r\n\
             accept: application/json\r\ncontent-length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        let (status, text) = self.send(&(head + &body)).await?;
        if text.is_empty() {
            return Ok((status, Value::Null));
        }
        let answer = serde_json::from_str(&text).map_err(|_| io::Error::other(text))?;
        Ok((status, answer))
    }

    async fn send(&self, request: &str) -> io::Result<(u16, String)> {
        let mut stream = TcpStream::connect(self.address).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
        let body = if chunked { joined(body) } else { body.to_owned() };
        Ok((status.ok_or(io::ErrorKind::InvalidData)?, body))
    }
}

/// The body of a chunked answer.
fn joined(mut chunks: &str) -> String {
    let mut body = String::new();
    while let Some((length, rest)) = chunks.split_once("\r\n") {
        let Ok(length) = usize::from_str_radix(length.trim(), 16) else { break };
        let Some(chunk) = rest.get(..length).filter(|chunk| !chunk.is_empty()) else { break };
        body.push_str(chunk);
        chunks = rest[length..].trim_start_matches("\r\n");
    }
    body
}
