//! What whoever signs in or out is answered.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use vigie_commands::reason;

use crate::accounts::{Opened, PasswordError, SESSION_COOKIES, SignInError};
use crate::clock;
use crate::http::negotiate::problem;

/// What a session gives to its holder: a cookie, or tokens in the answer.
pub(super) fn opened(outcome: Result<Opened, SignInError>, secure: bool) -> Response {
    let Opened { user, session, ends_at, secret, access } = match outcome {
        Ok(opened) => opened,
        Err(error) => return failed(&error),
    };
    let mut answer = json!({ "user": user, "session": session, "endsAt": ends_at });
    let Some((token, expires_at)) = access else {
        return ([(header::SET_COOKIE, cookie(secret.show(), secure))], Json(answer)).into_response();
    };
    answer["accessToken"] = token.into();
    answer["tokenType"] = "Bearer".into();
    answer["expiresIn"] = (expires_at - clock::now()).num_seconds().max(0).into();
    answer["refreshToken"] = secret.show().into();
    Json(answer).into_response()
}

/// Whoever has signed out holds nothing any more.
pub(super) fn left(secure: bool) -> Response {
    let gone = cookie("", secure) + "; Max-Age=0";
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, gone)]).into_response()
}

/// The cookie of a session, which ends with the browser at the latest.
pub(super) fn cookie(value: &str, secure: bool) -> String {
    set_cookie(SESSION_COOKIES, value, "Strict", secure)
}

/// A cookie that no script sees. Over TLS its name lets nobody but this host set it.
pub(super) fn set_cookie([hosted, plain]: [&str; 2], value: &str, same_site: &str, secure: bool) -> String {
    let rules = format!("Path=/; HttpOnly; SameSite={same_site}");
    if secure { format!("{hosted}={value}; {rules}; Secure") } else { format!("{plain}={value}; {rules}") }
}

/// Why nobody is signed in, in as many words as may be told.
pub(super) fn failed(error: &SignInError) -> Response {
    let told = error.to_string();
    match error {
        SignInError::Wrong(_) => problem(StatusCode::UNAUTHORIZED, "SIGN_IN_REFUSED", &told),
        SignInError::Throttled { retry } => {
            let mut response = problem(StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_SIGN_INS", &told);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(*retry));
            response
        }
        SignInError::Password(PasswordError::Busy) => {
            let mut response = problem(StatusCode::SERVICE_UNAVAILABLE, "BUSY", &told);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            response
        }
        SignInError::Password(_) | SignInError::Token(_) | SignInError::Command(_) | SignInError::Database(_) => {
            tracing::error!(error = reason(error), "a sign-in failed");
            problem(StatusCode::SERVICE_UNAVAILABLE, "SIGN_IN_FAILED", "signing in does not work at present")
        }
    }
}

/// The body is not what it should be. It is not repeated: it may hold a password.
pub(super) fn refused(status: StatusCode) -> Response {
    problem(status, "BAD_REQUEST", "the body is not the JSON that docs/accounts.md describes")
}
