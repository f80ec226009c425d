//! Prints the events of a Vigie server, one per line, and goes on where it was when the connection ends.
//!
//! It reads server-sent events, which need no more than a socket: each event has an `id`, and the request that names the
//! last one in `Last-Event-ID` gets what comes after it.
//!
//! Usage: `cargo run -p vigie-example-watch -- http://127.0.0.1:8080 [POSITION]`

use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// The query as an address carries it: `subscription { events { position event { type } } }`.
const PATH: &str = "/graphql/stream?query=subscription%7Bevents%7Bposition%20event%7Btype%7D%7D%7D";
/// The server says that it is still there every 15 seconds, so this is the end of the connection.
const SILENCE: Duration = Duration::from_secs(60);
/// Before the next attempt.
const PAUSE: Duration = Duration::from_millis(250);

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let server = arguments.next().ok_or("usage: vigie-example-watch http://127.0.0.1:8080 [POSITION]")?;
    let host = server.strip_prefix("http://").ok_or("an address that begins with http:// is needed")?.to_owned();
    let mut after: i64 = arguments.next().map_or(Ok(0), |position| position.parse())?;
    loop {
        if let Err(problem) = watch(&host, &mut after) {
            eprintln!("after {after}: {problem}");
        }
        std::thread::park_timeout(PAUSE);
    }
}

/// Prints what comes after `after`, and moves it on, until the connection ends.
fn watch(host: &str, after: &mut i64) -> Result<(), Box<dyn Error>> {
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(SILENCE))?;
    write!(
        stream,
        "GET {PATH} HTTP/1.1\r\nHost: {host}\r\nAccept: text/event-stream\r\nLast-Event-ID: {after}\r\n\r\n"
    )?;
    let mut reader = BufReader::new(stream);
    head(&mut reader)?;
    let mut lines = BufReader::new(Chunks { reader, left: 0 }).lines();
    let mut id = None;
    while let Some(line) = lines.next().transpose()? {
        if let Some(position) = line.strip_prefix("id: ") {
            id = Some(position.parse()?);
        } else if let Some(data) = line.strip_prefix("data: ").filter(|data| !data.is_empty()) {
            print(&serde_json::from_str(data)?)?;
            // Only now, so that an event that is cut off comes again.
            *after = id.take().ok_or("an item without a position")?;
        }
    }
    Err("the connection ended".into())
}

/// Reads the answer's head, which must say that events follow.
fn head(reader: &mut impl BufRead) -> Result<(), Box<dyn Error>> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    if line.split(' ').nth(1) != Some("200") {
        return Err(format!("the server answers {:?}", line.trim_end()).into());
    }
    while line != "\r\n" {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Err("the answer has no end".into());
        }
    }
    Ok(())
}

fn print(answer: &Value) -> Result<(), Box<dyn Error>> {
    let item = &answer["data"]["events"];
    if item.is_null() {
        return Err(answer.to_string().into());
    }
    // An item without event only says how far the log has moved on.
    if let Some(kind) = item["event"]["type"].as_str() {
        println!("{} {kind}", item["position"]);
    }
    Ok(())
}

/// What the chunks of an answer hold (RFC 9112, section 7.1).
struct Chunks<R> {
    reader: R,
    /// Bytes of the current chunk that have not been read.
    left: usize,
}

impl<R: BufRead> Read for Chunks<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.left == 0 {
            let mut size = String::new();
            // The line end of the chunk before comes first.
            while size.trim().is_empty() {
                size.clear();
                if self.reader.read_line(&mut size)? == 0 {
                    return Ok(0);
                }
            }
            self.left = usize::from_str_radix(size.trim(), 16).map_err(std::io::Error::other)?;
        }
        let wanted = buffer.len().min(self.left);
        let read = self.reader.read(&mut buffer[..wanted])?;
        self.left -= read;
        Ok(read)
    }
}
