//! A GraphQL request, out of a body or a query string, before anything is executed.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::App;
use super::arrival::Arrival;
use super::negotiate::problem;
use crate::actor::Actor;
use crate::clock;

/// The header that asks for the cost.
const COST: &str = "vigie-cost";

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

/// Who asks, and in which trace.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) actor: Actor,
    pub(crate) traceparent: Option<String>,
    /// When the operation was asked for: what "now" means in all of it.
    pub(crate) asked_at: DateTime<Utc>,
    /// From where, and over what.
    pub(crate) arrival: Arrival,
    /// Whether the cost is to be told.
    pub(super) wants_cost: bool,
}

impl FromRequestParts<App> for Caller {
    type Rejection = Malformed;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Malformed> {
        let arrival = parts.extensions.get().copied().expect("every request passes the entrance");
        Self::of(&parts.headers, &app.settings().actor, arrival)
    }
}

impl IntoResponse for Malformed {
    fn into_response(self) -> Response {
        problem(StatusCode::BAD_REQUEST, "BAD_REQUEST", &self.0)
    }
}

impl Caller {
    /// From the headers, or `default` when they do not say it.
    fn of(headers: &HeaderMap, default: &str, arrival: Arrival) -> Result<Self, Malformed> {
        let named = match headers.get(Actor::HEADER) {
            Some(value) => value.to_str().map_err(|_| Malformed("Vigie-Actor is not plain text".to_owned()))?,
            None => default,
        };
        let actor = Actor::new(named).map_err(|error| Malformed(format!("Vigie-Actor: {error}")))?;
        let traceparent = headers.get("traceparent").and_then(|value| value.to_str().ok());
        let traceparent = traceparent.filter(|text| is_traceparent(text)).map(str::to_owned);
        let wants_cost = headers.get(COST).is_some_and(|value| value == "true");
        Ok(Self { actor, traceparent, asked_at: clock::now(), arrival, wants_cost })
    }
}

/// W3C Trace Context, version 00: `00-<32 hex>-<16 hex>-<2 hex>`, neither id all zeros. A wrong one counts as none.
fn is_traceparent(text: &str) -> bool {
    let hex = |part: &str, length| {
        part.len() == length && part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let id = |part: &str, length| hex(part, length) && part.bytes().any(|b| b != b'0');
    match text.split('-').collect::<Vec<_>>()[..] {
        ["00", trace, parent, flags] => id(trace, 32) && id(parent, 16) && hex(flags, 2),
        _ => false,
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

    #[test]
    fn only_a_valid_trace_context_is_taken() {
        assert!(is_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
        for text in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert!(!is_traceparent(text), "{text}");
        }
    }
}
