//! Signing in and out over HTTP, for browsers and programs.

mod answer;
mod oidc;
mod page;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use vigie_domain::identity::Holder;

use self::answer::{failed, left, opened, refused};
use super::App;
use super::arrival::Arrival;
use super::caller::{Caller, may_act};
use super::guard::same_origin;
use super::negotiate::problem;
use crate::accounts::{Accounts, Holds, SignInError, find_people};
use crate::rights::Who;

/// The routes of a server with accounts.
pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new()
        .route("/sign-in", get(page::page))
        .route("/sign-in/{file}", get(page::file))
        .route("/auth/sign-in", post(sign_in))
        .route("/auth/link", post(link))
        .route("/auth/refresh", post(refresh))
        .route("/auth/sign-out", post(sign_out))
        .route("/auth/me", get(me))
        .route("/auth/oidc/start", get(oidc::start))
        .route("/auth/oidc/callback", get(oidc::callback))
        .route("/auth/oidc/logout", post(oidc::logout))
}

/// What a sign-in leaves behind with whoever signs in.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Session {
    /// A cookie.
    #[default]
    Cookie,
    /// An access token and a refresh token.
    Tokens,
}

impl From<Session> for Holds {
    fn from(session: Session) -> Self {
        match session {
            Session::Cookie => Self::Cookie,
            Session::Tokens => Self::Tokens,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignIn {
    username: String,
    password: String,
    #[serde(default)]
    session: Session,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Link {
    link: String,
    #[serde(default)]
    session: Session,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Refresh {
    refresh_token: String,
}

/// How a request about signing in came; no page of another server has sent it.
struct Sender(Arrival);

impl FromRequestParts<App> for Sender {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        if app.settings().open {
            return Err(problem(
                StatusCode::NOT_FOUND,
                "OPEN_SERVER",
                "this server has no accounts: nobody signs in (VIGIE_OPEN)",
            ));
        }
        let arrival: Arrival = parts.extensions.get().copied().expect("every request passes the entrance");
        // Another page must not sign a browser in as somebody else, or out.
        if !same_origin(&parts.headers, &arrival) {
            return Err(problem(StatusCode::FORBIDDEN, "ORIGIN_NOT_ALLOWED", "only pages of this server sign in"));
        }
        Ok(Self(arrival))
    }
}

impl App {
    fn accounts(&self) -> &Accounts {
        &self.services().accounts
    }
}

type Body<T> = Result<Json<T>, JsonRejection>;

async fn sign_in(State(app): State<App>, from: Sender, body: Body<SignIn>) -> Response {
    let Json(SignIn { username, password, session }) = match body {
        Ok(body) => body,
        Err(rejection) => return refused(rejection.status()),
    };
    opened(app.accounts().sign_in(&username, &password, session.into(), from.0.address).await, from.0.encrypted)
}

async fn link(State(app): State<App>, from: Sender, body: Body<Link>) -> Response {
    let Json(Link { link, session }) = match body {
        Ok(body) => body,
        Err(rejection) => return refused(rejection.status()),
    };
    opened(app.accounts().sign_in_by_link(&link, session.into(), from.0.address).await, from.0.encrypted)
}

async fn refresh(State(app): State<App>, from: Sender, body: Body<Refresh>) -> Response {
    let Json(Refresh { refresh_token }) = match body {
        Ok(body) => body,
        Err(rejection) => return refused(rejection.status()),
    };
    // Asked before the token is used up: it works again once they may act again.
    match app.accounts().of_refresh(&refresh_token).await {
        Ok(Some(subject)) => {
            if let Err(refused) = may_act(subject, &app) {
                return refused;
            }
        }
        Ok(None) => {}
        Err(error) => return failed(&error),
    }
    opened(app.accounts().refresh(&refresh_token).await, from.0.encrypted)
}

/// Ends the session of the cookie or access token that comes along, or of a refresh token in the body.
async fn sign_out(State(app): State<App>, from: Sender, parts: Shown, body: Bytes) -> Response {
    let refresh = match body.is_empty() {
        true => None,
        false => match serde_json::from_slice(&body) {
            Ok(refresh) => Some(refresh),
            Err(_) => return refused(StatusCode::BAD_REQUEST),
        },
    };
    let ended = match (app.accounts().authenticate(&parts.0, &from.0).await, refresh) {
        (_, Some(Refresh { refresh_token })) => app.accounts().sign_out_by_refresh(&refresh_token).await,
        (Ok(principal), None) => app.accounts().sign_out(&principal).await,
        // Whoever is signed out already has what they wish.
        (Err(_), None) => Ok(()),
    };
    match ended {
        Ok(()) => left(from.0.encrypted),
        Err(error) => failed(&error),
    }
}

/// Who asks, if they may do anything here.
async fn me(State(app): State<App>, _: Sender, caller: Caller) -> Response {
    let person = match caller.who {
        Some(Who { holder: Holder::User(user), .. }) => match find_people(app.accounts().pool(), &[user]).await {
            Ok(mut people) => people.pop(),
            Err(error) => return failed(&SignInError::Database(error)),
        },
        Some(Who { holder: Holder::Key(_), .. }) | None => None,
    };
    let me = serde_json::json!({
        "actor": caller.actor.as_str(),
        "username": person.as_ref().map(|person| &person.username),
        "fullName": person.as_ref().map(|person| &person.full_name),
        "endsAt": caller.ends_at,
    });
    Json(me).into_response()
}

/// The request but for its body.
struct Shown(Parts);

impl<S: Sync> FromRequestParts<S> for Shown {
    type Rejection = std::convert::Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(parts.clone()))
    }
}
