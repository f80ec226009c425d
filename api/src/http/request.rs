//! A GraphQL request, out of a body or a query string, before anything is executed.

use async_graphql::parser::parse_query;
use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, OperationType};
use async_graphql::{Request, ServerError, Variables};
use axum::http::HeaderMap;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use crate::actor::Actor;
use crate::clock;

/// Why what came is not a GraphQL request, in words for its sender.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Malformed(pub(super) String);

/// The parameters of a request, as JSON.
pub(super) fn from_json(body: Value) -> Result<Request, Malformed> {
    let Value::Object(mut body) = body else {
        return Err(Malformed("the body is not a JSON object (batches are not taken)".to_owned()));
    };
    let query = match body.remove("query") {
        Some(Value::String(query)) => query,
        Some(_) => return Err(Malformed("query is not a text".to_owned())),
        None => return Err(Malformed("query is missing".to_owned())),
    };
    let operation = match body.remove("operationName") {
        Some(Value::String(name)) => Some(name),
        Some(Value::Null) | None => None,
        Some(_) => return Err(Malformed("operationName is not a text".to_owned())),
    };
    let variables = object(&mut body, "variables")?;
    object(&mut body, "extensions")?;
    let request = Request::new(query).variables(Variables::from_json(Value::Object(variables)));
    Ok(match operation {
        Some(name) => request.operation_name(name),
        None => request,
    })
}

fn object(body: &mut Map<String, Value>, name: &str) -> Result<Map<String, Value>, Malformed> {
    match body.remove(name) {
        Some(Value::Object(object)) => Ok(object),
        Some(Value::Null) | None => Ok(Map::new()),
        Some(_) => Err(Malformed(format!("{name} is not a JSON object"))),
    }
}

/// The parameters of a request, from the pairs of a query string.
pub(super) fn from_pairs(pairs: Vec<(String, String)>) -> Result<Request, Malformed> {
    let mut body = Map::new();
    for (name, text) in pairs {
        let value = match name.as_str() {
            "query" | "operationName" => Value::String(text),
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
    from_json(Value::Object(body))
}

/// Parses the document, keeps it with the request and says what kind of operation will run; `None` if that cannot be
/// said, which executing the request will explain.
pub(super) fn operation(request: &mut Request) -> Result<Option<OperationType>, ServerError> {
    let document = parse_query(&request.query)?;
    let kind = operation_type(&document, request.operation_name.as_deref());
    request.set_parsed_query(document);
    Ok(kind)
}

fn operation_type(document: &ExecutableDocument, name: Option<&str>) -> Option<OperationType> {
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Some(operation.node.ty),
        (DocumentOperations::Single(_), Some(_)) => None,
        (DocumentOperations::Multiple(all), Some(name)) => all.get(name).map(|operation| operation.node.ty),
        (DocumentOperations::Multiple(all), None) => {
            let mut all = all.values();
            all.next().filter(|_| all.next().is_none()).map(|operation| operation.node.ty)
        }
    }
}

/// Who asks, and in which trace.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) actor: Actor,
    pub(crate) traceparent: Option<String>,
    /// When the operation was asked for: what "now" means in all of it.
    pub(crate) asked_at: DateTime<Utc>,
}

impl Caller {
    /// From the headers, or `default` when they do not say it.
    pub(super) fn of(headers: &HeaderMap, default: &str) -> Result<Self, Malformed> {
        let named = match headers.get(Actor::HEADER) {
            Some(value) => value.to_str().map_err(|_| Malformed("Vigie-Actor is not plain text".to_owned()))?,
            None => default,
        };
        let actor = Actor::new(named).map_err(|error| Malformed(format!("Vigie-Actor: {error}")))?;
        let traceparent = headers.get("traceparent").and_then(|value| value.to_str().ok());
        let traceparent = traceparent.filter(|text| is_traceparent(text)).map(str::to_owned);
        Ok(Self { actor, traceparent, asked_at: clock::now() })
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
            (json!([]), "the body is not a JSON object (batches are not taken)"),
            (json!({}), "query is missing"),
            (json!({ "query": 1 }), "query is not a text"),
            (json!({ "query": "{a}", "operationName": 1 }), "operationName is not a text"),
            (json!({ "query": "{a}", "variables": [] }), "variables is not a JSON object"),
            (json!({ "query": "{a}", "extensions": "x" }), "extensions is not a JSON object"),
        ] {
            assert_eq!(from_json(body).unwrap_err().0, message);
        }
        assert!(from_json(json!({ "query": "{a}", "variables": null, "operationName": null })).is_ok());
    }

    #[test]
    fn the_kind_of_the_named_operation_counts() {
        let kind = |query: &str, name: Option<&str>| {
            let mut request = Request::new(query);
            request.operation_name = name.map(str::to_owned);
            operation(&mut request).unwrap()
        };
        assert_eq!(kind("{ a }", None), Some(OperationType::Query));
        assert_eq!(kind("query q { a } mutation m { b }", Some("m")), Some(OperationType::Mutation));
        assert_eq!(kind("query q { a } mutation m { b }", None), None);
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
