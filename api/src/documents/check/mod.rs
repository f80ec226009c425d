//! What a schema breaks for documents that clients already have.
//!
//! Each document is validated against the schema of this build. That does not notice what keeps its name and changes its
//! meaning, so an older schema can be given too: then the types of all that a document reads and sends are compared.

mod compare;
mod types;

use async_graphql::parser::parse_query;
use async_graphql::{Pos, Request, ServerError};

use super::Document;
use crate::graphql::Validator;
use crate::settings::Protocols;
use compare::compare;
pub(crate) use types::Types;

/// Something that does not work for a document any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broken {
    /// The document's file, and in a manifest its identifier.
    origin: String,
    /// Where in the document.
    at: Pos,
    pub(crate) what: String,
}

impl Broken {
    /// File, line and column.
    pub(crate) fn place(&self) -> String {
        format!("{}:{}:{}", self.origin, self.at.line, self.at.column)
    }
}

/// Everything that is wrong with the documents now, in their order; `since` is an older schema to compare with.
pub(crate) async fn broken(documents: &[Document], since: Option<&Types>) -> Vec<Broken> {
    let validator = Validator::new(&Protocols::default());
    let now = since.map(|_| Types::now());
    let mut all = Vec::new();
    for document in documents {
        let broken = |at, what| Broken { origin: document.origin.clone(), at, what };
        let invalid = validator.validate(Request::new(document.text.clone())).await.err().unwrap_or_default();
        all.extend(invalid.into_iter().map(|error| broken(place(&error), error.message)));
        if let (Some(since), Some(now), Ok(parsed)) = (since, &now, parse_query(&document.text)) {
            all.extend(compare(since, now, &parsed).into_iter().map(|(place, what)| broken(place, what)));
        }
    }
    all
}

fn place(error: &ServerError) -> Pos {
    error.locations.first().copied().unwrap_or(Pos { line: 1, column: 1 })
}
