//! Pages of the log.

use std::sync::Arc;

use async_graphql::Error;
use async_graphql::connection::{Connection, Edge, EmptyFields};
use vigie_eventlog::{Direction, Log, Query, Read, Recorded};

use super::event::Event;
use super::filter::Wanted;
use super::log_fault;
use crate::graphql::error::argument;
use crate::graphql::keyset::{Cursor, Kind, Part};
use crate::graphql::page::Page;
use crate::rights::Scope;

const LIST: &str = "events";

fn bound(name: &str, cursor: Option<&str>) -> Result<Option<i64>, Error> {
    let Some(cursor) = cursor else { return Ok(None) };
    match argument(name, Cursor::read(cursor, LIST, &[Kind::Number]))?.as_slice() {
        [Part::Number(position)] => Ok(Some(*position)),
        _ => Ok(None),
    }
}

/// One page of matching events up to `last`, oldest first.
pub(super) async fn events(
    log: &Log,
    wanted: Wanted,
    page: Page,
    last: Option<i64>,
) -> Result<Connection<Cursor, Event, EmptyFields, EmptyFields>, Error> {
    let after = bound("after", page.after.as_deref())?;
    let before = bound("before", page.before.as_deref())?;
    let limit = usize::try_from(page.limit).unwrap_or_default();
    let direction = if page.backwards { Direction::Backwards } else { Direction::Forwards };
    let mut read = Read {
        after: after.unwrap_or(0),
        until: before.map_or(i64::MAX, |before| before - 1).min(last.unwrap_or(i64::MAX)),
        direction,
        limit: wanted.at_once(limit),
    };
    let mut found: Vec<Recorded> = Vec::new();
    // The log does not look sites up, so a page may take several reads.
    while found.len() <= limit {
        let batch = log.read(&wanted.query, read).await.map_err(|error| log_fault(&error))?;
        let full = batch.len() == read.limit as usize;
        match batch.last() {
            Some(last) if page.backwards => read.until = last.position - 1,
            Some(last) => read.after = last.position,
            None => break,
        }
        found.extend(batch.into_iter().filter(|event| wanted.takes(event)));
        if !full {
            break;
        }
    }
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

/// The event at `position`, if it is one that `scope` shows.
pub(super) async fn one(log: &Log, scope: &Scope, position: i64) -> Result<Option<Event>, Error> {
    let read = Read::after(position.saturating_sub(1)).until(position).limit(1);
    let found = log.read(&Query::all(), read).await.map_err(|error| log_fault(&error))?;
    let shown = found.into_iter().next().filter(|event| scope.admits(&event.kind, &event.site));
    Ok(shown.map(|event| Event(Arc::new(event))))
}
