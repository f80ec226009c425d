//! Sign-in through another system over HTTP: to it, back from it, and what it says by itself.

use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;
use vigie_commands::reason;

use super::Sender;
use super::answer::{cookie as session_cookie, set_cookie};
use crate::accounts::{Opened, SignInError, ThroughError, read_cookie};
use crate::http::App;
use crate::http::negotiate::problem;
use crate::oidc::{Attempt, Oidc, OidcError};

/// What the browser keeps while it is with the other system. It comes back from a page of that one, so that its cookie has
/// to come along from there: `SameSite=Lax`.
const COOKIES: [&str; 2] = ["__Host-vigie-oidc", "vigie-oidc"];
/// For how long, in seconds.
const KEPT: u32 = 600;

/// What the other system sends back with the browser.
#[derive(Deserialize)]
pub(super) struct Answer {
    state: Option<String>,
    code: Option<String>,
    iss: Option<String>,
    error: Option<String>,
}

/// What it says by itself.
#[derive(Deserialize)]
pub(super) struct Logout {
    logout_token: String,
}

/// Sends a browser to the other system.
pub(super) async fn start(State(app): State<App>, from: Sender) -> Response {
    let Some(oidc) = app.accounts().oidc() else { return none() };
    let attempt = Attempt::draw();
    match oidc.begin(&attempt).await {
        Ok(url) => {
            let kept = [(header::SET_COOKIE, cookie(attempt.as_str(), KEPT, from.0.encrypted))];
            (kept, Redirect::to(url.as_str())).into_response()
        }
        Err(error) => {
            tracing::error!(error = reason(&error), "nobody can sign in through the provider");
            unreachable()
        }
    }
}

/// Takes a browser back. The attempt is over, whatever comes of it.
pub(super) async fn callback(
    State(app): State<App>,
    from: Sender,
    headers: HeaderMap,
    Query(answer): Query<Answer>,
) -> Response {
    let Some(oidc) = app.accounts().oidc() else { return none() };
    let mut response = match proven(oidc, &headers, &answer, from.0.encrypted) {
        Some((attempt, code)) => {
            came_back(app.accounts().sign_in_through(oidc, &attempt, code, from.0.address).await, from.0.encrypted)
        }
        None => not_signed_in(),
    };
    let gone = HeaderValue::from_str(&cookie("", 0, from.0.encrypted)).expect("it is plain text");
    response.headers_mut().append(header::SET_COOKIE, gone);
    response
}

/// The attempt that an answer belongs to, and its code: only in the browser that began it.
fn proven<'a>(oidc: &Oidc, headers: &HeaderMap, answer: &'a Answer, secure: bool) -> Option<(Attempt, &'a str)> {
    let attempt = Attempt::kept(read_cookie(headers, COOKIES, secure)?)?;
    let ours = attempt.is_answered_by(answer.state.as_deref()?)
        && answer.iss.as_deref().is_none_or(|issuer| issuer == oidc.issuer())
        && answer.error.is_none();
    ours.then_some((attempt, answer.code.as_deref()?))
}

fn came_back(outcome: Result<Opened, ThroughError>, secure: bool) -> Response {
    match outcome {
        Ok(opened) => {
            // No redirect: the way here began at another site, and the session's cookie is not sent along with that.
            const WELCOME: &str = "<!doctype html><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" content=\"0;url=/\">\
                                   <title>Vigie</title><p><a href=\"/\">Go on</a>";
            ([(header::SET_COOKIE, session_cookie(opened.secret.show(), secure))], Html(WELCOME)).into_response()
        }
        Err(ThroughError::Session(SignInError::Throttled { retry })) => {
            let mut response =
                page(StatusCode::TOO_MANY_REQUESTS, "Too many sign-ins were tried. Wait, and try again.");
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(retry));
            response
        }
        Err(error) => {
            tracing::warn!(error = reason(&error), "somebody was not signed in through the provider");
            if is_unreachable(&error) { unreachable() } else { not_signed_in() }
        }
    }
}

/// Ends the sessions of whoever the other system has signed out.
pub(super) async fn logout(
    State(app): State<App>,
    from: Sender,
    form: Result<Form<Logout>, FormRejection>,
) -> Response {
    let Some(oidc) = app.accounts().oidc() else { return none() };
    let Ok(Form(Logout { logout_token })) = form else {
        return problem(StatusCode::BAD_REQUEST, "BAD_REQUEST", "a form with logout_token is taken");
    };
    match app.accounts().sign_out_through(oidc, &logout_token).await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(error) => {
            tracing::warn!(error = reason(&error), client.address = %from.0.address, "a logout token was refused");
            // What cannot be checked now may be right: the other system may say it again.
            let wrong = matches!(error, ThroughError::Provider(_)) && !is_unreachable(&error);
            let status = if wrong { StatusCode::BAD_REQUEST } else { StatusCode::SERVICE_UNAVAILABLE };
            problem(status, "LOGOUT_REFUSED", "nobody was signed out")
        }
    }
}

fn none() -> Response {
    problem(StatusCode::NOT_FOUND, "NOT_FOUND", "nobody signs in through another system here (VIGIE_OIDC_ISSUER)")
}

fn is_unreachable(error: &ThroughError) -> bool {
    matches!(error, ThroughError::Provider(OidcError::Unreachable(..)))
}

fn unreachable() -> Response {
    page(StatusCode::BAD_GATEWAY, "The system that signs people in cannot be reached.")
}

fn not_signed_in() -> Response {
    page(StatusCode::BAD_REQUEST, "You are not signed in.")
}

/// What a person reads. Nothing in it comes from a request.
fn page(status: StatusCode, says: &'static str) -> Response {
    let page = format!(
        "<!doctype html><meta charset=\"utf-8\"><title>Vigie</title><p>{says}<p><a href=\"/sign-in\">Sign in</a>"
    );
    (status, Html(page)).into_response()
}

fn cookie(value: &str, seconds: u32, secure: bool) -> String {
    format!("{}; Max-Age={seconds}", set_cookie(COOKIES, value, "Lax", secure))
}
