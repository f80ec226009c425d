//! What every request passes between being read and being executed, over HTTP, a WebSocket or a stream of events.

use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, OperationType};
use async_graphql::{Name, Pos, Request, Response, ServerError, Variables};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Map, Value};
use uuid::Uuid;
use vigie_commands::Order;

use super::App;
use super::caller::Caller;
use super::inspect::{chosen, introspects, without_value};
use super::request::Asked;
use super::resume::{resume, resumes};
use crate::completion::Outline;
use crate::limits::{Cost, Slot, check};
use crate::rights::{self, Forbidden, Right};

/// A request that may run.
pub(super) struct Admitted {
    pub(super) request: Request,
    /// What kind of operation it is; `None` if that cannot be said, which executing the request will explain.
    pub(super) kind: Option<OperationType>,
    /// The rights that it needs.
    pub(super) needed: Vec<Right>,
    /// What it asks for; empty if that cannot be said.
    pub(super) outline: Outline,
    /// Where each item says after which position a client that was cut off goes on, if it does.
    pub(super) resumes: Option<Name>,
    /// What it costs.
    pub(super) cost: Cost,
    /// It is one of those that its caller runs, until this is dropped.
    pub(super) slot: Slot,
    /// What the answer says besides: what the caller may still spend.
    pub(super) headers: HeaderMap,
}

impl Admitted {
    pub(super) fn is_subscription(&self) -> bool {
        self.kind == Some(OperationType::Subscription)
    }

    /// The request again, to look at it without running it.
    pub(super) fn copy(&self) -> Request {
        let mut copy = Request::new(self.request.query.clone()).variables(self.request.variables.clone());
        copy.operation_name.clone_from(&self.request.operation_name);
        copy
    }
}

/// Why a request does not run.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) errors: Vec<ServerError>,
    /// The status of the answer.
    pub(super) status: StatusCode,
    /// Whether `application/json` has that status too. There, a request that is well formed usually gets 200.
    pub(super) outright: bool,
    /// What the answer says besides, such as Retry-After.
    pub(super) headers: HeaderMap,
}

impl Refused {
    /// The operation cannot run; `application/json` says so with status 200.
    pub(super) fn because(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        let mut error = ServerError::new(message, None);
        error.extensions.get_or_insert_default().set("code", code);
        Self { errors: vec![error], status, outright: false, headers: HeaderMap::new() }
    }

    /// The request is turned away, with this status whatever the answer's media type.
    pub(super) fn outright(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        Self { outright: true, ..Self::because(status, code, message) }
    }

    fn needs_post() -> Self {
        let status = StatusCode::METHOD_NOT_ALLOWED;
        let mut refused = Self::outright(status, "METHOD_NOT_ALLOWED", "mutations are sent with POST");
        refused.headers.insert(header::ALLOW, HeaderValue::from_static("POST"));
        refused
    }

    /// What the client reads.
    pub(super) fn into_answer(self) -> Response {
        let mut answer = Response::from_errors(self.errors);
        answer.http_headers = self.headers;
        answer
    }
}

impl From<ServerError> for Refused {
    fn from(error: ServerError) -> Self {
        Self { errors: vec![error], status: StatusCode::BAD_REQUEST, outright: false, headers: HeaderMap::new() }
    }
}

impl App {
    /// Finds the document, parses it if it is within the limits, charges its caller and decides whether the operation
    /// may run here.
    pub(super) async fn admit(&self, asked: Asked, caller: &Caller) -> Result<Admitted, Refused> {
        let text = self.document(asked.document.clone())?;
        let variables = Variables::from_json(Value::Object(asked.variables.clone()));
        let checked = check(&text, asked.operation_name.as_deref(), &variables, &self.settings().limits);
        let headers =
            self.charge(caller, checked.as_ref().map_or_else(|unfit| unfit.cost, |(_, cost)| cost.cost)).await?;
        let (document, cost) = match checked {
            Ok(fit) => fit,
            Err(unfit) => return Err(Refused { headers, ..unfit.error.into() }),
        };
        match self.allow(document, &text, asked, caller, cost).await {
            Ok(admitted) => Ok(Admitted { headers, ..admitted }),
            Err(mut refused) => {
                refused.headers.extend(headers);
                Err(refused)
            }
        }
    }

    /// Whether an operation that is paid for may run.
    async fn allow(
        &self,
        mut document: ExecutableDocument,
        text: &str,
        mut asked: Asked,
        caller: &Caller,
        cost: Cost,
    ) -> Result<Admitted, Refused> {
        let name = asked.operation_name.as_deref();
        if let Some(position) = asked.resume_after {
            resume(&mut document, name, &mut asked.variables, position)
                .map_err(|problem| Refused::because(StatusCode::BAD_REQUEST, "BAD_REQUEST", problem))?;
        }
        let operation = chosen(&document, name);
        let mut needed = Vec::new();
        if let Some(operation) = operation {
            if asked.safe && operation.ty == OperationType::Mutation {
                return Err(Refused::needs_post());
            }
            self.may(&document, operation, &asked.variables)?;
            needed = match rights::check(&document, operation, &caller.rights) {
                Ok(needed) => needed,
                Err(forbidden) => return Err(self.forbidden(caller, *forbidden).await),
            };
        }
        let kind = operation.map(|operation| operation.ty);
        let resumes = operation.and_then(resumes);
        let outline = operation.map(|operation| Outline::of(&document, operation)).unwrap_or_default();
        let variables = Variables::from_json(Value::Object(asked.variables));
        let mut request = Request::new(text).variables(variables);
        request.operation_name = asked.operation_name;
        request.set_parsed_query(document);
        let slot = self.slot(caller, kind)?;
        cost.record();
        Ok(Admitted { request, kind, needed, outline, resumes, cost, slot, headers: HeaderMap::new() })
    }

    /// The answer to what is forbidden. A command among it is kept among the refusals: somebody tried.
    async fn forbidden(&self, caller: &Caller, forbidden: Forbidden) -> Refused {
        let Forbidden { error, command } = forbidden;
        if let Some(command) = command {
            let mut order = Order::new(Uuid::now_v7(), caller.actor.as_str());
            order.traceparent.clone_from(&caller.traceparent);
            self.services().executor.forbid_unread(command, &order, &error.message).await;
        }
        Refused { status: StatusCode::FORBIDDEN, ..error.into() }
    }

    fn may(
        &self,
        document: &ExecutableDocument,
        operation: &OperationDefinition,
        variables: &Map<String, Value>,
    ) -> Result<(), Refused> {
        let protocols = &self.settings().protocols;
        if let Some(error) = self.services().refuses(operation.ty) {
            return Err(error.into_server_error(Pos::default()).into());
        }
        if !protocols.introspection && introspects(document, operation) {
            let message = "this server does not show its schema (VIGIE_INTROSPECTION)";
            return Err(Refused::because(protocols.invalid_status, "INTROSPECTION_OFF", message));
        }
        match without_value(operation, variables) {
            Some(error) => Err(Refused { status: protocols.invalid_status, ..error.into() }),
            None => Ok(()),
        }
    }
}
