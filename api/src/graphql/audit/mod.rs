//! The audit trail: who did what to which thing, when, why, from which command, before and after.

use std::sync::Arc;

use async_graphql::{Context, Error, ID, InputObject, Json, Object, SimpleObject};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use sqlx::FromRow;
use uuid::Uuid;

use super::keyset::{Kind, Part};
use super::list::{List, Row, between, equals, list};
use super::page::Page;
use super::relation::View;
use super::scalars::Position;

/// A change of one field of one thing.
#[derive(Debug, Clone, Deserialize, SimpleObject)]
pub(crate) struct Change {
    /// The thing, such as `stand:LFW/C03`.
    thing: String,
    /// Its field.
    field: String,
    /// What it was.
    #[serde(default)]
    before: Option<Json<serde_json::Value>>,
    /// What it is.
    #[serde(default)]
    after: Option<Json<serde_json::Value>>,
}

/// A row of `read.audit`.
#[derive(Debug, Clone, FromRow)]
pub(in crate::graphql) struct AuditRow {
    position: i64,
    event: Uuid,
    r#type: String,
    site: String,
    actor: String,
    command: String,
    command_id: Uuid,
    correlation_id: Uuid,
    causation_id: Option<Uuid>,
    occurred_at: DateTime<Utc>,
    recorded_at: DateTime<Utc>,
    things: Vec<String>,
    action: String,
    changes: sqlx::types::Json<Vec<Change>>,
    note: String,
}

impl Row for AuditRow {
    const TABLE: &'static str = "audit";
    const ORDER: &'static [(&'static str, Kind)] = &[("position", Kind::Number)];
    const NEWEST_FIRST: bool = true;
    fn key(&self) -> Vec<Part> {
        vec![Part::Number(self.position)]
    }
}

/// One entry of the audit trail: an event, seen as somebody's deed.
pub(crate) struct AuditEntry(AuditRow);

impl From<AuditRow> for AuditEntry {
    fn from(row: AuditRow) -> Self {
        Self(row)
    }
}

/// Entries of the audit trail, newest first.
pub(in crate::graphql) type Trail = List<AuditEntry>;

#[Object]
impl AuditEntry {
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
    /// Where.
    async fn site(&self) -> ID {
        ID(self.0.site.clone())
    }
    /// Who or what did it.
    async fn actor(&self) -> &str {
        &self.0.actor
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
}

/// Which entries.
#[derive(Debug, Clone, Default, InputObject)]
pub(crate) struct AuditFilter {
    /// About this thing, such as `stand:LFW/C03`.
    thing: Option<String>,
    /// By this person or program.
    actor: Option<String>,
    /// From commands of this name, such as `airport.allocate_stand`.
    command: Option<String>,
    /// From this command.
    command_id: Option<Uuid>,
    /// Events of this type.
    #[graphql(name = "type")]
    kind: Option<String>,
    /// At this site.
    site: Option<ID>,
    /// Recorded from this time on.
    from: Option<DateTime<Utc>>,
    /// Recorded before this time.
    to: Option<DateTime<Utc>>,
}

/// Queries about the audit trail.
#[derive(Default)]
pub(crate) struct AuditQuery;

#[Object]
impl AuditQuery {
    /// The audit trail, newest first.
    async fn audit_trail(
        &self,
        ctx: &Context<'_>,
        filter: Option<AuditFilter>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Trail, Error> {
        entries(ctx, filter.unwrap_or_default(), Page::new(first, after, last, before)?).await
    }
}

/// The trail of one thing, by its tag.
pub(in crate::graphql) async fn trail(
    ctx: &Context<'_>,
    thing: String,
    first: Option<i32>,
    after: Option<String>,
) -> Result<Trail, Error> {
    let filter = AuditFilter { thing: Some(thing), ..AuditFilter::default() };
    entries(ctx, filter, Page::new(first, after, None, None)?).await
}

async fn entries(ctx: &Context<'_>, filter: AuditFilter, page: Page) -> Result<Trail, Error> {
    let filter = Arc::new(move |sql: &mut sqlx::QueryBuilder<sqlx::Postgres>, view: &View| {
        let filter = filter.clone();
        if let Some(thing) = filter.thing {
            sql.push(" and position in (select position from ").push(view.table("audit_things"));
            sql.push(" where thing = ").push_bind(thing).push(")");
        }
        equals(sql, "actor", filter.actor);
        equals(sql, "command", filter.command);
        equals(sql, "command_id", filter.command_id);
        equals(sql, "type", filter.kind);
        equals(sql, "site", filter.site.map(|site| site.0));
        between(sql, "recorded_at", filter.from, filter.to);
    });
    list::<AuditRow, AuditEntry>(ctx, page, filter).await
}
