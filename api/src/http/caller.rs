//! Who asks: by what they show, or on an open server by the name that they give.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};

use super::App;
use super::arrival::Arrival;
use super::negotiate::problem;
use super::request::Malformed;
use crate::accounts::{Principal, Subject, Unauthenticated};
use crate::actor::Actor;
use crate::clock;
use crate::rights::{Denied, Right, Rights, Who, forbidden};

/// The header that asks for the cost.
const COST: &str = "vigie-cost";

/// Who asks, and in which trace.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) actor: Actor,
    /// Whose rights count; nobody's on an open server, where everybody holds all.
    pub(crate) who: Option<Who>,
    /// When what they showed stops working.
    pub(crate) ends_at: Option<DateTime<Utc>>,
    /// What they may do.
    pub(crate) rights: Arc<Rights>,
    pub(crate) traceparent: Option<String>,
    /// When the operation was asked for: what "now" means in all of it.
    pub(crate) asked_at: DateTime<Utc>,
    /// From where, and over what.
    pub(crate) arrival: Arrival,
    /// Whether the cost is to be told.
    pub(super) wants_cost: bool,
}

impl FromRequestParts<App> for Caller {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let arrival = parts.extensions.get().copied().expect("every request passes the entrance");
        let (actor, who, ends_at, rights) = if app.settings().open {
            let actor = named(&parts.headers, &app.settings().actor).map_err(IntoResponse::into_response)?;
            (actor, None, None, Arc::new(Rights::all()))
        } else {
            proved(parts, &arrival, app).await?
        };
        Ok(Self { who, ends_at, rights, ..Self::nobody(actor, &parts.headers, arrival) })
    }
}

/// The name that a request gives itself, or `default`.
fn named(headers: &HeaderMap, default: &str) -> Result<Actor, Malformed> {
    let named = match headers.get(Actor::HEADER) {
        Some(value) => value.to_str().map_err(|_| Malformed("Vigie-Actor is not plain text".to_owned()))?,
        None => default,
    };
    Actor::new(named).map_err(|error| Malformed(format!("Vigie-Actor: {error}")))
}

type Proved = (Actor, Option<Who>, Option<DateTime<Utc>>, Arc<Rights>);

/// Who a request is proved to be from, and what they may do.
async fn proved(parts: &Parts, arrival: &Arrival, app: &App) -> Result<Proved, Response> {
    if parts.headers.contains_key(Actor::HEADER) {
        let message = "this server knows who asks by what they show: Vigie-Actor names actors on open servers alone";
        return Err(Malformed(message.to_owned()).into_response());
    }
    let shown = app.services().accounts.authenticate(parts, arrival).await;
    let principal = shown.map_err(|error| unauthenticated(&error))?;
    admitted(principal, app).map_err(|error| denied(error, &error.to_string()))
}

/// What somebody may do who has proved who they are.
fn admitted(principal: Principal, app: &App) -> Result<Proved, Denied> {
    let who = who(principal.subject).ok_or(Denied::Ended)?;
    let rights = app.services().directory.rights(who, clock::now())?;
    Ok((principal.actor, Some(who), principal.ends_at, rights))
}

/// Goes on if somebody may do anything, now.
///
/// # Errors
/// The answer that says that they may not.
pub(super) fn may_act(subject: Subject, app: &App) -> Result<(), Response> {
    let known = who(subject).ok_or(Denied::Ended).and_then(|who| app.services().directory.rights(who, clock::now()));
    known.map(drop).map_err(|error| denied(error, &error.to_string()))
}

fn who(subject: Subject) -> Option<Who> {
    let session = match subject {
        Subject::User { session, .. } => Some(session),
        Subject::Open | Subject::Key(_) => None,
    };
    subject.holder().map(|holder| Who { holder, session })
}

fn unauthenticated(error: &Unauthenticated) -> Response {
    match error {
        Unauthenticated::Nothing | Unauthenticated::Invalid => denied(Denied::Ended, &error.to_string()),
        Unauthenticated::Origin => problem(StatusCode::FORBIDDEN, "ORIGIN_NOT_ALLOWED", &error.to_string()),
        Unauthenticated::Failed(cause) => {
            tracing::error!(error = cause as &dyn std::error::Error, "who asks could not be looked up");
            denied(Denied::Lost, &error.to_string())
        }
    }
}

fn denied(denied: Denied, message: &str) -> Response {
    match denied {
        Denied::Ended => {
            let challenge = [(header::WWW_AUTHENTICATE, "Bearer")];
            (challenge, problem(StatusCode::UNAUTHORIZED, denied.code(), message)).into_response()
        }
        Denied::Lost => problem(StatusCode::SERVICE_UNAVAILABLE, denied.code(), message),
    }
}

impl Caller {
    /// Somebody who has not proved who they are, and may do nothing.
    fn nobody(actor: Actor, headers: &HeaderMap, arrival: Arrival) -> Self {
        let traceparent = headers.get("traceparent").and_then(|value| value.to_str().ok());
        let traceparent = traceparent.filter(|text| is_traceparent(text)).map(str::to_owned);
        let wants_cost = headers.get(COST).is_some_and(|value| value == "true");
        let (rights, asked_at) = (Arc::default(), clock::now());
        Self { actor, who: None, ends_at: None, rights, traceparent, asked_at, arrival, wants_cost }
    }

    /// Whoever opens a socket and shows nothing yet: the first message on it may.
    pub(super) fn unproved(headers: &HeaderMap, arrival: Arrival) -> Option<Self> {
        let shows = [header::AUTHORIZATION, header::COOKIE].iter().any(|name| headers.contains_key(name));
        let actor = Actor::new("nobody").expect("it is the name of an actor");
        (!shows).then(|| Self::nobody(actor, headers, arrival))
    }

    /// The same, proved by an access token or API key.
    ///
    /// # Errors
    /// It proves nothing.
    pub(super) async fn proved_by(&self, shown: &str, app: &App) -> Result<Self, Denied> {
        let principal = app.services().accounts.bearer(shown).await.map_err(|_| Denied::Ended)?;
        let (actor, who, ends_at, rights) = admitted(principal, app)?;
        Ok(Self { actor, who, ends_at, rights, ..self.clone() })
    }

    /// Goes on if they hold a right somewhere; `what` needs it.
    ///
    /// # Errors
    /// The answer that says so.
    pub(super) fn needs(&self, right: Right, what: &str) -> Result<(), Box<Response>> {
        if self.rights.hold(right) {
            return Ok(());
        }
        let message = forbidden(right, what).message;
        Err(Box::new(problem(StatusCode::FORBIDDEN, "FORBIDDEN", &message)))
    }

    /// The same asking for something else later, with the rights that they hold then.
    ///
    /// # Errors
    /// They may do nothing any more.
    pub(super) fn again(&self, app: &App) -> Result<Self, Denied> {
        let asked_at = clock::now();
        let rights = match self.who {
            Some(_) if self.ends_at.is_some_and(|end| end <= asked_at) => return Err(Denied::Ended),
            Some(who) => app.services().directory.rights(who, asked_at)?,
            None => Arc::clone(&self.rights),
        };
        Ok(Self { rights, asked_at, ..self.clone() })
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
