//! What changed between two moments, of a thing or of a board.

use async_graphql::connection::{Connection, Edge, EmptyFields};
use async_graphql::{
    Context, Enum, Error, ErrorExtensions as _, ID, InputObject, Json, Object, OneofObject, SimpleObject,
};
use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;
use vigie_projections::diff::{DiffError, FieldDiff, Kind as ThingKind, RowDiff, Span, diff, touched};

use super::entry::AuditEntry;
use crate::audit::{AuditRow, is_known, position_at};
use crate::graphql::context::Parts;
use crate::graphql::error::{argument, bad_input, fault, not_found};
use crate::graphql::keyset::{Cursor, Kind, Part};
use crate::graphql::load::ByKey;
use crate::graphql::loader::Loader;
use crate::graphql::page::Page;
use crate::graphql::relation::View;
use crate::graphql::scalars::Position;
use crate::graphql::snapshot::unreadable;
use crate::rights::Sites;

const LIST: &str = "diff";

/// A moment of the log.
#[derive(Debug, OneofObject)]
pub(crate) enum Moment {
    /// After the event at this position; 0 for before all.
    Position(Position),
    /// After all that was recorded at this time or before.
    Time(DateTime<Utc>),
}

/// What is shown together at a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum BoardOf {
    /// Its stands.
    Stands,
    /// Its flights.
    Flights,
    /// Its allocations.
    Allocations,
    /// Its alerts.
    Alerts,
    /// Its train passes, with cars and springs.
    Passes,
}

/// A board of a site.
#[derive(Debug, InputObject)]
pub(crate) struct BoardInput {
    /// The site.
    site: ID,
    /// What is on it.
    of: BoardOf,
}

/// Of what a difference is told.
#[derive(Debug, OneofObject)]
pub(crate) enum DiffOf {
    /// Of one thing, by its tag, such as `stand:LFW/C03`: a site, a stand, a flight, an allocation, an alert or a pass.
    Thing(String),
    /// Of everything on a board.
    Board(BoardInput),
}

/// Between which moments.
#[derive(SimpleObject)]
pub(crate) struct Between {
    /// The state after this event …
    from: Position,
    /// … and after this one.
    to: Position,
}

/// What changed of a thing.
#[derive(SimpleObject)]
pub(crate) struct ThingDiff {
    /// The thing, as its tag.
    thing: String,
    /// Its rows that changed; none when events are about it that change nothing that is shown.
    rows: Vec<ChangedRow>,
}

/// What changed of a row.
pub(crate) struct ChangedRow(RowDiff);

/// What changed of a field.
pub(crate) struct ChangedField(FieldDiff);

async fn entries(ctx: &Context<'_>, positions: &[i64]) -> Result<Vec<AuditEntry>, Error> {
    let loader: &Loader<ByKey<AuditRow>> = ctx.loader();
    let mut found = loader.many(positions.to_vec()).await?;
    Ok(positions.iter().filter_map(|position| found.remove(position)).map(AuditEntry::from).collect())
}

#[Object]
impl ChangedRow {
    /// The table of the read model, such as `stands`.
    async fn table(&self) -> &str {
        self.0.table
    }
    /// Its key, by column.
    async fn key(&self) -> Json<Value> {
        Json(Value::Object(self.0.key.clone()))
    }
    /// Whether it came to be between the two moments. Rows do not vanish.
    async fn appeared(&self) -> bool {
        !self.0.was_there
    }
    /// Its fields that changed, by name, as the table has them.
    async fn fields(&self) -> Vec<ChangedField> {
        self.0.fields.iter().cloned().map(ChangedField).collect()
    }
    /// The events that touched it, oldest first.
    async fn events(&self, ctx: &Context<'_>) -> Result<Vec<AuditEntry>, Error> {
        entries(ctx, &self.0.events).await
    }
}

