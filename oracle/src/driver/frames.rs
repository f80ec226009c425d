//! Messages of Postgres's protocol (version 3, as its documentation's chapter "Frontend/Backend Protocol" has them).

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

/// The longest message that is taken, in bytes.
const LONGEST: usize = 1 << 30;

/// A message with its type: `kind`, four bytes of length, the rest.
pub(super) struct Frame {
    pub(super) kind: u8,
    /// As it came, type and length included.
    pub(super) bytes: Vec<u8>,
}

impl Frame {
    /// The next message; none when the other side has closed.
    pub(super) async fn read(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Self>> {
        let mut head = [0; 5];
        match from.read_exact(&mut head).await {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        }
        let [kind, length @ ..] = head;
        let mut bytes = head.to_vec();
        body(from, length, &mut bytes).await?;
        Ok(Some(Self { kind, bytes }))
    }

    /// What follows the length.
    pub(super) fn body(&self) -> &[u8] {
        self.bytes.get(5..).unwrap_or_default()
    }

    /// The texts at the start of the body, each ended by a zero.
    pub(super) fn texts(&self) -> impl Iterator<Item = String> {
        self.body().split(|byte| *byte == 0).map(|text| String::from_utf8_lossy(text).into_owned())
    }

    /// The four-byte number at the start of the body.
    pub(super) fn number(&self) -> Option<i32> {
        self.body().first_chunk::<4>().copied().map(i32::from_be_bytes)
    }
}

/// The first message of a connection, which has no type.
pub(super) async fn startup(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length).await?;
    let mut bytes = length.to_vec();
    body(from, length, &mut bytes).await?;
    Ok(bytes)
}

async fn body(from: &mut (impl AsyncRead + Unpin), length: [u8; 4], bytes: &mut Vec<u8>) -> io::Result<()> {
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if !(4..=LONGEST).contains(&length) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let start = bytes.len();
    bytes.resize(start + length - 4, 0);
    from.read_exact(&mut bytes[start..]).await.map(drop)
}
