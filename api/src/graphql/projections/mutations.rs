//! Holding read models up, letting them go on, making them anew, and skipping events.

use async_graphql::{Context, Error, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use uuid::Uuid;
use vigie_commands::Order;
use vigie_domain::kernel::Note;
use vigie_projections::control::{self, Asked, By, Changed, Refusal};
use vigie_projections::{MODELS, ProjectionError};

use super::{Projection, unavailable};
use crate::graphql::command::{PATIENCE, Receipt, failed, note, told};
use crate::graphql::context::Parts;
use crate::graphql::error::{bad_input, fault};
use crate::graphql::events::log_fault;
use crate::graphql::refusal::{Earlier, ProjectionRefusal, Told, results};
use crate::graphql::scalars::Position;
use crate::operate::{self, EventName, PlaceError, SkipError, Skipping, Until, find_event, position_until};

/// An operation on a read model.
#[derive(Debug, InputObject)]
pub(crate) struct OperateProjectionInput {
    /// The read model, such as `flights`.
    projection: String,
    /// Why; asked for when it is paused. At most 500 characters.
    #[graphql(default)]
    reason: String,
}

/// A read model to make anew.
#[derive(Debug, InputObject)]
pub(crate) struct RebuildProjectionInput {
    /// The read model, such as `flights`.
    projection: String,
    /// Why. At most 500 characters.
    #[graphql(default)]
    reason: String,
    /// Only until this position; the read model is left paused there.
    until_position: Option<Position>,
    /// Only until what the log held at this time; the read model is left paused there.
    until_time: Option<DateTime<Utc>>,
}

/// An event to leave out.
#[derive(Debug, InputObject)]
pub(crate) struct SkipEventInput {
    /// Sent again with the same id, the command gets its first answer.
    command_id: Option<Uuid>,
    /// The read model or policy that it has stopped.
    projection: String,
    /// The event, by its position.
    position: Option<Position>,
    /// The event, by its id.
    event: Option<ID>,
    /// Why it is left out. At most 500 characters.
    reason: String,
}

/// It is done.
#[derive(SimpleObject)]
pub(crate) struct ProjectionPayload {
    /// Whether there was anything to do.
    changed: bool,
    /// The read model as it is now.
    projection: Projection,
}

/// The event is left out.
#[derive(SimpleObject)]
pub(crate) struct SkipPayload {
    #[graphql(flatten)]
    receipt: Receipt,
    /// Who skipped it first, when it was skipped before: nothing was recorded now.
    earlier: Option<Earlier>,
    /// The read model as it is now; null for a policy.
    projection: Option<Projection>,
}

enum Refused {
    ProjectionRefusal(Told),
}

results! {
    /// The read model, or the rule that forbids it.
    #[expect(clippy::large_enum_variant, reason = "an answer lives for one request")]
    ProjectionResult = ProjectionPayload, Refused [ProjectionRefusal];
    /// That the event is left out, or the rule that forbids it.
    #[expect(clippy::large_enum_variant, reason = "an answer lives for one request")]
    SkipEventResult = SkipPayload, Refused [ProjectionRefusal];
}

/// Mutations of read models.
#[derive(Default)]
pub(crate) struct ProjectionsMutation;

#[Object]
impl ProjectionsMutation {
    /// Holds a read model up where it is; its rows stay readable, as they are.
    async fn pause_projection(
        &self,
        ctx: &Context<'_>,
        input: OperateProjectionInput,
    ) -> Result<ProjectionResult, Error> {
        let by = operator(ctx, &input.reason)?;
        let changed = control::pause(&ctx.services().pool, &input.projection, &by).await;
        answer(ctx, &input.projection, changed.map(is_now)).await
    }

    /// Lets a paused read model go on.
    async fn resume_projection(
        &self,
        ctx: &Context<'_>,
        input: OperateProjectionInput,
    ) -> Result<ProjectionResult, Error> {
        let by = operator(ctx, &input.reason)?;
        let changed = control::resume(&ctx.services().pool, &input.projection, &by).await;
        answer(ctx, &input.projection, changed.map(is_now)).await
    }

    /// Lets a read model that an event has stopped try that event again.
    async fn retry_projection(
        &self,
        ctx: &Context<'_>,
        input: OperateProjectionInput,
    ) -> Result<ProjectionResult, Error> {
        let by = operator(ctx, &input.reason)?;
        let changed = control::retry(&ctx.services().pool, &input.projection, &by).await;
        answer(ctx, &input.projection, changed.map(is_now)).await
    }

    /// Makes a read model anew from the log while the old rows serve. Answered at once: a server carries it out,
    /// whatever becomes of the caller, and another one goes on with it should that one die. `projectionChanged` tells.
    async fn rebuild_projection(
        &self,
        ctx: &Context<'_>,
        input: RebuildProjectionInput,
    ) -> Result<ProjectionResult, Error> {
        let by = operator(ctx, &input.reason)?;
        let until = until(ctx, input.until_position, input.until_time).await?;
        let services = ctx.services();
        let asked = Asked { until, by };
        let asked = control::ask_for_rebuild(&services.pool, &services.log, &input.projection, &asked).await;
        answer(ctx, &input.projection, asked.map(|_| true)).await
    }

    /// Ends a rebuild before it is done; the old rows stay. Who carries it out notices within a second.
    async fn cancel_rebuild(
        &self,
        ctx: &Context<'_>,
        input: OperateProjectionInput,
    ) -> Result<ProjectionResult, Error> {
        let by = operator(ctx, &input.reason)?;
        let cancelled = control::cancel_rebuild(&ctx.services().pool, &input.projection, &by).await;
        answer(ctx, &input.projection, cancelled.map(|_| true)).await
    }

    /// Leaves out the event that has stopped a read model or policy, for good: it goes on past it, and rebuilds leave it
    /// out too. Recorded in the log as `support.event_skipped`.
    async fn skip_event(&self, ctx: &Context<'_>, input: SkipEventInput) -> Result<SkipEventResult, Error> {
        let reason = note("input.reason", Some(&input.reason))?;
        let name = event_name(input.position, input.event)?;
        let services = ctx.services();
        let event = find_event(&services.log, &services.pool, name).await.map_err(|error| place_fault(&error))?;
        let skipping = Skipping { pool: &services.pool, executor: &services.executor, event: &event, reason };
        let caller = ctx.caller();
        let command_id = input.command_id.unwrap_or_else(Uuid::now_v7);
        let mut order = Order::new(command_id, caller.actor.as_str()).exact();
        order.traceparent.clone_from(&caller.traceparent);
        ctx.snapshot().renew().await;
        let done = match operate::skip(&skipping, &input.projection, order).await {
            Ok(done) => done,
            Err(error) => return refused(error, &input.projection).map(Into::into),
        };
        let projection = find(ctx, &input.projection).await?;
        let models: Vec<&str> = projection.iter().map(|found| found.0.name.as_str()).collect();
        let waited = services.projections.wait_for(&models, done.position, PATIENCE).await;
        ctx.snapshot().renew().await;
        let receipt = Receipt::new(&done, command_id, waited);
        let projection = find(ctx, &input.projection).await?;
        Ok(SkipPayload { receipt, earlier: done.answer.earlier.map(Earlier::from), projection }.into())
    }
}

fn is_now(changed: Changed) -> bool {
    changed == Changed::Now
}

/// Who asks, and why, if they may.
fn operator(ctx: &Context<'_>, reason: &str) -> Result<By, Error> {
    let reason: Note = note("input.reason", Some(reason))?;
    Ok(By::new(ctx.caller().actor.as_str(), reason.as_str()))
}

async fn until(
    ctx: &Context<'_>,
    position: Option<Position>,
    time: Option<DateTime<Utc>>,
) -> Result<Option<i64>, Error> {
    let until = match (position, time) {
        (None, None) => return Ok(None),
        // Whether there is such a position is a rule of its own.
        (Some(Position(position)), None) => return Ok(Some(position)),
        (None, Some(time)) => Until::Time(time),
        (Some(_), Some(_)) => return Err(bad_input("input.untilTime", "either a position or a time can be given")),
    };
    position_until(&ctx.services().log, until).await.map(Some).map_err(|error| place_fault(&error))
}

fn event_name(position: Option<Position>, event: Option<ID>) -> Result<EventName, Error> {
    match (position, event) {
        (Some(Position(position)), None) => Ok(EventName::Position(position)),
        (None, Some(id)) => {
            id.parse().map(EventName::Id).map_err(|_| bad_input("input.event", "it is not an event's id"))
        }
        (None, None) | (Some(_), Some(_)) => Err(bad_input("input.position", "either position or event is needed")),
    }
}

fn place_fault(error: &PlaceError) -> Error {
    match error {
        PlaceError::NoEvent(_) => bad_input("input.event", error),
        PlaceError::BeforeTheLog(_) | PlaceError::ToCome(_) | PlaceError::OutOfRange { .. } => {
            bad_input("input.untilTime", error)
        }
        PlaceError::Log(error) => log_fault(error),
        PlaceError::Database(_) => unavailable(error),
    }
}

/// The read model of this name as it is now.
async fn find(ctx: &Context<'_>, name: &str) -> Result<Option<Projection>, Error> {
    let all = ctx.services().projections.status().await.map_err(|error| unavailable(&error))?;
    Ok(all.into_iter().find(|one| one.name == name).map(Projection))
}

async fn answer(
    ctx: &Context<'_>,
    name: &str,
    changed: Result<bool, ProjectionError>,
) -> Result<ProjectionResult, Error> {
    let changed = match changed {
        Ok(changed) => changed,
        Err(error) => return refusal(error, name).map(Into::into),
    };
    let projection = find(ctx, name).await?.ok_or_else(|| fault("UNAVAILABLE", "the read model is gone"))?;
    Ok(ProjectionPayload { changed, projection }.into())
}

/// A refusal is an answer; anything else is a fault.
fn refusal(error: ProjectionError, name: &str) -> Result<Refused, Error> {
    match error {
        ProjectionError::Refused(refusal) => Ok(Refused::ProjectionRefusal(told(&refusal))),
        ProjectionError::Unknown { .. } => Ok(unknown(name, MODELS.iter().map(|model| model.name).collect())),
        error => Err(unavailable(&error)),
    }
}

fn refused(error: SkipError, name: &str) -> Result<Refused, Error> {
    match error {
        SkipError::Refused(refusal) => Ok(Refused::ProjectionRefusal(told(&refusal))),
        SkipError::Unknown { .. } => Ok(unknown(name, operate::known())),
        SkipError::Projection(error) => refusal(error, name),
        SkipError::Command(failure) => Err(failed("support.skip_event", &failure)),
        error @ (SkipError::NobodyStopped { .. } | SkipError::Policy(_)) => Err(unavailable(&error)),
    }
}

fn unknown(name: &str, known: Vec<&'static str>) -> Refused {
    Refused::ProjectionRefusal(told(&Refusal::ProjectionUnknown { projection: name.to_owned(), known }))
}
