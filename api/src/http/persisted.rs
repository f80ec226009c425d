//! Which text a request means, and whether this server runs it.

use std::sync::Arc;

use axum::http::StatusCode;

use super::App;
use super::admit::Refused;
use super::request::Named;
use crate::documents::{hash, id};

impl App {
    /// The text of the document that a request names.
    pub(super) fn document(&self, named: Named) -> Result<Arc<str>, Refused> {
        match named {
            Named::Text(text) => self.free(text),
            Named::Id(id) => self.documents().get(&id).ok_or_else(|| {
                let message = format!("no document is persisted as {id:?}");
                refused("PERSISTED_DOCUMENT_NOT_FOUND", message)
            }),
            Named::Hash(given, Some(text)) if hash(&text) != given => {
                Err(refused("PERSISTED_QUERY_MISMATCH", "persistedQuery.sha256Hash is not the SHA-256 of query"))
            }
            Named::Hash(given, Some(text)) => {
                let text = self.free(text)?;
                if let Some(automatic) = self.automatic() {
                    automatic.keep(given, Arc::clone(&text));
                }
                Ok(text)
            }
            Named::Hash(hash, None) => self.kept(&hash),
        }
    }

    /// A text that came with the request, unless only persisted ones run.
    fn free(&self, text: String) -> Result<Arc<str>, Refused> {
        if self.settings().protocols.documents_only && !self.documents().contains(&text) {
            let message = "this server runs persisted documents only (VIGIE_DOCUMENTS_ONLY): name one by documentId";
            return Err(refused("PERSISTED_DOCUMENT_REQUIRED", message));
        }
        Ok(text.into())
    }

    // The messages and codes are those that clients of automatic persisted queries act on.
    fn kept(&self, hash: &str) -> Result<Arc<str>, Refused> {
        let automatic = || self.automatic().and_then(|automatic| automatic.get(hash));
        if let Some(text) = self.documents().get(&id(hash)).or_else(automatic) {
            return Ok(text);
        }
        Err(match self.automatic() {
            Some(_) => refused("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound"),
            None => refused("PERSISTED_QUERY_NOT_SUPPORTED", "PersistedQueryNotSupported"),
        })
    }
}

fn refused(code: &str, message: impl Into<String>) -> Refused {
    Refused::because(StatusCode::BAD_REQUEST, code, message)
}
