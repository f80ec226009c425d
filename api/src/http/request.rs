//! A GraphQL request, out of a body or a query string, before anything is executed.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use super::negotiate::problem;

/// Why what came is not a GraphQL request, in words for its sender.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Malformed(pub(super) String);

/// What a caller asks for: the parameters of a GraphQL request.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asked {
    pub(super) document: Named,
    pub(super) operation_name: Option<String>,
    pub(super) variables: Map<String, Value>,
    /// `extensions.operationId`: what an operation is called on a stream that carries several.
    pub(super) operation_id: Option<String>,
    /// The position after which a subscription goes on, whatever its document says.
    pub(super) resume_after: Option<i64>,
    /// Whether it came by GET, which must change nothing.
    pub(super) safe: bool,
}

/// How a request names its document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Named {
    /// By its text.
    Text(String),
    /// By an identifier (`documentId`).
    Id(String),
    /// By the SHA-256 of its text in hex (`extensions.persistedQuery`), with the text when the server is to keep it.
    Hash(String, Option<String>),
}

/// The parameters of a request, as JSON.
pub(super) fn from_json(body: Value) -> Result<Asked, Malformed> {
    let Value::Object(mut body) = body else {
        return Err(Malformed("the request is not a JSON object".to_owned()));
    };
    let query = text(&mut body, "query")?;
    let id = text(&mut body, "documentId")?;
    let operation_name = text(&mut body, "operationName")?.filter(|name| !name.is_empty());
    let variables = object(&mut body, "variables")?;
    let mut extensions = object(&mut body, "extensions")?;
    let operation_id = text(&mut extensions, "operationId")?;
    let document = match (query, id, hash(&mut extensions)?) {
        (Some(query), None, None) => Named::Text(query),
        (None, Some(id), None) => Named::Id(id),
        (query, None, Some(hash)) => Named::Hash(hash, query),
        (None, None, None) => return Err(Malformed("query is missing".to_owned())),
        (_, Some(_), _) => {
            return Err(Malformed("documentId stands alone: without query and persistedQuery".to_owned()));
        }
    };
    Ok(Asked { document, operation_name, variables, operation_id, resume_after: None, safe: false })
}

fn text(body: &mut Map<String, Value>, name: &str) -> Result<Option<String>, Malformed> {
    match body.remove(name) {
        Some(Value::String(text)) => Ok(Some(text)),
        Some(Value::Null) | None => Ok(None),
        Some(_) => Err(Malformed(format!("{name} is not a text"))),
    }
}

fn object(body: &mut Map<String, Value>, name: &str) -> Result<Map<String, Value>, Malformed> {
    match body.remove(name) {
        Some(Value::Object(object)) => Ok(object),
        Some(Value::Null) | None => Ok(Map::new()),
        Some(_) => Err(Malformed(format!("{name} is not a JSON object"))),
    }
}

/// The hash of an automatic persisted query: `{"persistedQuery": {"version": 1, "sha256Hash": HEX}}`.
fn hash(extensions: &mut Map<String, Value>) -> Result<Option<String>, Malformed> {
    let mut wanted = match extensions.remove("persistedQuery") {
        Some(Value::Object(wanted)) => wanted,
        Some(Value::Null) | None => return Ok(None),
        Some(_) => return Err(Malformed("persistedQuery is not a JSON object".to_owned())),
    };
    if wanted.get("version").and_then(Value::as_u64) != Some(1) {
        return Err(Malformed("persistedQuery.version is not 1".to_owned()));
    }
    match text(&mut wanted, "sha256Hash")? {
        Some(hash) if hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            Ok(Some(hash.to_ascii_lowercase()))
        }
        Some(_) | None => Err(Malformed("persistedQuery.sha256Hash is not 64 hexadecimal digits".to_owned())),
    }
}

/// The parameters of a request, from the pairs of a query string.
pub(super) fn from_pairs(pairs: Vec<(String, String)>) -> Result<Asked, Malformed> {
    let mut body = Map::new();
    for (name, text) in pairs {
        let value = match name.as_str() {
            "query" | "documentId" | "operationName" => Value::String(text),
            "variables" | "extensions" if text.is_empty() => Value::Null,
            "variables" | "extensions" => {
                serde_json::from_str(&text).map_err(|error| Malformed(format!("{name} is not JSON: {error}")))?
            }
            _ => continue,
        };
        if body.insert(name.clone(), value).is_some() {
            return Err(Malformed(format!("{name} is given twice")));
        }
    }
    Ok(Asked { safe: true, ..from_json(Value::Object(body))? })
}

impl IntoResponse for Malformed {
    fn into_response(self) -> Response {
        problem(StatusCode::BAD_REQUEST, "BAD_REQUEST", &self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_not_a_request_is_told_why() {
        for (body, message) in [
            (json!([]), "the request is not a JSON object"),
            (json!({}), "query is missing"),
            (json!({ "query": 1 }), "query is not a text"),
            (json!({ "query": "{a}", "operationName": 1 }), "operationName is not a text"),
            (json!({ "query": "{a}", "variables": [] }), "variables is not a JSON object"),
            (json!({ "query": "{a}", "extensions": "x" }), "extensions is not a JSON object"),
            (json!({ "documentId": 1 }), "documentId is not a text"),
            (json!({ "query": "{a}", "documentId": "b" }), "documentId stands alone: without query and persistedQuery"),
            (json!({ "extensions": { "persistedQuery": 1 } }), "persistedQuery is not a JSON object"),
            (json!({ "extensions": { "persistedQuery": {} } }), "persistedQuery.version is not 1"),
            (
                json!({ "extensions": { "persistedQuery": { "version": 1, "sha256Hash": "abc" } } }),
                "persistedQuery.sha256Hash is not 64 hexadecimal digits",
            ),
        ] {
            assert_eq!(from_json(body).unwrap_err().0, message);
        }
        assert!(from_json(json!({ "query": "{a}", "variables": null, "operationName": null })).is_ok());
    }

    #[test]
    fn an_empty_operation_name_in_an_address_is_none() {
        let pairs = [("query", "{a}"), ("operationName", ""), ("variables", "")];
        let asked = from_pairs(pairs.map(|(name, text)| (name.to_owned(), text.to_owned())).to_vec()).unwrap();
        assert_eq!((asked.operation_name, asked.variables.len()), (None, 0));
    }
}
