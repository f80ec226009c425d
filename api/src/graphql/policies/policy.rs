//! A policy and its timers, as they are answered.

use async_graphql::{Context, Error, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use vigie_commands::policies::{PolicyStatus, PolicySwitch, Waiting, switches};

use super::{bounded, timers, unavailable};
use crate::graphql::context::Parts;
use crate::graphql::scalars::Position;

/// What reacts to facts with commands of its own.
pub(crate) struct Policy(pub(super) PolicyStatus);

#[Object]
impl Policy {
    /// Its name, such as `alerts.escalation`.
    async fn name(&self) -> &str {
        &self.0.name
    }
    /// Counts the changes of what follows from a fact; a new version goes on where the old one stood.
    async fn version(&self) -> i32 {
        self.0.version
    }
    /// It has reacted to everything up to here.
    async fn position(&self) -> Position {
        Position(self.0.position)
    }
    /// Events of the log after that.
    async fn lag_events(&self) -> i64 {
        self.0.lag_events
    }
    /// Whether it is switched on.
    async fn on(&self) -> bool {
        !self.0.off
    }
    /// Who switched it last.
    async fn switched_by(&self) -> Option<&str> {
        self.0.switched_by.as_deref()
    }
    /// When.
    async fn switched_at(&self) -> Option<DateTime<Utc>> {
        self.0.switched_at
    }
    /// Why.
    async fn switched_reason(&self) -> Option<&str> {
        self.0.switched_reason.as_deref()
    }
    /// Why it has stopped at an event, if it has: it tries that again every two seconds, or can be told to skip it.
    async fn error(&self) -> Option<&str> {
        self.0.error.as_deref()
    }
    /// The event that it has stopped at.
    async fn error_position(&self) -> Option<Position> {
        self.0.error_position.map(Position)
    }
    /// How many of its timers wait.
    async fn timer_count(&self) -> i64 {
        self.0.timers
    }
    /// Its timers, soonest first.
    async fn timers(&self, ctx: &Context<'_>, #[graphql(default = 50)] first: i32) -> Result<Vec<Timer>, Error> {
        timers(ctx, Some(&self.0.name), first).await
    }
    /// Who switched it off and on, newest first.
    async fn switches(&self, ctx: &Context<'_>, #[graphql(default = 50)] first: i32) -> Result<Vec<Switching>, Error> {
        bounded(first)?;
        let done = switches(&ctx.services().pool, Some(&self.0.name), first.into()).await;
        Ok(done.map_err(|error| unavailable(&error))?.into_iter().map(Switching::from).collect())
    }
}

/// A policy was switched off or on.
#[derive(SimpleObject)]
#[graphql(name = "PolicySwitch")]
pub(crate) struct Switching {
    /// When.
    at: DateTime<Utc>,
    /// Whether it was switched on.
    on: bool,
    /// Who did it.
    actor: String,
    /// Why.
    reason: String,
    /// Where it stood then.
    stood: Position,
    /// Where it goes on: further, when it was to leave out what had come meanwhile.
    resumed: Position,
}

impl From<PolicySwitch> for Switching {
    fn from(switch: PolicySwitch) -> Self {
        let (stood, resumed) = (Position(switch.stood), Position(switch.resumed));
        Self { at: switch.at, on: !switch.off, actor: switch.actor, reason: switch.reason, stood, resumed }
    }
}

/// A command that a policy gives when its time comes, unless something happens before.
pub(crate) struct Timer(pub(super) Waiting);

#[Object]
impl Timer {
    /// The policy that has set it.
    async fn policy(&self) -> &str {
        &self.0.policy
    }
    /// What it is about, such as `alert:…`.
    async fn key(&self) -> &str {
        &self.0.key
    }
    /// When it fires.
    async fn due(&self) -> DateTime<Utc> {
        self.0.due
    }
    /// The command that it gives.
    async fn command(&self) -> &str {
        &self.0.command
    }
    /// The event that has set it.
    async fn event(&self) -> ID {
        ID(self.0.event.to_string())
    }
    /// How often it was tried and failed; it is tried again, ever more rarely.
    async fn attempts(&self) -> i32 {
        self.0.attempts
    }
    /// Why it failed last.
    async fn error(&self) -> Option<&str> {
        self.0.error.as_deref()
    }
}
