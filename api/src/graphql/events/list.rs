//! Pages of the log.

use std::sync::Arc;

use async_graphql::connection::{Connection, Edge, EmptyFields};
use async_graphql::{Context, Error};
use vigie_eventlog::{Direction, Log, Query, Read, Recorded};
use vigie_projections::ReadModel;
use vigie_projections::audit::Audit;

use super::event::Event;
use super::filter::Wanted;
use super::log_fault;
use super::sites::{Span, positions};
use crate::graphql::context::Parts;
use crate::graphql::error::argument;
use crate::graphql::keyset::{Cursor, Kind, Part};
use crate::graphql::page::Page;
use crate::graphql::snapshot::unreadable;
use crate::rights::Scope;

const LIST: &str = "events";

fn bound(name: &str, cursor: Option<&str>) -> Result<Option<i64>, Error> {
    let Some(cursor) = cursor else { return Ok(None) };
    match argument(name, Cursor::read(cursor, LIST, &[Kind::Number]))?.as_slice() {
        [Part::Number(position)] => Ok(Some(*position)),
        _ => Ok(None),
    }
}

/// One page of matching events, oldest first.
pub(super) async fn events(
    ctx: &Context<'_>,
    wanted: Wanted,
    page: Page,
) -> Result<Connection<Cursor, Event, EmptyFields, EmptyFields>, Error> {
    let (after, before) = (bound("after", page.after.as_deref())?, bound("before", page.before.as_deref())?);
    let last = ctx.snapshot().view().last().unwrap_or(i64::MAX);
    let limit = usize::try_from(page.limit).unwrap_or_default();
    let span = Span {
        after: after.unwrap_or(0),
        until: before.map_or(i64::MAX, |before| before - 1).min(last),
        backwards: page.backwards,
        limit: i64::from(page.limit) + 1,
    };
    let mut found = find(ctx, &wanted, span).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    if page.backwards {
        found.reverse();
    }
    let (previous, next) = if page.backwards { (more, before.is_some()) } else { (after.is_some(), more) };
    let mut connection = Connection::new(previous, next);
    connection.edges.extend(
        found
            .into_iter()
            .map(|event| Edge::new(Cursor::new(LIST, &[Part::Number(event.position)]), Event(Arc::new(event)))),
    );
    Ok(connection)
}

/// The first of what is wanted, in the order of the span: what the audit trail has by site from there, and what it does not
/// have, or has not yet, from the log.
async fn find(ctx: &Context<'_>, wanted: &Wanted, span: Span) -> Result<Vec<Recorded>, Error> {
    let log = &ctx.services().log;
    let Some(sites) = wanted.by_site() else { return walk(log, wanted, span).await };
    if sites.is_empty() {
        return Ok(Vec::new());
    }
    let known = ctx.snapshot().read().await?.position_of(Audit::NAME).await?;
    let known = known.clamp(span.after, span.until.max(span.after));
    let (listed, beyond) = (Span { until: known, ..span }, Span { after: known, ..span });
    let mut found = if span.backwards { walk(log, wanted, beyond).await? } else { Vec::new() };
    let left = Span { limit: span.limit - length(&found), ..listed };
    if left.limit > 0 {
        let mut reading = ctx.snapshot().read().await?;
        let listed = positions(&sites, left, ctx.snapshot().view(), reading.connection()).await;
        drop(reading);
        let mut events = log.at(&listed.map_err(unreadable)?).await.map_err(|error| log_fault(&error))?;
        if span.backwards {
            events.reverse();
        }
        found.extend(events);
    }
    let left = Span { limit: span.limit - length(&found), ..beyond };
    if !span.backwards && left.limit > 0 {
        found.extend(walk(log, wanted, left).await?);
    }
    Ok(found)
}

/// The same by looking at one event after another: a page may take several reads.
async fn walk(log: &Log, wanted: &Wanted, span: Span) -> Result<Vec<Recorded>, Error> {
    let limit = usize::try_from(span.limit).unwrap_or_default();
    let direction = if span.backwards { Direction::Backwards } else { Direction::Forwards };
    let mut read = Read { after: span.after, until: span.until, direction, limit: wanted.at_once(limit) };
    let mut found: Vec<Recorded> = Vec::new();
    while found.len() < limit && read.after < read.until {
        let batch = log.read(&wanted.query, read).await.map_err(|error| log_fault(&error))?;
        let full = batch.len() == read.limit as usize;
        match batch.last() {
            Some(last) if span.backwards => read.until = last.position - 1,
            Some(last) => read.after = last.position,
            None => break,
        }
        found.extend(batch.into_iter().filter(|event| wanted.takes(event)));
        if !full {
            break;
        }
    }
    found.truncate(limit);
    Ok(found)
}

fn length(events: &[Recorded]) -> i64 {
    i64::try_from(events.len()).unwrap_or(i64::MAX)
}

/// The event at `position`, if it is one that `scope` shows.
pub(super) async fn one(log: &Log, scope: &Scope, position: i64) -> Result<Option<Event>, Error> {
    let read = Read::after(position.saturating_sub(1)).until(position).limit(1);
    let found = log.read(&Query::all(), read).await.map_err(|error| log_fault(&error))?;
    let shown = found.into_iter().next().filter(|event| scope.admits(&event.kind, &event.site));
    Ok(shown.map(|event| Event(Arc::new(event))))
}
