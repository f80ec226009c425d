//! Persisted documents: GraphQL documents that are known before they are asked for.
//!
//! Two kinds. Those that the operator names with a setting stay as they are while the server runs; clients ask for them
//! by identifier, and in allow-list mode nothing else runs. Automatic ones are kept when a client sends hash and text,
//! for as long as there is room. Identifiers are those of the GraphQL over HTTP specification, appendix A: `sha256:` and
//! the SHA-256 of the text in lower-case hex, or a name without colon.

mod automatic;
pub(crate) mod check;
mod load;

use std::collections::HashMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use vigie_integrations::webhooks::wire::DATA_DOCUMENT;

pub(crate) use automatic::Automatic;
pub use load::LoadError;
pub(crate) use load::{Document, load};

use crate::settings::Protocols;

/// The documents that the operator has named. Cheap to clone.
#[derive(Clone, Default)]
pub struct Documents(Arc<HashMap<String, Arc<str>>>);

impl Documents {
    /// Those that the settings name.
    ///
    /// # Errors
    /// They cannot be read, are no documents, or there are none although nothing else may run.
    pub fn of(protocols: &Protocols) -> Result<Self, LoadError> {
        match &protocols.documents {
            Some(path) => Self::named(load(path)?.into_iter().chain([own()])),
            None if protocols.documents_only => Err(LoadError::Nothing),
            None => Ok(Self::default()),
        }
    }

    /// Each under its own identifier, if it has one, and under its hash.
    fn named(documents: impl IntoIterator<Item = Document>) -> Result<Self, LoadError> {
        let mut known = HashMap::<String, Arc<str>>::new();
        for Document { ids, text, origin } in documents {
            let text = Arc::<str>::from(text);
            for id in ids {
                match known.get(&id) {
                    Some(other) if *other != text && !id.starts_with(PREFIX) => {
                        return Err(LoadError::Twice { origin, id });
                    }
                    Some(_) => {}
                    None => {
                        known.insert(id, Arc::clone(&text));
                    }
                }
            }
        }
        Ok(Self(Arc::new(known)))
    }

    /// The text with this identifier.
    pub(crate) fn get(&self, id: &str) -> Option<Arc<str>> {
        self.0.get(id).cloned()
    }

    /// Whether this text is one of them.
    pub(crate) fn contains(&self, text: &str) -> bool {
        self.0.contains_key(&id(&hash(text)))
    }
}

/// What deliveries of webhooks refer their receivers to, so that it runs wherever others do not.
fn own() -> Document {
    Document { ids: vec![id(&hash(DATA_DOCUMENT))], text: DATA_DOCUMENT.to_owned(), origin: "vigie".to_owned() }
}

/// What the identifiers of texts by their hash begin with.
const PREFIX: &str = "sha256:";

/// SHA-256 in lower-case hex.
#[must_use]
pub fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The identifier of a text, from its hash.
pub(crate) fn id(hash: &str) -> String {
    format!("{PREFIX}{hash}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(ids: &[&str], text: &str) -> Document {
        Document {
            ids: ids.iter().map(|id| (*id).to_owned()).collect(),
            text: text.to_owned(),
            origin: "here".to_owned(),
        }
    }

    // The two examples of the specification's appendix A.
    #[test]
    fn an_identifier_is_the_hash_of_the_text_as_it_is_written() {
        let spread = "query ($id: ID!) {\n  user(id: $id) {\n    name\n  }\n}";
        assert_eq!(id(&hash(spread)), "sha256:7dba4bd717b41f10434822356a93c32b1fb4907b983e854300ad839f84cdcd6e");
        let dense = "query($id:ID!){user(id:$id){name}}";
        assert_eq!(id(&hash(dense)), "sha256:71f7dc5758652baac68e4a10c50be732b741c892ade2883a99358f52b555286b");
    }

    #[test]
    fn one_name_for_two_texts_is_refused() {
        assert!(Documents::named(vec![document(&["a"], "{ head }"), document(&["a"], "{ head }")]).is_ok());
        let error =
            Documents::named(vec![document(&["a"], "{ head }"), document(&["a"], "{ position }")]).err().unwrap();
        assert_eq!(error.to_string(), "here: the identifier a has another text already");
    }
}
