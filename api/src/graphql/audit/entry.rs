//! An entry of the audit trail, as it is answered.

use std::sync::Arc;

use async_graphql::{Context, Error, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use sqlx::FromRow;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::starts::Of;
use super::walks::{Caused, CausedBy, ChainOf, OfCommand, Reach};
use crate::audit::{AuditRow, Change};
use crate::graphql::context::Parts;
use crate::graphql::error::bad_input;
use crate::graphql::identity::name_of;
use crate::graphql::keyset::{Kind, Part};
use crate::graphql::list::Row;
use crate::graphql::load::Keyed;
use crate::graphql::loader::Loader;
use crate::graphql::page::MAX;
use crate::graphql::ready::{Leaves, Ready};
use crate::graphql::scalars::Position;

impl Row for AuditRow {
    const TABLE: &'static str = "audit";
    const ORDER: &'static [(&'static str, Kind)] = &[("position", Kind::Number)];
    const NEWEST_FIRST: bool = true;
    fn key(&self) -> Vec<Part> {
        vec![Part::Number(self.position)]
    }
}

impl Keyed for AuditRow {
    type Key = i64;
    const TABLE: &'static str = "audit";
    const COLUMN: &'static str = "position";
    fn key(&self) -> i64 {
        self.position
    }
}

/// A row of a list that begins with the oldest.
pub(super) struct OldestFirst(AuditRow);

impl<'r> FromRow<'r, PgRow> for OldestFirst {
    fn from_row(row: &'r PgRow) -> Result<Self, sqlx::Error> {
        AuditRow::from_row(row).map(Self)
    }
}

impl Row for OldestFirst {
    const TABLE: &'static str = <AuditRow as Row>::TABLE;
    const ORDER: &'static [(&'static str, Kind)] = <AuditRow as Row>::ORDER;
    fn key(&self) -> Vec<Part> {
        Row::key(&self.0)
    }
}

/// One entry of the audit trail: an event, seen as somebody's deed.
pub(crate) type AuditEntry = Ready<AuditEntryFields>;

/// Its fields.
#[derive(Clone)]
pub(crate) struct AuditEntryFields(Arc<AuditRow>);

impl Leaves for AuditEntryFields {
    const WAITING: &'static [&'static str] = &["actorName"];
}

impl From<AuditRow> for AuditEntry {
    fn from(row: AuditRow) -> Self {
        Arc::new(row).into()
    }
}

impl From<Arc<AuditRow>> for AuditEntry {
    fn from(row: Arc<AuditRow>) -> Self {
        Self::new(AuditEntryFields(row))
    }
}

impl From<OldestFirst> for AuditEntry {
    fn from(row: OldestFirst) -> Self {
        row.0.into()
    }
}

/// An event that others led to.
#[derive(Clone, SimpleObject)]
pub(crate) struct Reaction {
    /// How many reactions away: 1 for an event of a command that reacted directly.
    depth: i32,
    /// The event.
    entry: AuditEntry,
}

impl From<Caused> for Reaction {
    fn from(caused: Caused) -> Self {
        Self { depth: caused.depth, entry: caused.row.into() }
    }
}

/// How far forward to go, as the caller says it.
pub(super) fn reach(depth: Option<i32>, first: Option<i32>) -> Result<Reach, Error> {
    const DEEPEST: i32 = 20;
    let (depth, first) = (depth.unwrap_or(DEEPEST), first.unwrap_or(MAX));
    if !(1..=DEEPEST).contains(&depth) {
        return Err(bad_input("depth", format!("is from 1 to {DEEPEST}")));
    }
    if !(1..=MAX).contains(&first) {
        return Err(bad_input("first", format!("is from 1 to {MAX}")));
    }
    Ok(Reach { depth, first })
}

#[Object(name = "AuditEntry")]
impl AuditEntryFields {
    /// The event's place in the log.
    async fn position(&self) -> Position {
        Position(self.0.position)
    }
    /// The event.
    async fn event(&self) -> ID {
        ID(self.0.event.to_string())
    }
    /// Its type.
    #[graphql(name = "type")]
    async fn kind(&self) -> &str {
        &self.0.r#type
    }
    /// Where; nothing for facts of the installation itself.
    async fn site(&self) -> Option<ID> {
        (!self.0.site.is_empty()).then(|| ID(self.0.site.clone()))
    }
    /// Who or what did it.
    async fn actor(&self) -> &str {
        &self.0.actor
    }
    /// Their name now, if it is a person or a key; null once a person was erased.
    async fn actor_name(&self, ctx: &Context<'_>) -> Result<Option<String>, Error> {
        name_of(ctx, &self.0.actor).await
    }
    /// The command that it was accepted from, by name.
    async fn command(&self) -> &str {
        &self.0.command
    }
    /// The command itself.
    async fn command_id(&self) -> Uuid {
        self.0.command_id
    }
    /// The first command of the chain.
    async fn correlation_id(&self) -> Uuid {
        self.0.correlation_id
    }
    /// The event that the command reacted to.
    async fn causation_id(&self) -> Option<Uuid> {
        self.0.causation_id
    }
    /// When it happened, by the source's clock.
    async fn occurred_at(&self) -> DateTime<Utc> {
        self.0.occurred_at
    }
    /// When the log recorded it.
    async fn recorded_at(&self) -> DateTime<Utc> {
        self.0.recorded_at
    }
    /// The things that it is about.
    async fn things(&self) -> &[String] {
        &self.0.things
    }
    /// What was done, in words.
    async fn action(&self) -> &str {
        &self.0.action
    }
    /// Before and after.
    async fn changes(&self) -> &[Change] {
        &self.0.changes.0
    }
    /// Why, as far as somebody wrote it.
    async fn note(&self) -> &str {
        &self.0.note
    }
    /// What the same command recorded, this included, in the order of the log; the first 200.
    async fn same_command(&self, ctx: &Context<'_>) -> Result<Vec<AuditEntry>, Error> {
        same_command(ctx, self.0.command_id).await
    }
    /// From this back to what began it: this, the event that its command reacted to, and so on; the nearest 100.
    async fn causation_chain(&self, ctx: &Context<'_>) -> Result<Vec<AuditEntry>, Error> {
        let loader: &Loader<ChainOf> = ctx.loader();
        let chain = loader.one(Of::event(self.0.position)).await?;
        Ok(chain.unwrap_or_default().into_iter().map(AuditEntry::from).collect())
    }
    /// What this led to: events of commands that reacted to it, and so on, `depth` times at most (20), the `first` of
    /// them (200), nearest first.
    async fn caused(&self, ctx: &Context<'_>, depth: Option<i32>, first: Option<i32>) -> Result<Vec<Reaction>, Error> {
        caused(ctx, Of::event(self.0.position), reach(depth, first)?).await
    }
}

pub(super) async fn same_command(ctx: &Context<'_>, command_id: Uuid) -> Result<Vec<AuditEntry>, Error> {
    let loader: &Loader<OfCommand> = ctx.loader();
    let entries = loader.one(command_id).await?;
    Ok(entries.unwrap_or_default().into_iter().map(AuditEntry::from).collect())
}

pub(super) async fn caused(ctx: &Context<'_>, of: Of, reach: Reach) -> Result<Vec<Reaction>, Error> {
    let loader: &Loader<CausedBy> = ctx.loader();
    let found = loader.one((of, reach)).await?;
    Ok(found.unwrap_or_default().into_iter().map(Reaction::from).collect())
}
