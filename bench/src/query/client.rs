//! One connection that is kept open.

use std::net::SocketAddr;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::Outcome;

/// A client of `/graphql`, one request at a time.
pub(super) struct Client {
    stream: BufReader<TcpStream>,
    body: Vec<u8>,
}

impl Client {
    /// Connects.
    pub(super) async fn connect(address: SocketAddr) -> Outcome<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream), body: Vec::new() })
    }

    /// Asks, and takes the whole answer, which must be one without errors.
    pub(super) async fn ask(&mut self, body: &str) -> Outcome<()> {
        let request = format!(
            "POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        self.stream.get_mut().write_all(request.as_bytes()).await?;
        let (mut line, mut length) = (String::new(), None);
        loop {
            line.clear();
            if self.stream.read_line(&mut line).await? == 0 {
                return Err("the server has closed the connection".into());
            }
            match line.trim_end().split_once(':') {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.trim().parse().ok()
                }
                None if line == "\r\n" => break,
                Some(_) | None => {}
            }
        }
        self.body.resize(length.ok_or("an answer has no length")?, 0);
        self.stream.read_exact(&mut self.body).await?;
        if self.body.starts_with(br#"{"data":"#) && !self.body.windows(10).any(|window| window == br#","errors":"#) {
            return Ok(());
        }
        Err(format!("a query failed: {}", String::from_utf8_lossy(&self.body)).into())
    }
}
