//! The audit trail: who did what to which thing, when, why, from which command, before and after; and what was refused.

mod activity;
mod diff;
mod downloads;
mod entry;
mod provenance;
mod refused;
mod starts;
mod walks;

use std::sync::Arc;

use async_graphql::connection::Connection;
use async_graphql::{Context, Data, Error, ID, Object};
use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{Postgres, QueryBuilder};

use activity::{Deed, activity};
pub(in crate::graphql) use diff::DiffQuery;
use downloads::Download;
pub(in crate::graphql) use entry::AuditEntry;
use entry::OldestFirst;
pub(in crate::graphql) use provenance::Provenance;
use refused::RefusedCommand;
pub(in crate::graphql) use starts::Table;
use walks::{CausedBy, ChainOf, NewestOf, OfCommand};

use super::context::Parts;
use super::days::bad_filter;
use super::keyset::Cursor;
use super::list::{Filter, List, list};
use super::load::by_key;
use super::loader::Loader;
use super::page::Page;
use super::relation::View;
use super::snapshot::{Snapshot, unreadable};
use crate::audit::{AuditFilter, AuditRow, Listed, Order, Paged, RefusalFilter, RefusalRow};

/// Entries of the audit trail.
pub(in crate::graphql) type Trail = List<AuditEntry>;

pub(in crate::graphql) fn loaders(data: &mut Data, snapshot: &Snapshot) {
    data.insert(by_key::<AuditRow>(snapshot));
    data.insert(Loader::new(ChainOf(snapshot.clone())));
    data.insert(Loader::new(CausedBy(snapshot.clone())));
    data.insert(Loader::new(OfCommand(snapshot.clone())));
    data.insert(Loader::new(NewestOf(snapshot.clone())));
}

/// Queries about the audit trail.
#[derive(Default)]
pub(crate) struct AuditQuery;

#[Object]
impl AuditQuery {
    /// The audit trail, newest first unless asked otherwise.
    #[expect(clippy::too_many_arguments, reason = "a list has four of its own")]
    async fn audit_trail(
        &self,
        ctx: &Context<'_>,
        filter: Option<AuditFilter>,
        order: Option<Order>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Trail, Error> {
        let page = Page::new(first, after, last, before)?;
        entries(ctx, filter.unwrap_or_default(), order.unwrap_or_default(), page).await
    }

    /// Commands that were refused, newest first.
    async fn refusals(
        &self,
        ctx: &Context<'_>,
        filter: Option<RefusalFilter>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<List<RefusedCommand>, Error> {
        let page = Page::new(first, after, last, before)?;
        let paged = refusals_checked(ctx, filter.unwrap_or_default()).await?;
        list::<RefusalRow, RefusedCommand>(ctx, page, conditions(paged)).await
    }

    /// Everything that somebody did and was refused, newest first, with what they did to read models. A refusal stands
    /// behind the last event that it was judged on, an operation behind the last event that the log held then;
    /// operations have no site, and `projection:…` as their thing.
    #[expect(clippy::too_many_arguments, reason = "a list has two of its own")]
    async fn activity(
        &self,
        ctx: &Context<'_>,
        actor: String,
        thing: Option<String>,
        site: Option<ID>,
        from: Option<DateTime<Utc>>,
        to: Option<DateTime<Utc>>,
        day: Option<NaiveDate>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connection<Cursor, Deed>, Error> {
        let filter = AuditFilter { actor: Some(actor), thing, site, from, to, day, ..AuditFilter::default() };
        activity(ctx, filter, Page::new(first, after, None, None)?).await
    }

    /// Where the audit trail can be downloaded, as far as the filter lets it through and up to what this operation sees.
    async fn audit_export(
        &self,
        ctx: &Context<'_>,
        filter: Option<AuditFilter>,
        order: Option<Order>,
    ) -> Result<Download, Error> {
        let (filter, order) = (filter.unwrap_or_default(), order.unwrap_or_default());
        let rows = count(ctx, &checked(ctx, filter.clone(), order).await?).await?;
        let seen = ctx.snapshot().read().await?.position().await?;
        let until_position = Some(filter.until_position.map_or(seen, |until| until.min(seen)));
        Ok(Download::of("audit", &AuditFilter { until_position, ..filter }, order == Order::OldestFirst, rows))
    }

    /// Where the refusals can be downloaded, as far as the filter lets them through and up to when this was asked.
    async fn refusal_export(
        &self,
        ctx: &Context<'_>,
        filter: Option<RefusalFilter>,
        order: Option<Order>,
    ) -> Result<Download, Error> {
        let (mut filter, order) = (filter.unwrap_or_default(), order.unwrap_or_default());
        // A day has its end. In the past the position is one.
        if filter.to.is_none() && filter.day.is_none() && ctx.snapshot().view().last().is_none() {
            filter.to = Some(ctx.caller().asked_at);
        }
        let rows = count(ctx, &refusals_checked(ctx, filter.clone()).await?).await?;
        let until_position = match (ctx.snapshot().view().last(), filter.until_position) {
            (Some(past), Some(until)) => Some(until.min(past)),
            (past, until) => past.or(until),
        };
        Ok(Download::of("refusals", &RefusalFilter { until_position, ..filter }, order == Order::OldestFirst, rows))
    }
}

/// The trail of one thing, by its tag.
pub(in crate::graphql) async fn trail(
    ctx: &Context<'_>,
    thing: String,
    first: Option<i32>,
    after: Option<String>,
) -> Result<Trail, Error> {
    let page = Page::new(first, after, None, None)?;
    Box::pin(entries(ctx, AuditFilter::about(thing), Order::NewestFirst, page)).await
}

async fn entries(ctx: &Context<'_>, filter: AuditFilter, order: Order, page: Page) -> Result<Trail, Error> {
    let filter = conditions(checked(ctx, filter, order).await?);
    match order {
        Order::NewestFirst => list::<AuditRow, AuditEntry>(ctx, page, filter).await,
        Order::OldestFirst => list::<OldestFirst, AuditEntry>(ctx, page, filter).await,
    }
}

fn conditions<R: Listed>(paged: Paged<R>) -> Filter
where
    Paged<R>: Send + Sync + 'static,
{
    Arc::new(move |sql: &mut QueryBuilder<Postgres>, view: &View| paged.conditions(sql, view))
}

async fn checked(ctx: &Context<'_>, filter: AuditFilter, order: Order) -> Result<Paged<AuditRow>, Error> {
    filter.check().map_err(|error| bad_filter(&error))?;
    paged(ctx, filter, order).await
}

async fn refusals_checked(ctx: &Context<'_>, filter: RefusalFilter) -> Result<Paged<RefusalRow>, Error> {
    filter.check().map_err(|error| bad_filter(&error))?;
    paged(ctx, filter, Order::NewestFirst).await
}

async fn paged<R: Listed>(ctx: &Context<'_>, filter: R::Filter, order: Order) -> Result<Paged<R>, Error> {
    let mut reading = ctx.snapshot().read().await?;
    let paged = Paged::new(filter, order, ctx.snapshot().view(), reading.connection()).await.map_err(unreadable)?;
    paged.map_err(|error| bad_filter(&error))
}

async fn count<R: Listed>(ctx: &Context<'_>, paged: &Paged<R>) -> Result<i64, Error> {
    let view = ctx.snapshot().view();
    let mut sql = view.sql("select count(*) from ");
    sql.push(view.table(R::TABLE)).push(" where true");
    paged.conditions(&mut sql, view);
    let mut reading = ctx.snapshot().read().await?;
    let count = sql.build_query_scalar().fetch_one(reading.connection()).await;
    count.map_err(unreadable)
}
