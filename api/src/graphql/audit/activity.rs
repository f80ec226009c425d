//! Everything that one person did and was refused, in one list.
//!
//! A refusal stands behind the last event that it was judged on, so both kinds have one order: position, refusals after
//! the event, refusals in their own order.

use async_graphql::connection::{Connection, Edge};
use async_graphql::{Context, Error, Union};

use super::entry::AuditEntry;
use super::refused::RefusedCommand;
use super::{checked, refusals_checked};
use crate::audit::{AuditFilter, AuditRow, Order, Paged, RefusalFilter, RefusalRow};
use crate::graphql::context::Parts;
use crate::graphql::error::argument;
use crate::graphql::keyset::{Cursor, Kind, Part};
use crate::graphql::page::Page;
use crate::graphql::snapshot::unreadable;

const LIST: &str = "activity";

/// What somebody did, or wanted to do.
#[derive(Union)]
pub(crate) enum Deed {
    /// Recorded.
    Done(AuditEntry),
    /// Refused.
    Refused(RefusedCommand),
}

/// Where a deed stands: position, and 0 for the event or the refusal's id, which counts from 1.
type Place = (i64, i64);

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
    let (done, refused) = (checked(ctx, filter, Order::NewestFirst).await?, refusals_checked(ctx, refused).await?);
    let kinds = [Kind::Number, Kind::Number];
    let after = page.after.as_deref().map(|cursor| argument("after", Cursor::read(cursor, LIST, &kinds)));
    let before: Place = match after.transpose()?.as_deref() {
        Some([Part::Number(position), Part::Number(id)]) => (*position, *id),
        Some(_) | None => (i64::MAX, i64::MAX),
    };
    let limit = i64::from(page.limit) + 1;
    let mut deeds: Vec<(Place, Deed)> = Vec::new();
    deeds.extend(done_before(ctx, &done, before, limit).await?);
    deeds.extend(refused_before(ctx, &refused, before, limit).await?);
    deeds.sort_unstable_by_key(|(place, _)| std::cmp::Reverse(*place));
    let wanted = usize::try_from(page.limit).unwrap_or_default();
    let mut connection = Connection::new(page.after.is_some(), deeds.len() > wanted);
    connection.edges.extend(
        deeds.into_iter().take(wanted).map(|((position, id), deed)| {
            Edge::new(Cursor::new(LIST, &[Part::Number(position), Part::Number(id)]), deed)
        }),
    );
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
    sql.push(view.table("audit")).push(" where (position, 0) < (").push_bind(before.0).push(", ");
    sql.push_bind(before.1).push(")");
    done.conditions(&mut sql, view);
    sql.push(" order by position desc limit ").push_bind(limit);
    let mut reading = ctx.snapshot().read().await?;
    let rows: Vec<AuditRow> = sql.build_query_as().fetch_all(reading.connection()).await.map_err(unreadable)?;
    Ok(rows.into_iter().map(|row| ((row.position, 0), Deed::Done(row.into()))).collect())
}

async fn refused_before(
    ctx: &Context<'_>,
    refused: &Paged<RefusalRow>,
    before: Place,
    limit: i64,
) -> Result<Vec<(Place, Deed)>, Error> {
    let view = ctx.snapshot().view();
    let mut sql = view.sql("select * from ");
    sql.push(view.table("refusal")).push(" where (position, id) < (").push_bind(before.0).push(", ");
    sql.push_bind(before.1).push(")");
    refused.conditions(&mut sql, view);
    sql.push(" order by position desc, id desc limit ").push_bind(limit);
    let mut reading = ctx.snapshot().read().await?;
    let rows: Vec<RefusalRow> = sql.build_query_as().fetch_all(reading.connection()).await.map_err(unreadable)?;
    Ok(rows.into_iter().map(|row| ((row.position, row.id), Deed::Refused(row.into()))).collect())
}
