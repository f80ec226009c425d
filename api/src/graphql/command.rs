//! Carrying a command out: decide, append, wait for the read side, answer.

use std::time::Duration;

use async_graphql::{Context, Error, SimpleObject};
use uuid::Uuid;
use vigie_commands::{Done, Failure, Order, reason};
use vigie_domain::kernel::{Decision, Note};
use vigie_eventlog::LogError;
use vigie_projections::Behind;

use super::context::Parts;
use super::error::{argument, fault};
use super::permit::{may_hear, permitted};
use super::refusal::Told;
use super::scalars::Position;

/// How long an answer waits for the read models.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// A read model that had not caught up in time.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "Behind")]
pub(crate) struct BehindObject {
    /// Its name.
    read_model: String,
    /// Where it is.
    position: Position,
    /// Where it should be. Ask for the thing again once it is there.
    wanted: Position,
    /// Set when an event has stopped it: which one, why, and what to do. It does not go on by itself.
    stopped: Option<String>,
    /// Set when somebody has paused it: who and why.
    paused: Option<String>,
}

impl From<Behind> for BehindObject {
    fn from(behind: Behind) -> Self {
        let stopped = behind.stopped.map(|by| format!("the event at position {}: {}", by.position, by.reason));
        let paused = behind.paused.map(|by| format!("{}: {}", by.by, by.reason));
        let (position, wanted) = (Position(behind.position), Position(behind.wanted));
        Self { read_model: behind.name, position, wanted, stopped, paused }
    }
}

/// What every accepted command is answered.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct Receipt {
    /// The answer holds at this position of the log.
    position: Position,
    /// The command's id; sent again with it, the command gets its first answer.
    command_id: Uuid,
    /// Events that it appended; 0 if the wish was already true, or the command was sent before.
    appended: i32,
    /// Set when the read models did not catch up in time; what is read from them is null then.
    behind: Option<Box<BehindObject>>,
}

impl Receipt {
    /// Of what is done, and what waiting for the read models came to.
    pub(super) fn new<A>(done: &Done<A>, command_id: Uuid, waited: Result<(), Behind>) -> Self {
        Self {
            position: Position(done.position),
            command_id,
            appended: i32::try_from(done.appended).unwrap_or(i32::MAX),
            behind: waited.err().map(|behind| Box::new(behind.into())),
        }
    }

    /// Whether the command's effect can be read.
    pub(super) fn is_readable(&self) -> bool {
        self.behind.is_none()
    }
}

/// An accepted command, or the rule that refused it.
pub(super) type Carried<D> = Result<(Receipt, <D as Decision>::Answer), <D as Decision>::Refusal>;

/// Carries `command` out for the caller, and waits until `models` show it. Reads after this see it.
///
/// # Errors
/// Faults only: a refusal is part of the result.
pub(super) async fn carry_out<D: Decision>(
    ctx: &Context<'_>,
    command: D,
    command_id: Option<Uuid>,
    models: &[&str],
) -> Result<Carried<D>, Error> {
    let order = order(ctx, command_id).await.exact();
    let command_id = order.command_id;
    if let Err(refusal) = permitted(ctx, &command, &order).await? {
        return Ok(Err(refusal));
    }
    let done = match ctx.services().executor.execute(&command, order).await {
        Ok(done) => done,
        Err(Failure::Refused(refusal)) => return Ok(Err(refusal)),
        Err(failure) => return Err(failed(D::NAME, &failure)),
    };
    if done.appended == 0 && !may_hear(ctx, command_id).await? {
        return Err(failed(D::NAME, &Failure::<D::Refusal>::CommandIdReused { command_id }));
    }
    // Who is given a right holds it when that is answered.
    if D::NAME.starts_with("identity.") {
        ctx.services().directory.reached(done.position).await;
    }
    Ok(Ok((receipt(ctx, &done, command_id, models).await, done.answer)))
}

/// A command of the caller's, which is not exact: accounts draw an id for what they make each time that they are asked.
/// Nothing is held open while it is carried out, not even by a mutation before it.
pub(super) async fn order(ctx: &Context<'_>, command_id: Option<Uuid>) -> Order {
    let caller = ctx.caller();
    let mut order = Order::new(command_id.unwrap_or_else(Uuid::now_v7), caller.actor.as_str());
    order.traceparent.clone_from(&caller.traceparent);
    ctx.snapshot().renew().await;
    order
}

/// What is told of a command that was carried out, once `models` show it. Reads after this see it.
pub(super) async fn receipt<A>(ctx: &Context<'_>, done: &Done<A>, command_id: Uuid, models: &[&str]) -> Receipt {
    let waited = ctx.services().projections.wait_for(models, done.position, PATIENCE).await;
    ctx.snapshot().renew().await;
    Receipt::new(done, command_id, waited)
}

pub(super) fn failed<R: std::fmt::Debug + 'static>(command: &'static str, failure: &Failure<R>) -> Error {
    let code = match failure {
        Failure::Refused(_) => "REFUSED",
        Failure::Contended { .. } => "CONTENDED",
        Failure::Log(archived @ LogError::Archived { .. }) => return fault("ARCHIVED", archived.to_string()),
        Failure::Log(_) => "UNAVAILABLE",
        Failure::Unreadable { .. } => "UNREADABLE_EVENT",
        Failure::CommandIdReused { .. } => "COMMAND_ID_REUSED",
        Failure::Malformed { .. } => "MALFORMED",
    };
    tracing::error!(command.name = command, error.code = code, error = ?failure, "a command failed");
    // What to do about an unreadable event is said by its cause; other causes are for our own log.
    match failure {
        Failure::Unreadable { .. } => fault(code, reason(failure)),
        _ => fault(code, failure.to_string()),
    }
}

/// A refusal, ready to be answered.
pub(super) fn told(refusal: &impl vigie_domain::kernel::Refused) -> Told {
    Told::of(refusal)
}

/// Reads a note.
pub(super) fn note(name: &str, text: Option<&str>) -> Result<Note, Error> {
    argument(name, Note::new(text.unwrap_or_default()))
}
