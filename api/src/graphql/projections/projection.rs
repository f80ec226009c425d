//! A read model as its operators see it.

use async_graphql::{Context, Enum, Error, Object, SimpleObject};
use chrono::{DateTime, Utc};
use vigie_projections::{Status, control};

use crate::graphql::scalars::Position;

/// Whether a read model goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "vigie_projections::State")]
pub(crate) enum ProjectionState {
    /// It follows the log.
    Running,
    /// An event has stopped it: retry it, or skip the event.
    Stopped,
    /// Somebody holds it up.
    Paused,
}

/// What a rebuild has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "vigie_projections::control::RebuildState")]
pub(crate) enum RebuildState {
    /// It waits for a server that carries it out.
    Asked,
    /// It is under way.
    Running,
    /// Its rows are what is read.
    Done,
    /// It ended with an error; the old rows are what is read.
    Failed,
    /// Somebody has ended it; the old rows are what is read.
    Cancelled,
}

/// What was done to a read model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "vigie_projections::control::OperationKind")]
pub(crate) enum ProjectionOperationKind {
    /// It was paused.
    Pause,
    /// It was let go on after a pause.
    Resume,
    /// It was let try again the event that had stopped it.
    Retry,
    /// It was asked to be made anew.
    Rebuild,
    /// That was ended before it was done.
    CancelRebuild,
}

/// Who holds a read model up.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct Pause {
    /// Who.
    by: String,
    /// Since when.
    at: DateTime<Utc>,
    /// Why.
    reason: String,
}

/// The rebuild of a read model: the one under way, or the last one.
pub(crate) struct Rebuild(control::Rebuild);

#[Object]
impl Rebuild {
    /// The version that is made.
    async fn version(&self) -> i32 {
        self.0.version
    }
    /// The position that it stops at, the read model being paused there; null: as far as the log goes.
    async fn until(&self) -> Option<Position> {
        self.0.until.map(Position)
    }
    /// What it has come to.
    async fn state(&self) -> RebuildState {
        self.0.state.into()
    }
    /// Everything up to here is folded.
    async fn position(&self) -> Position {
        Position(self.0.position)
    }
    /// Where it is going, as far as is known yet.
    async fn head(&self) -> Position {
        Position(self.0.head)
    }
    /// Positions per second.
    async fn rate(&self) -> f64 {
        self.0.rate
    }
    /// How long it goes on at this rate; null when that cannot be said.
    async fn seconds_left(&self) -> Option<f64> {
        self.0.seconds_left()
    }
    /// The process that makes it, such as `host:4711`.
    async fn owner(&self) -> Option<&str> {
        self.0.owner.as_deref()
    }
    /// Why it failed.
    async fn error(&self) -> Option<&str> {
        self.0.error.as_deref()
    }
    /// Who has asked for it.
    async fn asked_by(&self) -> &str {
        &self.0.asked_by
    }
    /// Why.
    async fn reason(&self) -> &str {
        &self.0.reason
    }
    /// When.
    async fn asked_at(&self) -> DateTime<Utc> {
        self.0.asked_at
    }
    /// When it was begun.
    async fn started_at(&self) -> Option<DateTime<Utc>> {
        self.0.started_at
    }
    /// When it was heard of last.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
    /// Who has ended it.
    async fn cancelled_by(&self) -> Option<&str> {
        self.0.cancel_by.as_deref()
    }
}

/// Something that somebody did to a read model.
#[derive(Clone)]
pub(crate) struct Operation(pub(in crate::graphql) control::Operation);

#[Object(name = "ProjectionOperation")]
impl Operation {
    /// When.
    async fn at(&self) -> DateTime<Utc> {
        self.0.at
    }
    /// The read model.
    async fn projection(&self) -> &str {
        &self.0.name
    }
    /// What.
    async fn operation(&self) -> ProjectionOperationKind {
        self.0.operation.into()
    }
    /// Who.
    async fn actor(&self) -> &str {
        &self.0.actor
    }
    /// Why.
    async fn reason(&self) -> &str {
        &self.0.reason
    }
    /// The last event that the log held then.
    async fn log_position(&self) -> Position {
        Position(self.0.log_position)
    }
    /// Where the read model was then.
    async fn position(&self) -> Position {
        Position(self.0.position)
    }
    /// The position that a rebuild was to stop at.
    async fn until(&self) -> Option<Position> {
        self.0.until.map(Position)
    }
}

/// A read model: what people see, folded from the log.
#[derive(Clone)]
pub(crate) struct Projection(pub(in crate::graphql) Status);

#[Object]
impl Projection {
    /// Such as `flights`.
    async fn name(&self) -> &str {
        &self.0.name
    }
    /// The version of its fold.
    async fn version(&self) -> i32 {
        self.0.version
    }
    /// Every event up to here is in its rows.
    async fn position(&self) -> Position {
        Position(self.0.position)
    }
    /// Events of the log that it has not looked at.
    async fn lag_events(&self) -> i64 {
        self.0.lag_events
    }
    /// Age of the oldest of them; 0 when there is none.
    async fn lag_seconds(&self) -> f64 {
        self.0.lag_seconds
    }
    /// Events per second while there was something to do.
    async fn rate(&self) -> f64 {
        self.0.rate
    }
    /// Whether it goes on.
    async fn state(&self) -> ProjectionState {
        self.0.state.into()
    }
    /// Whether a running process has it in hand: without one it waits for a server, whatever its state.
    async fn owned(&self) -> bool {
        self.0.owned
    }
    /// That process, such as `host:4711`, once it has moved it.
    async fn owner(&self) -> Option<&str> {
        self.0.owner.as_deref()
    }
    /// Its last error, until it has gone past the event.
    async fn error(&self) -> Option<&str> {
        self.0.error.as_deref()
    }
    /// The event of that error.
    async fn error_position(&self) -> Option<Position> {
        self.0.error_position.map(Position)
    }
    /// How often that event was tried.
    async fn attempts(&self) -> i32 {
        self.0.attempts
    }
    /// Who holds it up, when it is paused.
    async fn paused(&self) -> Option<Pause> {
        let paused = self.0.paused.clone()?;
        Some(Pause { by: paused.by, at: paused.at, reason: paused.reason })
    }
    /// The rebuild under way, or the last one.
    async fn rebuild(&self) -> Option<Rebuild> {
        self.0.rebuild.clone().map(Rebuild)
    }
    /// When it moved last.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
    /// What people did to it, newest first.
    async fn operations(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 10)] first: i32,
    ) -> Result<Vec<Operation>, Error> {
        super::recent(ctx, Some(&self.0.name), first).await
    }
}
