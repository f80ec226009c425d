//! The page on which people sign in, embedded in the program.

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};

use crate::http::App;
use crate::http::negotiate::problem;

/// Name, type and content.
const FILES: [(&str, &str, &str); 2] = [
    ("sign-in.css", "text/css; charset=utf-8", include_str!("sign-in.css")),
    ("sign-in.js", "text/javascript; charset=utf-8", include_str!("sign-in.js")),
];

/// The way to the other system that people sign in with.
const PROVIDER: &str = r#"<p><a href="/auth/oidc/start">Sign in with your organisation's account</a></p>"#;

/// The page; on an open server there is nothing to sign in to.
pub(super) async fn page(State(app): State<App>) -> Response {
    if app.settings().open {
        return Redirect::temporary("/graphql").into_response();
    }
    let provider = app.accounts().oidc().map_or("", |_| PROVIDER);
    Html(include_str!("sign-in.html").replace("<!-- provider -->", provider)).into_response()
}

/// Its style or script.
pub(super) async fn file(Path(name): Path<String>) -> Response {
    match FILES.iter().find(|(file, ..)| *file == name) {
        Some((_, kind, content)) => ([(header::CONTENT_TYPE, *kind)], *content).into_response(),
        None => problem(StatusCode::NOT_FOUND, "NOT_FOUND", "no such file"),
    }
}
