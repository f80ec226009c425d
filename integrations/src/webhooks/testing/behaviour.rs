//! What a receiver may do with a request.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

/// What becomes of a request.
#[derive(Debug, Clone)]
pub enum Behaviour {
    /// It is answered.
    Answer(Reply),
    /// It is answered after that time.
    Late(Duration, Reply),
    /// It is answered once the gate lets it through.
    Gated(Gate, Reply),
    /// Nothing comes, and the connection stays open.
    Silent,
    /// The connection is closed without an answer.
    Close,
    /// The connection is reset.
    Reset,
    /// These bytes come instead of an answer, and the connection is closed.
    Bytes(Vec<u8>),
    /// The head of an answer with this status comes, and then a body without end.
    Endless(u16),
    /// The head of an answer with this status comes, and of its body nothing.
    HeadOnly(u16),
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// Headers besides the length.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// An answer with a status alone.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    /// With a header more.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }
}

impl Behaviour {
    /// An answer with a status alone.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::Answer(Reply::status(status))
    }

    /// 200.
    #[must_use]
    pub fn fine() -> Self {
        Self::status(200)
    }

    /// 302 to another place.
    #[must_use]
    pub fn redirect(location: &str) -> Self {
        Self::Answer(Reply::status(302).header("location", location))
    }

    /// 429, with the wish to be asked later: seconds, or a date of HTTP.
    #[must_use]
    pub fn too_many(retry_after: &str) -> Self {
        Self::Answer(Reply::status(429).header("retry-after", retry_after))
    }
}

/// Lets answers through, one per opening.
#[derive(Debug, Clone)]
pub struct Gate(Arc<Semaphore>);

impl Default for Gate {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }
}

impl Gate {
    /// Lets so many answers through, those that wait first.
    pub fn open(&self, answers: usize) {
        self.0.add_permits(answers);
    }

    /// Waits to be let through.
    pub(super) async fn pass(&self) {
        self.0.acquire().await.expect("the gate is never taken away").forget();
    }
}
