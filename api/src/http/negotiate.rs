//! Which of the two media types of a GraphQL answer the caller wants, and answers that are not GraphQL's own.

use axum::Json;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// The media type of a GraphQL answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Media {
    /// `application/graphql-response+json`: the status tells whether the request was executed.
    GraphQl,
    /// `application/json`: a request that was understood gets 200, whatever came of it.
    Json,
}

impl Media {
    /// The Content-Type.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::GraphQl => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        }
    }
}

/// One entry of an Accept header.
struct Range {
    kind: String,
    /// Quality in thousandths.
    quality: u32,
}

fn ranges(headers: &HeaderMap) -> Vec<Range> {
    let lines = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(',')).filter_map(range).collect()
}

fn range(text: &str) -> Option<Range> {
    let mut parts = text.split(';').map(str::trim);
    let kind = parts.next().filter(|kind| !kind.is_empty())?.to_ascii_lowercase();
    let mut quality = 1_000;
    for parameter in parts {
        let (name, value) = parameter.split_once('=')?;
        match name.trim().to_ascii_lowercase().as_str() {
            "q" => quality = thousandths(value.trim())?,
            "charset" if !value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8") => return None,
            _ => {}
        }
    }
    Some(Range { kind, quality })
}

fn thousandths(text: &str) -> Option<u32> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if part.len() > 3 || !part.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let part: u32 = format!("{part:0<3}").parse().ok()?;
    Some((whole.parse::<u32>().ok()? * 1_000 + part).min(1_000))
}

/// The media type to answer in; `None` if neither is acceptable. Without an Accept header, and when both are equally
/// welcome by wildcard, `application/json`, which every client reads.
pub(super) fn media(headers: &HeaderMap) -> Option<Media> {
    let ranges = ranges(headers);
    if ranges.is_empty() {
        return (!headers.contains_key(header::ACCEPT)).then_some(Media::Json);
    }
    let quality = |kind: &str| {
        let exact = ranges.iter().find(|range| range.kind == kind);
        let wide = |name: &str| ranges.iter().find(|range| range.kind == name);
        exact.or_else(|| wide("application/*")).or_else(|| wide("*/*")).map_or(0, |range| range.quality)
    };
    let (graphql, json) = (quality("application/graphql-response+json"), quality("application/json"));
    let named = ranges.iter().any(|range| range.kind == "application/graphql-response+json");
    match (graphql, json) {
        (0, 0) => None,
        _ if graphql > json || (graphql == json && named) => Some(Media::GraphQl),
        _ => Some(Media::Json),
    }
}

/// Whether an answer of this media type, `kind/more`, is welcome.
pub(super) fn accepts(headers: &HeaderMap, media: &str) -> bool {
    let ranges = ranges(headers);
    let wide = media.split_once('/').map(|(kind, _)| format!("{kind}/*")).unwrap_or_default();
    let named = [media, &wide, "*/*"].into_iter().find_map(|name| ranges.iter().find(|range| range.kind == name));
    named.map_or(!headers.contains_key(header::ACCEPT), |range| range.quality > 0)
}

/// Whether a person with a browser asks: `text/html` by name, and not less welcome than the API's own types.
pub(super) fn wants_page(headers: &HeaderMap) -> bool {
    let ranges = ranges(headers);
    let quality = |kind: &str| ranges.iter().find(|range| range.kind == kind).map_or(0, |range| range.quality);
    let html = quality("text/html");
    html > 0 && html >= quality("application/json") && html >= quality("application/graphql-response+json")
}

/// An answer that never reached GraphQL.
pub(super) fn problem(status: StatusCode, code: &str, message: &str) -> Response {
    let body = json!({ "errors": [{ "message": message, "extensions": { "code": code } }] });
    let kind = [(header::CONTENT_TYPE, Media::Json.content_type())];
    (status, kind, Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn accept(text: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_str(text).unwrap())])
    }

    #[test]
    fn the_media_type_follows_the_accept_header() {
        for (text, expected) in [
            ("application/graphql-response+json", Some(Media::GraphQl)),
            ("application/json", Some(Media::Json)),
            ("*/*", Some(Media::Json)),
            ("application/*", Some(Media::Json)),
            ("application/json, application/graphql-response+json", Some(Media::GraphQl)),
            ("application/json;q=0.9, application/graphql-response+json;q=0.8", Some(Media::Json)),
            ("application/graphql-response+json;charset=utf-8, application/json;charset=utf-8", Some(Media::GraphQl)),
            ("application/json; charset=\"UTF-8\"", Some(Media::Json)),
            ("application/json; charset=latin1", None),
            ("text/html", None),
            ("application/json;q=0", None),
        ] {
            assert_eq!(media(&accept(text)), expected, "{text}");
        }
        assert_eq!(media(&HeaderMap::new()), Some(Media::Json));
    }

    #[test]
    fn a_stream_is_for_those_who_take_events() {
        for (text, expected) in [
            ("text/event-stream", true),
            ("application/json, text/*;q=0.1", true),
            ("*/*", true),
            ("application/json", false),
            ("*/*, text/event-stream;q=0", false),
        ] {
            assert_eq!(accepts(&accept(text), "text/event-stream"), expected, "{text}");
        }
        assert!(accepts(&HeaderMap::new(), "text/event-stream"));
    }

    #[test]
    fn a_browser_wants_the_page_and_a_program_does_not() {
        assert!(wants_page(&accept("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")));
        assert!(!wants_page(&accept("*/*")));
        assert!(!wants_page(&accept("application/json, text/html;q=0.5")));
    }
}
