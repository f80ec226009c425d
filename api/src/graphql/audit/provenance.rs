//! Why a row is what it is.

use std::sync::Arc;

use async_graphql::connection::{Connection, Edge};
use async_graphql::{Context, Error, Object};
use chrono::{DateTime, Utc};
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::Trail;
use super::entry::{AuditEntry, Reaction, caused, reach, same_command};
use super::starts::{Of, RECENT, Table};
use super::walks::{ChainOf, NewestOf};
use crate::audit::AuditRow;
use crate::graphql::context::Parts;
use crate::graphql::error::argument;
use crate::graphql::identity::name_of;
use crate::graphql::keyset::{Cursor, Kind, Part};
use crate::graphql::list::{Counted, Filter, Row};
use crate::graphql::load::ByKey;
use crate::graphql::loader::Loader;
use crate::graphql::page::Page;
use crate::graphql::relation::View;
use crate::graphql::scalars::Position;

/// Why a row is what it is: the events that made it, what lies behind them, and what they led to.
pub(crate) struct Provenance {
    table: &'static Table,
    key: Vec<String>,
    /// The event that changed it last.
    position: i64,
}

impl Provenance {
    /// Of the row with this key.
    pub(in crate::graphql) fn of<const N: usize>(table: &'static Table, key: [String; N], position: i64) -> Self {
        Self { table, key: key.into(), position }
    }

    async fn last(&self, ctx: &Context<'_>) -> Result<Option<Arc<AuditRow>>, Error> {
        ctx.loader::<ByKey<AuditRow>>().one(self.position).await
    }

    /// Its newest events up to one.
    fn newest(&self, newest: i64, position: i64) -> Of {
        Of { row: Some((self.table, self.key.clone())), position, newest }
    }

    /// All of its events.
    fn filter(&self) -> Filter {
        let (table, key, last) = (self.table, self.key.clone(), self.position);
        Arc::new(move |sql: &mut QueryBuilder<Postgres>, view: &View| {
            sql.push(" and position <= ").push_bind(last).push(" and position in ");
            table.push_versions(sql, view, |sql, place| {
                sql.push_bind(key[place].clone());
            });
        })
    }
}

/// A command that was carried out.
pub(crate) struct CommandDone(Arc<AuditRow>);

#[Object]
impl CommandDone {
    /// Its id.
    async fn id(&self) -> Uuid {
        self.0.command_id
    }
    /// Its name, such as `airport.allocate_stand`.
    async fn name(&self) -> &str {
        &self.0.command
    }
    /// Who or what gave it.
    async fn actor(&self) -> &str {
        &self.0.actor
    }
    /// Their name now, if it is a person or a key; null once a person was erased.
    async fn actor_name(&self, ctx: &Context<'_>) -> Result<Option<String>, Error> {
        name_of(ctx, &self.0.actor).await
    }
    /// The first command of the chain.
    async fn correlation_id(&self) -> Uuid {
        self.0.correlation_id
    }
    /// The event that it reacted to.
    async fn causation_id(&self) -> Option<Uuid> {
        self.0.causation_id
    }
    /// When the log recorded what came of it.
    async fn recorded_at(&self) -> DateTime<Utc> {
        self.0.recorded_at
    }
    /// What it recorded, in the order of the log; the first 200.
    async fn events(&self, ctx: &Context<'_>) -> Result<Vec<AuditEntry>, Error> {
        same_command(ctx, self.0.command_id).await
    }
}

#[Object]
impl Provenance {
    /// The event that changed it last.
    async fn position(&self) -> Position {
        Position(self.position)
    }
    /// The events that made it what it is, newest first.
    async fn events(&self, ctx: &Context<'_>, first: Option<i32>, after: Option<String>) -> Result<Trail, Error> {
        let page = Page::new(first, after, None, None)?;
        let kinds = [Kind::Number];
        let after = page
            .after
            .as_deref()
            .map(|cursor| argument("after", Cursor::read(cursor, <AuditRow as Row>::TABLE, &kinds)));
        let position = match after.transpose()?.as_deref() {
            Some([Part::Number(position)]) => position.saturating_sub(1).min(self.position),
            Some(_) | None => self.position,
        };
        let loader: &Loader<NewestOf> = ctx.loader();
        let newest = self.newest(i64::from(page.limit) + 1, position);
        let rows = loader.one(newest).await?.unwrap_or_default();
        let wanted = usize::try_from(page.limit).unwrap_or_default();
        let (more, all) = (rows.len() > wanted, Counted::of(<AuditRow as Row>::TABLE, self.filter()));
        let mut connection = Connection::with_additional_fields(page.after.is_some(), more, all);
        connection.edges.extend(
            rows.into_iter()
                .take(wanted)
                .map(|row| Edge::new(Cursor::new(<AuditRow as Row>::TABLE, &Row::key(&row)), AuditEntry::from(row))),
        );
        Ok(connection)
    }
    /// From the newest of its events that reacted to another back to what began it, such as from an alert to the
    /// measurement behind it; its last event alone when none of the newest 1,000 reacted to anything.
    async fn causation_chain(&self, ctx: &Context<'_>) -> Result<Vec<AuditEntry>, Error> {
        let loader: &Loader<ChainOf> = ctx.loader();
        let chain = loader.one(self.newest(RECENT, self.position)).await?;
        Ok(chain.unwrap_or_default().into_iter().map(AuditEntry::from).collect())
    }
    /// What its events led to: events of commands that reacted to them, and so on, `depth` times at most (20), the
    /// `first` of them (200), nearest first.
    async fn caused(&self, ctx: &Context<'_>, depth: Option<i32>, first: Option<i32>) -> Result<Vec<Reaction>, Error> {
        caused(ctx, self.newest(RECENT, self.position), reach(depth, first)?).await
    }
    /// The command that changed it last; null while the audit trail has not come so far.
    async fn command(&self, ctx: &Context<'_>) -> Result<Option<CommandDone>, Error> {
        Ok(self.last(ctx).await?.map(CommandDone))
    }
    /// Who or what changed it last; null while the audit trail has not come so far.
    async fn actor(&self, ctx: &Context<'_>) -> Result<Option<String>, Error> {
        Ok(self.last(ctx).await?.map(|row| row.actor.clone()))
    }
}
