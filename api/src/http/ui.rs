//! The GraphiQL page, embedded when the program is built.

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use super::negotiate::problem;

/// A file of the bundle.
struct File {
    name: &'static str,
    content: &'static [u8],
}

// `PAGE: Option<&str>` and `FILES: &[File]`, the latter compressed with gzip.
include!(concat!(env!("OUT_DIR"), "/ui.rs"));

const NOT_BUILT: &str = "<!doctype html><title>Vigie</title><h1>The API is here, its page was not built</h1>\
    <p>Run <code>make ui</code> (or <code>npm ci && npm run build</code> in <code>api/ui</code>) and build again. \
    Until then send GraphQL to this address: a POST with JSON.</p>";

/// GraphiQL.
pub(super) fn page() -> Response {
    match PAGE {
        Some(page) => Html(page).into_response(),
        None => (StatusCode::NOT_FOUND, Html(NOT_BUILT)).into_response(),
    }
}

/// A script, worker or style sheet. The page asks for it with the bundle's version, so it can be kept for ever.
pub(super) async fn file(Path(name): Path<String>) -> Response {
    let Some(file) = FILES.iter().find(|file| file.name == name) else {
        return problem(StatusCode::NOT_FOUND, "NOT_FOUND", "no such file");
    };
    let kind = if name.ends_with(".css") { "text/css; charset=utf-8" } else { "text/javascript; charset=utf-8" };
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_ENCODING, "gzip"),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (headers, file.content).into_response()
}
