//! One connection: requests are read, and answered, held or mistreated as it was chosen.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use uuid::Uuid;

use super::Shared;
use super::behaviour::{Behaviour, Reply};

/// A head larger than this is none.
const LARGEST_HEAD: usize = 64 * 1_024;

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Received {
    /// When its first byte was here.
    pub at: Instant,
    /// Path and query.
    pub path: String,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Received {
    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The event's id.
    ///
    /// # Panics
    /// The request has none.
    #[must_use]
    pub fn id(&self) -> Uuid {
        let id = self.header("webhook-id").and_then(|id| id.parse().ok());
        id.expect("a delivery has a webhook-id")
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// It is none.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).expect("the body of a delivery is JSON")
    }

    /// The event's position; none for a test.
    #[must_use]
    pub fn position(&self) -> Option<i64> {
        self.json()["position"].as_i64()
    }
}

/// Serves a connection to its end. What goes wrong is the sender's to notice.
pub(super) async fn serve(stream: TcpStream, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let _ = match tls {
        None => requests(stream, &shared).await,
        Some(acceptor) => match acceptor.accept(stream).await {
            Ok(stream) => requests(stream, &shared).await,
            Err(error) => Err(error),
        },
    };
}

/// What can be reset.
trait Stream: AsyncRead + AsyncWrite + Unpin {
    fn reset(&self);
}

impl Stream for TcpStream {
    fn reset(&self) {
        let _ = self.set_zero_linger();
    }
}

impl Stream for tokio_rustls::server::TlsStream<TcpStream> {
    fn reset(&self) {
        self.get_ref().0.reset();
    }
}

async fn requests(stream: impl Stream, shared: &Shared) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let received = match read(&mut stream).await {
            Ok(Some(received)) => received,
            Ok(None) => return Ok(()),
            // What is no request, such as the beginning of TLS, is answered as servers do.
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return answer(&mut stream, &Reply::status(400)).await;
            }
            Err(error) => return Err(error),
        };
        match shared.take(received) {
            Behaviour::Answer(reply) => answer(&mut stream, &reply).await?,
            Behaviour::Late(pause, reply) => {
                tokio::time::sleep(pause).await;
                answer(&mut stream, &reply).await?;
            }
            Behaviour::Gated(gate, reply) => {
                gate.pass().await;
                answer(&mut stream, &reply).await?;
            }
            Behaviour::Silent => return rest(&mut stream).await,
            Behaviour::Close => return stream.shutdown().await,
            Behaviour::Reset => {
                stream.get_ref().reset();
                return Ok(());
            }
            Behaviour::Bytes(bytes) => {
                stream.write_all(&bytes).await?;
                return stream.shutdown().await;
            }
            Behaviour::Endless(status) => return endless(&mut stream, status).await,
            Behaviour::HeadOnly(status) => {
                stream.write_all(format!("HTTP/1.1 {status} X\r\ncontent-length: 10\r\n\r\n").as_bytes()).await?;
                return rest(&mut stream).await;
            }
        }
    }
}

/// The next request; nothing at the end of the connection.
async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Received>> {
    let mut head = Vec::new();
    let mut at = None;
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        }
        at.get_or_insert_with(Instant::now);
        if head.len() > LARGEST_HEAD || !head[0].is_ascii_uppercase() {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
    let head = String::from_utf8_lossy(&head);
    let mut lines = head.split("\r\n");
    let path = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or_default().to_owned();
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_ascii_lowercase(), value.trim().to_owned()))
    };
    let headers: Vec<_> = lines.filter_map(header).collect();
    let length = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, value)| value.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await?;
    let body = String::from_utf8_lossy(&body).into_owned();
    Ok(Some(Received { at: at.unwrap_or_else(Instant::now), path, headers, body }))
}

async fn answer(stream: &mut (impl AsyncWrite + Unpin), reply: &Reply) -> io::Result<()> {
    let mut text = format!("HTTP/1.1 {} X\r\n", reply.status);
    if !matches!(reply.status, 204 | 304) {
        text.push_str(&format!("content-length: {}\r\n", reply.body.len()));
    }
    for (name, value) in &reply.headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    let bytes = [text.as_bytes(), b"\r\n", &reply.body].concat();
    stream.write_all(&bytes).await?;
    stream.flush().await
}

async fn endless(stream: &mut (impl AsyncWrite + Unpin), status: u16) -> io::Result<()> {
    let chunk = [b"8000\r\n".as_slice(), &[b'x'; 0x8000], b"\r\n"].concat();
    stream.write_all(format!("HTTP/1.1 {status} X\r\ntransfer-encoding: chunked\r\n\r\n").as_bytes()).await?;
    loop {
        stream.write_all(&chunk).await?;
    }
}

/// Keeps the connection until the other side ends it.
async fn rest(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<()> {
    tokio::io::copy(stream, &mut tokio::io::sink()).await.map(|_| ())
}
