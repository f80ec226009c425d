//! Lists: pages of rows in a stable order, found by key, not counted off.
//!
//! The statements are put together from fixed pieces; what comes from a caller is only ever bound.

use std::sync::Arc;

use async_graphql::connection::{Connection, Edge, EmptyFields};
use async_graphql::{Context, Error, Object, OutputType};
use sqlx::postgres::PgRow;
use sqlx::{FromRow, Postgres, QueryBuilder};

use super::context::Parts;
use super::error::argument;
use super::keyset::{Cursor, Kind, Part};
use super::page::Page;
use super::relation::View;
use super::snapshot::{Snapshot, unreadable};

/// A row of a read model that is listed.
pub(super) trait Row: for<'r> FromRow<'r, PgRow> + Send + Unpin + 'static {
    /// The table.
    const TABLE: &'static str;
    /// The columns of the order; together they are unique.
    const ORDER: &'static [(&'static str, Kind)];
    /// Whether the largest key comes first.
    const NEWEST_FIRST: bool = false;
    /// The values in the order's columns.
    fn key(&self) -> Vec<Part>;
}

/// Adds `and …` for everything that the rows must satisfy.
pub(super) type Filter = Arc<dyn Fn(&mut QueryBuilder<Postgres>, &View) + Send + Sync>;

/// How many rows there are in all; counted only when it is asked for.
pub(crate) struct Counted {
    table: &'static str,
    filter: Filter,
}

impl Counted {
    /// The rows of `table` that `filter` lets through.
    pub(super) fn of(table: &'static str, filter: Filter) -> Self {
        Self { table, filter }
    }
}

#[Object]
impl Counted {
    /// Rows that the filter lets through, on all pages.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<i64, Error> {
        let view = ctx.snapshot().view();
        let mut sql = view.sql("select count(*) from ");
        sql.push(view.table(self.table)).push(" where true");
        (self.filter)(&mut sql, view);
        let mut reading = ctx.snapshot().read().await?;
        let count = sql.build_query_scalar().fetch_one(reading.connection()).await;
        count.map_err(unreadable)
    }
}

/// A list as it is answered.
pub(super) type List<T> = Connection<Cursor, T, Counted, EmptyFields>;

/// One page of the rows that `filter` lets through.
pub(super) async fn list<R: Row, T: OutputType + From<R>>(
    ctx: &Context<'_>,
    page: Page,
    filter: Filter,
) -> Result<List<T>, Error> {
    let (rows, more) = found::<R>(ctx.snapshot(), &page, &filter).await?;
    Ok(connection(rows, more, &page, Counted { table: R::TABLE, filter }))
}

/// The rows of one page, in the list's order.
pub(super) async fn rows<R: Row>(snapshot: &Snapshot, page: &Page, filter: &Filter) -> Result<Vec<R>, Error> {
    found(snapshot, page, filter).await.map(|(rows, _)| rows)
}

/// The rows of one page, in the list's order, and whether there are more in its direction.
async fn found<R: Row>(snapshot: &Snapshot, page: &Page, filter: &Filter) -> Result<(Vec<R>, bool), Error> {
    let after = bound::<R>("after", page.after.as_deref())?;
    let before = bound::<R>("before", page.before.as_deref())?;
    let view = snapshot.view();
    let mut sql = view.sql("select * from ");
    sql.push(view.table(R::TABLE)).push(" where true");
    filter(&mut sql, view);
    let descending = R::NEWEST_FIRST != page.backwards;
    for (key, later) in [(&after, true), (&before, false)] {
        if let Some(key) = key {
            compare::<R>(&mut sql, key, later != R::NEWEST_FIRST);
        }
    }
    sql.push(" order by ");
    let mut columns = sql.separated(", ");
    for (column, _) in R::ORDER {
        columns.push(column).push_unseparated(if descending { " desc" } else { "" });
    }
    // In the text: a plan that is kept is made for pages of this size.
    sql.push(" limit ").push(page.limit + 1);
    let mut reading = snapshot.read().await?;
    let rows: Result<Vec<R>, _> = sql.build_query_as().fetch_all(reading.connection()).await;
    drop(reading);
    let mut rows = rows.map_err(unreadable)?;
    let limit = usize::try_from(page.limit).unwrap_or_default();
    let more = rows.len() > limit;
    rows.truncate(limit);
    if page.backwards {
        rows.reverse();
    }
    Ok((rows, more))
}

fn bound<R: Row>(name: &str, cursor: Option<&str>) -> Result<Option<Vec<Part>>, Error> {
    let kinds: Vec<Kind> = R::ORDER.iter().map(|(_, kind)| *kind).collect();
    cursor.map(|cursor| argument(name, Cursor::read(cursor, R::TABLE, &kinds))).transpose()
}

/// `and (a, b) > (…)`, in the order of the columns.
fn compare<R: Row>(sql: &mut QueryBuilder<Postgres>, key: &[Part], greater: bool) {
    let columns: Vec<&str> = R::ORDER.iter().map(|(column, _)| *column).collect();
    sql.push(" and (").push(columns.join(", ")).push(if greater { ") > (" } else { ") < (" });
    let mut values = sql.separated(", ");
    for part in key {
        match part {
            Part::Time(time) => values.push_bind(*time),
            Part::Text(text) => values.push_bind(text.clone()),
            Part::Id(id) => values.push_bind(*id),
            Part::Number(number) => values.push_bind(*number),
        };
    }
    sql.push(")");
}

fn connection<R: Row, T: OutputType + From<R>>(rows: Vec<R>, more: bool, page: &Page, counted: Counted) -> List<T> {
    let (previous, next) = if page.backwards { (more, page.before.is_some()) } else { (page.after.is_some(), more) };
    let mut connection = Connection::with_additional_fields(previous, next, counted);
    connection.edges.extend(rows.into_iter().map(|row| {
        let cursor = Cursor::new(R::TABLE, &row.key());
        Edge::new(cursor, T::from(row))
    }));
    connection
}

/// Adds `and <column> = <value>` for a value that is given.
pub(super) fn equals<T>(sql: &mut QueryBuilder<Postgres>, column: &'static str, value: Option<T>)
where
    T: for<'q> sqlx::Encode<'q, Postgres> + sqlx::Type<Postgres> + Send + 'static,
{
    if let Some(value) = value {
        sql.push(" and ").push(column).push(" = ").push_bind(value);
    }
}

/// Adds `and <column> >= <from>` and `and <column> < <to>` for the ends that are given.
pub(super) fn between<T>(sql: &mut QueryBuilder<Postgres>, column: &'static str, from: Option<T>, to: Option<T>)
where
    T: for<'q> sqlx::Encode<'q, Postgres> + sqlx::Type<Postgres> + Send + 'static,
{
    if let Some(from) = from {
        sql.push(" and ").push(column).push(" >= ").push_bind(from);
    }
    if let Some(to) = to {
        sql.push(" and ").push(column).push(" < ").push_bind(to);
    }
}
