//! A refused command, as it is answered.

use async_graphql::{Context, Error, ID, Json, Object};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::audit::RefusalRow;
use crate::graphql::identity::name_of;
use crate::graphql::keyset::{Kind, Part};
use crate::graphql::list::Row;
use crate::graphql::scalars::Position;

impl Row for RefusalRow {
    const TABLE: &'static str = "refusal";
    const ORDER: &'static [(&'static str, Kind)] = &[("position", Kind::Number), ("id", Kind::Number)];
    const NEWEST_FIRST: bool = true;
    fn key(&self) -> Vec<Part> {
        vec![Part::Number(self.position), Part::Number(self.id)]
    }
}

/// A command that a rule forbade. Nothing happened, so it is not in the log: it is kept for a while beside it.
#[derive(Clone)]
pub(crate) struct RefusedCommand(RefusalRow);

impl From<RefusalRow> for RefusedCommand {
    fn from(row: RefusalRow) -> Self {
        Self(row)
    }
}

#[Object]
impl RefusedCommand {
    /// Counts refusals, with gaps.
    async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }
    /// The log was judged up to here.
    async fn position(&self) -> Position {
        Position(self.0.position)
    }
    /// When.
    async fn refused_at(&self) -> DateTime<Utc> {
        self.0.refused_at
    }
    /// Who or what gave the command.
    async fn actor(&self) -> &str {
        &self.0.actor
    }
    /// Their name now, if it is a person or a key; null once a person was erased.
    async fn actor_name(&self, ctx: &Context<'_>) -> Result<Option<String>, Error> {
        name_of(ctx, &self.0.actor).await
    }
    /// Its name.
    async fn command(&self) -> &str {
        &self.0.command
    }
    /// Its id; sent again with it, the command is judged anew.
    async fn command_id(&self) -> Uuid {
        self.0.command_id
    }
    /// The first command of the chain.
    async fn correlation_id(&self) -> Uuid {
        self.0.correlation_id
    }
    /// The event that it reacted to.
    async fn causation_id(&self) -> Option<Uuid> {
        self.0.causation_id
    }
    /// Where; null when the command names nothing that is known.
    async fn site(&self) -> Option<ID> {
        self.0.site.clone().map(ID)
    }
    /// The things that it names.
    async fn things(&self) -> &[String] {
        &self.0.things
    }
    /// The rule, in upper snake case.
    async fn code(&self) -> &str {
        &self.0.code
    }
    /// The rule, in words.
    async fn message(&self) -> &str {
        &self.0.message
    }
    /// What was needed to act.
    async fn details(&self) -> Json<serde_json::Value> {
        Json(self.0.details.0.clone())
    }
    /// The command, without secrets.
    async fn input(&self) -> Json<serde_json::Value> {
        Json(self.0.input.0.clone())
    }
}
