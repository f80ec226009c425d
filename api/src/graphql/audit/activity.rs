//! Everything that one person did and was refused, in one list.
//!
//! A refusal stands behind the last event that it was judged on, and an operation on a read model behind the last event
//! that the log held then. So all have one order: position; the event, refusals, operations; each in their own order.

use async_graphql::connection::{Connection, Edge};
use async_graphql::{Context, Error, Union};
use sqlx::{Postgres, QueryBuilder};
use vigie_projections::control::{OperationsBy, operations_by};

use super::entry::AuditEntry;
use super::refused::RefusedCommand;
use super::{checked, refusals_checked};
use crate::audit::{AuditFilter, AuditRow, Order, Paged, RefusalFilter, RefusalRow};
use crate::graphql::context::Parts;
use crate::graphql::error::argument;
use crate::graphql::keyset::{Cursor, Kind, Part};
use crate::graphql::page::Page;
use crate::graphql::projections::Operation;
use crate::graphql::snapshot::unreadable;
use crate::rights::Sites;

const LIST: &str = "activity";

/// What somebody did, or wanted to do.
#[derive(Union)]
pub(crate) enum Deed {
    /// Recorded.
    Done(AuditEntry),
    /// Refused.
    Refused(RefusedCommand),
    /// Done to a read model, which is not in the log.
    Operated(Operation),
}

/// Where a deed stands: position, kind, and the id of a refusal or an operation, which count from 1.
type Place = (i64, i64, i64);
const EVENT: i64 = 0;
const REFUSAL: i64 = 1;
const OPERATION: i64 = 2;

/// What somebody did and was refused, newest first.
pub(super) async fn activity(
    ctx: &Context<'_>,
    filter: AuditFilter,
    page: Page,
) -> Result<Connection<Cursor, Deed>, Error> {
    let refused = RefusalFilter {
        actor: filter.actor.clone(),
        thing: filter.thing.clone(),
        site: filter.site.clone(),
        from: filter.from,
        to: filter.to,
        day: filter.day,
        ..RefusalFilter::default()
    };
    let operated = filter.clone();
    let (done, refused) = (checked(ctx, filter, Order::NewestFirst).await?, refusals_checked(ctx, refused).await?);
    let kinds = [Kind::Number; 3];
    let after = page.after.as_deref().map(|cursor| argument("after", Cursor::read(cursor, LIST, &kinds)));
    let before: Place = match after.transpose()?.as_deref() {
        Some([Part::Number(position), Part::Number(kind), Part::Number(id)]) => (*position, *kind, *id),
        Some(_) | None => (i64::MAX, i64::MAX, i64::MAX),
    };
    let limit = i64::from(page.limit) + 1;
    let mut deeds: Vec<(Place, Deed)> = Vec::new();
    deeds.extend(done_before(ctx, &done, before, limit).await?);
    deeds.extend(refused_before(ctx, &refused, before, limit).await?);
    deeds.extend(operated_before(ctx, &operated, before, limit).await?);
    deeds.sort_unstable_by_key(|(place, _)| std::cmp::Reverse(*place));
    let wanted = usize::try_from(page.limit).unwrap_or_default();
    let mut connection = Connection::new(page.after.is_some(), deeds.len() > wanted);
    connection.edges.extend(deeds.into_iter().take(wanted).map(|((position, kind, id), deed)| {
        Edge::new(Cursor::new(LIST, &[position, kind, id].map(Part::Number)), deed)
    }));
    Ok(connection)
}

async fn done_before(
    ctx: &Context<'_>,
    done: &Paged<AuditRow>,
    before: Place,
    limit: i64,
) -> Result<Vec<(Place, Deed)>, Error> {
    let view = ctx.snapshot().view();
    let mut sql = view.sql("select * from ");
    sql.push(view.table("audit")).push(" where true");
    push_before(&mut sql, EVENT, "0", before);
    done.conditions(&mut sql, view);
    sql.push(" order by position desc limit ").push_bind(limit);
    let mut reading = ctx.snapshot().read().await?;
    let rows: Vec<AuditRow> = sql.build_query_as().fetch_all(reading.connection()).await.map_err(unreadable)?;
    Ok(rows.into_iter().map(|row| ((row.position, EVENT, 0), Deed::Done(row.into()))).collect())
}

async fn refused_before(
    ctx: &Context<'_>,
    refused: &Paged<RefusalRow>,
    before: Place,
    limit: i64,
) -> Result<Vec<(Place, Deed)>, Error> {
    let view = ctx.snapshot().view();
    let mut sql = view.sql("select * from ");
    sql.push(view.table("refusal")).push(" where true");
    push_before(&mut sql, REFUSAL, "id", before);
    refused.conditions(&mut sql, view);
    sql.push(" order by position desc, id desc limit ").push_bind(limit);
    let mut reading = ctx.snapshot().read().await?;
    let rows: Vec<RefusalRow> = sql.build_query_as().fetch_all(reading.connection()).await.map_err(unreadable)?;
    Ok(rows.into_iter().map(|row| ((row.position, REFUSAL, row.id), Deed::Refused(row.into()))).collect())
}

/// Adds `and …` for what stands before a place among deeds of a kind, by their position and `id`.
fn push_before(sql: &mut QueryBuilder<Postgres>, kind: i64, id: &'static str, before: Place) {
    sql.push(" and (position, ").push(kind).push("::bigint, ").push(id).push(") < (").push_bind(before.0);
    sql.push(", ").push_bind(before.1).push(", ").push_bind(before.2).push(")");
}

/// Operations have no site, and no thing but the read model: who does not see everything sees none.
async fn operated_before(
    ctx: &Context<'_>,
    filter: &AuditFilter,
    before: Place,
    limit: i64,
) -> Result<Vec<(Place, Deed)>, Error> {
    let name = filter.thing.as_deref().map(|thing| thing.strip_prefix("projection:"));
    let (Some(actor), None, None | Some(Some(_))) = (&filter.actor, &filter.site, name) else { return Ok(Vec::new()) };
    if ctx.snapshot().view().scope().audit != Sites::All {
        return Ok(Vec::new());
    }
    let (position, kind, id) = before;
    // Operations come last at their position, so first in this list: past them, none is left there.
    let before = (position, if kind < OPERATION { 0 } else { id });
    let until = ctx.snapshot().view().last().unwrap_or(i64::MAX);
    let by = OperationsBy { actor, name: name.flatten(), from: filter.from, to: filter.to, until, before };
    let mut reading = ctx.snapshot().read().await?;
    let rows = operations_by(&by, limit, reading.connection()).await.map_err(unreadable)?;
    Ok(rows.into_iter().map(|row| ((row.log_position, OPERATION, row.id), Deed::Operated(Operation(row)))).collect())
}
