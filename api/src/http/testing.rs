//! Asking as somebody whose rights a test chooses: everything but the sign-in is as it is for everybody.

use std::sync::Arc;

use async_graphql::Response;
use axum::http::{Extensions, HeaderMap};
use futures_util::stream::{BoxStream, StreamExt};
use serde_json::{Value, json};

use super::admit::Refused;
use super::arrival::Arrival;
use super::request::from_json;
use super::{App, Caller};
use crate::actor::Actor;
use crate::clock;
use crate::rights::{Rights, Who};

/// Somebody with these rights.
pub(crate) fn caller(actor: &str, who: Option<Who>, rights: &Rights) -> Caller {
    Caller {
        actor: Actor::new(actor).unwrap(),
        who,
        ends_at: None,
        rights: Arc::new(rights.clone()),
        traceparent: None,
        asked_at: clock::now(),
        arrival: Arrival::of(&Extensions::new(), &HeaderMap::new(), &[]),
        wants_cost: false,
    }
}

impl App {
    /// The answer to a query or mutation, as it is sent.
    pub(crate) async fn ask(&self, caller: &Caller, query: &str, variables: &Value) -> Value {
        let asked = from_json(json!({ "query": query, "variables": variables })).unwrap();
        let caller = Caller { asked_at: clock::now(), ..caller.clone() };
        let mut answer = match self.admit(asked, &caller).await {
            Ok(admitted) => self.execute(admitted, caller).await,
            Err(refused) => refused.into_answer(),
        };
        crate::graphql::finish(&mut answer);
        serde_json::to_value(answer).unwrap()
    }

    /// The items of a subscription.
    pub(crate) async fn watch(&self, caller: &Caller, query: &str, variables: &Value) -> BoxStream<'static, Value> {
        let asked = from_json(json!({ "query": query, "variables": variables })).unwrap();
        let answers: BoxStream<'static, Response> = match self.admit(asked, caller).await {
            Ok(admitted) => self.answers(admitted, caller.clone()),
            Err(refused) => futures_util::stream::iter([Refused::into_answer(refused)]).boxed(),
        };
        answers.map(|answer| serde_json::to_value(answer).unwrap()).boxed()
    }
}
