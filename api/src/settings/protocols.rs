//! How GraphQL is spoken.

use std::path::PathBuf;
use std::time::Duration;

use axum::http::StatusCode;

/// What can be chosen about the protocols.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Protocols {
    /// `VIGIE_DOCUMENTS`: a folder or manifest of persisted documents.
    pub documents: Option<PathBuf>,
    /// `VIGIE_DOCUMENTS_ONLY`: whether nothing else runs.
    pub documents_only: bool,
    /// `VIGIE_AUTOMATIC_DOCUMENT_BYTES`: how much is kept of what clients persist themselves; 0 keeps nothing.
    pub automatic_bytes: u64,
    /// `VIGIE_BATCH`: the most operations in one request; 0 takes none but single ones.
    pub batch: usize,
    /// `VIGIE_INTROSPECTION`: whether clients may ask for the schema.
    pub introspection: bool,
    /// `VIGIE_SUGGESTIONS`: whether errors name fields that look like what was asked for.
    pub suggestions: bool,
    /// `VIGIE_INVALID_STATUS`: the status of a document that is understood but cannot run.
    pub invalid_status: StatusCode,
    /// `VIGIE_STREAMS`: the most event streams that are reserved or open at once in single connection mode.
    pub streams: usize,
    /// `VIGIE_STREAM_SECONDS`: how long a stream may stay reserved without being opened.
    pub stream_reservation: Duration,
    /// `VIGIE_KEEP_ALIVE_SECONDS`: how long an event stream is silent before it says that it is still there.
    pub keep_alive: Duration,
}

impl Default for Protocols {
    fn default() -> Self {
        Self {
            documents: None,
            documents_only: false,
            automatic_bytes: 4 * 1024 * 1024,
            batch: 0,
            introspection: true,
            suggestions: true,
            invalid_status: StatusCode::BAD_REQUEST,
            streams: 1_000,
            stream_reservation: Duration::from_secs(30),
            keep_alive: Duration::from_secs(15),
        }
    }
}
