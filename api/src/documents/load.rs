//! Reading documents: a folder of `.graphql` files and manifests, or one manifest.
//!
//! A manifest is what the usual tools write: a JSON object from identifier to text (relay-compiler, graphql-codegen), or
//! an Apollo persisted query manifest, whose `operations` have `id` and `body`.

use std::path::{Path, PathBuf};
use std::{fs, io};

use async_graphql::parser::parse_query;
use serde_json::{Map, Value};

use super::{PREFIX, hash, id};

/// A document before it is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Document {
    /// Every identifier that it answers to.
    pub(crate) ids: Vec<String>,
    pub(crate) text: String,
    /// The file, and in a manifest the identifier.
    pub(crate) origin: String,
}

/// Why documents cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Nothing could ever run.
    #[error("VIGIE_DOCUMENTS_ONLY needs VIGIE_DOCUMENTS: without documents nothing could run")]
    Nothing,
    /// A file or folder cannot be read.
    #[error("{} cannot be read", path.display())]
    Read {
        /// Which one.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A manifest is not one.
    #[error("{origin}: {problem}")]
    Manifest {
        /// The file.
        origin: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A document is not GraphQL.
    #[error("{origin} is not a GraphQL document: {problem}")]
    Document {
        /// The file, and in a manifest the identifier.
        origin: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Two documents have one identifier.
    #[error("{origin}: the identifier {id} has another text already")]
    Twice {
        /// The later one.
        origin: String,
        /// The identifier.
        id: String,
    },
}

/// Every document of a folder, with what is below it, or of one manifest, in the order of their names.
pub(crate) fn load(path: &Path) -> Result<Vec<Document>, LoadError> {
    let read = |source| LoadError::Read { path: path.to_owned(), source };
    let mut documents = Vec::new();
    if fs::metadata(path).map_err(read)?.is_dir() {
        let mut entries = fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(read)?;
        entries.sort_by_key(fs::DirEntry::path);
        for entry in entries {
            let inner = entry.path();
            let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            let named = inner.extension().is_some_and(|end| end == "graphql" || end == "gql" || end == "json");
            if !hidden && (named || inner.is_dir()) {
                documents.extend(load(&inner)?);
            }
        }
        return Ok(documents);
    }
    let text = fs::read_to_string(path).map_err(read)?;
    let origin = path.display().to_string();
    match path.extension() {
        Some(end) if end == "json" => manifest(&origin, &text),
        Some(_) | None => Ok(vec![file(origin, text)?]),
    }
}

/// Editors end files with a line end that clients may not send, so a file answers to both hashes.
fn file(origin: String, text: String) -> Result<Document, LoadError> {
    checked(&origin, &text)?;
    let bare = text.trim_end();
    let ids = vec![id(&hash(&text)), id(&hash(bare))];
    Ok(Document { ids, text: bare.to_owned(), origin })
}

fn manifest(origin: &str, text: &str) -> Result<Vec<Document>, LoadError> {
    let wrong = |problem: String| LoadError::Manifest { origin: origin.to_owned(), problem };
    let manifest: Map<String, Value> =
        serde_json::from_str(text).map_err(|error| wrong(format!("is not a JSON object: {error}")))?;
    let pairs = match manifest.get("operations") {
        Some(Value::Array(operations)) => operations.iter().map(apollo).collect::<Option<Vec<_>>>(),
        _ => manifest.iter().map(|(id, text)| Some((id.as_str(), text.as_str()?))).collect(),
    };
    let shapes = "is neither an object from identifier to text nor a list of operations with id and body";
    let pairs = pairs.ok_or_else(|| wrong(shapes.to_owned()))?;
    pairs.into_iter().map(|(id, text)| entry(origin, id, text)).collect()
}

fn apollo(operation: &Value) -> Option<(&str, &str)> {
    Some((operation.get("id")?.as_str()?, operation.get("body")?.as_str()?))
}

fn entry(origin: &str, name: &str, text: &str) -> Result<Document, LoadError> {
    let wrong =
        |problem: &str| LoadError::Manifest { origin: origin.to_owned(), problem: format!("{name}: {problem}") };
    let own = id(&hash(text));
    match name.split_once(':') {
        Some(_) if name.starts_with(PREFIX) && name != own => return Err(wrong("is not the SHA-256 of its text")),
        Some((prefix, _)) if !name.starts_with(PREFIX) && !prefix.starts_with("x-") => {
            return Err(wrong("an identifier with a colon begins with sha256: or x-"));
        }
        Some(_) | None if name.is_empty() => return Err(wrong("an identifier is not empty")),
        Some(_) | None => {}
    }
    let origin = format!("{origin}, {name}");
    checked(&origin, text)?;
    let mut ids = vec![own];
    if ids[0] != name {
        ids.push(name.to_owned());
    }
    Ok(Document { ids, text: text.to_owned(), origin })
}

fn checked(origin: &str, text: &str) -> Result<(), LoadError> {
    let wrong = |problem: String| LoadError::Document { origin: origin.to_owned(), problem };
    parse_query(text).map(|_| ()).map_err(|error| wrong(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_read_with_what_is_below_it() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("deeper")).unwrap();
        fs::write(folder.path().join("a.graphql"), "{ head }\n").unwrap();
        fs::write(folder.path().join("deeper/b.gql"), "{ position }").unwrap();
        fs::write(folder.path().join("c.json"), r#"{ "abc": "{ head position }" }"#).unwrap();
        fs::write(folder.path().join("notes.txt"), "not a document").unwrap();
        let found = load(folder.path()).unwrap();
        let ids: Vec<&str> = found.iter().flat_map(|document| &document.ids).map(String::as_str).collect();
        assert_eq!(found.len(), 3);
        let expected =
            ["{ head }\n", "{ head }", "{ head position }", "{ position }"].map(|text| id(&hash(text))).to_vec();
        assert!(expected.iter().all(|id| ids.contains(&id.as_str())) && ids.contains(&"abc"), "{ids:?}");
    }

    #[test]
    fn both_kinds_of_manifest_are_read() {
        let apollo = r#"{ "format": "apollo-persisted-query-manifest", "version": 1,
            "operations": [{ "id": "one", "name": "H", "type": "query", "body": "query H { head }" }] }"#;
        assert_eq!(manifest("m.json", apollo).unwrap()[0].ids[1], "one");
        let relay = r#"{ "one": "query H { head }" }"#;
        assert_eq!(manifest("m.json", relay).unwrap(), manifest("m.json", apollo).unwrap());
    }

    #[test]
    fn what_cannot_be_used_is_told_with_its_place() {
        for (text, told) in [
            ("[]", "m.json: is not a JSON object"),
            (r#"{ "a": 1 }"#, "m.json: is neither an object from identifier to text"),
            (r#"{ "": "{ head }" }"#, "m.json: : an identifier is not empty"),
            (r#"{ "sha256:ab": "{ head }" }"#, "m.json: sha256:ab: is not the SHA-256 of its text"),
            (r#"{ "md5:ab": "{ head }" }"#, "m.json: md5:ab: an identifier with a colon begins with"),
            (r#"{ "a": "{ head" }"#, "m.json, a is not a GraphQL document"),
        ] {
            let error = manifest("m.json", text).unwrap_err().to_string();
            assert!(error.starts_with(told), "{error}");
        }
        let missing = load(Path::new("no such folder")).unwrap_err();
        assert_eq!(missing.to_string(), "no such folder cannot be read");
    }
}