#[Object]
impl ChangedField {
    /// The column.
    async fn field(&self) -> &str {
        &self.0.field
    }
    /// What it was; null when the row was not there.
    async fn before(&self) -> Json<Value> {
        Json(self.0.before.clone())
    }
    /// What it is.
    async fn after(&self) -> Json<Value> {
        Json(self.0.after.clone())
    }
    /// Whether it changed and changed back, so that both are the same.
    async fn changed_back(&self) -> bool {
        self.0.before == self.0.after
    }
    /// The events that changed it, oldest first.
    async fn events(&self, ctx: &Context<'_>) -> Result<Vec<AuditEntry>, Error> {
        entries(ctx, &self.0.events).await
    }
}

/// Queries about differences.
#[derive(Default)]
pub(crate) struct DiffQuery;

#[Object]
impl DiffQuery {
    /// What changed between two moments, field by field, with the events that did it: of one thing, or of everything on a
    /// board, things in the order of their ids.
    async fn diff(
        &self,
        ctx: &Context<'_>,
        from: Moment,
        to: Option<Moment>,
        of: DiffOf,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connection<Cursor, ThingDiff, Between, EmptyFields>, Error> {
        let page = Page::new(first, after, None, None)?;
        let span = span(ctx, from, to).await?;
        match of {
            DiffOf::Thing(thing) => of_thing(ctx, &thing, span).await,
            DiffOf::Board(board) => of_board(ctx, &board, span, &page).await,
        }
    }
}

async fn span(ctx: &Context<'_>, from: Moment, to: Option<Moment>) -> Result<Span, Error> {
    let mut reading = ctx.snapshot().read().await?;
    let last = reading.position().await?;
    let view = happenings(ctx);
    let view = &view;
    let mut place = async |name: &str, moment: Moment| match moment {
        Moment::Position(Position(position)) if !(0..=last).contains(&position) => Err(out_of_range(name, last)),
        Moment::Position(Position(position)) => Ok(position),
        Moment::Time(time) if time > ctx.caller().asked_at => Err(out_of_range(name, last)),
        Moment::Time(time) => {
            let position = position_at(time, view, reading.connection()).await.map_err(unreadable)?;
            Ok(position.min(last))
        }
    };
    let from = place("from", from).await?;
    let to = match to {
        Some(to) => place("to", to).await?,
        None => last,
    };
    if from > to {
        return Err(bad_input("from", format!("position {from} comes after position {to}: exchange from and to")));
    }
    Ok(Span { from, to })
}

fn out_of_range(name: &str, last: i64) -> Error {
    let message = format!("{name}: the read models know the positions 1 to {last}, and 0 for before all");
    fault("OUT_OF_RANGE", message).extend_with(|_, extensions| {
        extensions.set("argument", name);
        extensions.set("first", 0);
        extensions.set("last", last);
    })
}

fn failed(error: DiffError) -> Error {
    match error {
        DiffError::TooMuch { .. } => fault("TOO_MUCH", error.to_string()),
        DiffError::Database(error) => unreadable(error),
    }
}

async fn of_thing(
    ctx: &Context<'_>,
    thing: &str,
    span: Span,
) -> Result<Connection<Cursor, ThingDiff, Between, EmptyFields>, Error> {
    const SHAPE: &str = "is not the tag of a site, stand, flight, allocation, alert or pass, such as stand:LFW/C03";
    let wrong = || bad_input("of.thing", format!("{thing:?} {SHAPE}"));
    let (kind, id) = thing.split_once(':').ok_or_else(wrong)?;
    let kind = ThingKind::of(kind).ok_or_else(wrong)?;
    if matches!(kind.name, "alert" | "allocation") && Uuid::try_parse(id).is_err() {
        return Err(wrong());
    }
    let rows =
        if is_seen(ctx, kind, id).await? { changed(ctx, kind, &[id.to_owned()], span).await? } else { Vec::new() };
    let mut connection = connection(span, false);
    if rows.is_empty() {
        require_known(ctx, thing).await?;
    } else {
        connection.edges.push(edge(kind, id, rows));
    }
    Ok(connection)
}

/// The read models for who asks when something happened at the sites of which they see the past.
fn happenings(ctx: &Context<'_>) -> View {
    let view = ctx.snapshot().view().clone();
    let scope = view.scope().happenings();
    view.within(scope)
}

/// Whether a thing is at a site of which the past is seen.
async fn is_seen(ctx: &Context<'_>, kind: &ThingKind, id: &str) -> Result<bool, Error> {
    let snapshot = ctx.snapshot().clone().in_the_past();
    let view = snapshot.view();
    if view.scope().read == Sites::All {
        return Ok(true);
    }
    let (table, key) = kind.root();
    let mut sql = view.sql("select exists (select from ");
    sql.push(view.rows(table)).push(" where ").push(key).push("::text = ").push_bind(id).push(")");
    let mut reading = snapshot.read().await?;
    sql.build_query_scalar().fetch_one(reading.connection()).await.map_err(unreadable)
}

/// Nothing changed of what there never was: that is more likely a wrong id.
async fn require_known(ctx: &Context<'_>, thing: &str) -> Result<(), Error> {
    let view = happenings(ctx);
    let mut reading = ctx.snapshot().read().await?;
    if is_known(thing, &view, reading.connection()).await.map_err(unreadable)? {
        return Ok(());
    }
    let position = reading.position().await?;
    Err(not_found("of.thing", format!("no event up to position {position} is about {thing}")))
}

async fn of_board(
    ctx: &Context<'_>,
    board: &BoardInput,
    span: Span,
    page: &Page,
) -> Result<Connection<Cursor, ThingDiff, Between, EmptyFields>, Error> {
    let kind = match board.of {
        BoardOf::Stands => "stand",
        BoardOf::Flights => "flight",
        BoardOf::Allocations => "allocation",
        BoardOf::Alerts => "alert",
        BoardOf::Passes => "pass",
    };
    let kind = ThingKind::of(kind).ok_or_else(|| fault("INTERNAL", "a board has no rows"))?;
    let after = page.after.as_deref().map(|cursor| argument("after", Cursor::read(cursor, LIST, &[Kind::Text])));
    let after = match after.transpose()?.as_deref() {
        Some([Part::Text(id)]) => Some(id.clone()),
        Some(_) | None => None,
    };
    let mut reading = ctx.snapshot().read().await?;
    let (schema, limit) = (ctx.snapshot().view().schema().as_str(), i64::from(page.limit) + 1);
    let wanted = (after.as_deref(), limit);
    // Of a site that is not seen nothing is ever touched, as of one that is not there.
    let mut ids = match ctx.snapshot().view().scope().past.contain(&board.site) {
        true => touched(schema, kind, &board.site, span, wanted, reading.connection()).await.map_err(failed)?,
        false => Vec::new(),
    };
    drop(reading);
    let more = ids.len() > usize::try_from(page.limit).unwrap_or_default();
    ids.truncate(usize::try_from(page.limit).unwrap_or_default());
    let mut rows = changed(ctx, kind, &ids, span).await?;
    let mut connection = connection(span, more);
    for id in ids {
        let thing = format!("{}:{id}", kind.name);
        let (its, others) = rows.into_iter().partition(|row| row.thing == thing);
        rows = others;
        connection.edges.push(edge(kind, &id, its));
    }
    Ok(connection)
}

async fn changed(ctx: &Context<'_>, kind: &ThingKind, ids: &[String], span: Span) -> Result<Vec<RowDiff>, Error> {
    let mut reading = ctx.snapshot().read().await?;
    diff(ctx.snapshot().view().schema().as_str(), kind, ids, span, reading.connection()).await.map_err(failed)
}

fn connection(span: Span, more: bool) -> Connection<Cursor, ThingDiff, Between, EmptyFields> {
    Connection::with_additional_fields(false, more, Between { from: Position(span.from), to: Position(span.to) })
}

fn edge(kind: &ThingKind, id: &str, rows: Vec<RowDiff>) -> Edge<Cursor, ThingDiff, EmptyFields> {
    let diff = ThingDiff { thing: format!("{}:{id}", kind.name), rows: rows.into_iter().map(ChangedRow).collect() };
    Edge::new(Cursor::new(LIST, &[Part::Text(id.to_owned())]), diff)
}
