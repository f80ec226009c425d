//! Pages of rows, and one page after another with flat memory.

use futures_util::stream::{Stream, try_unfold};
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, PgPool, Postgres, QueryBuilder};

use super::{AuditFilter, AuditRow, FilterError, RefusalFilter, RefusalRow, conditions, day};
use crate::graphql::View;

/// Rows that are read at once when many are wanted.
pub(crate) const PAGE: i64 = 1_000;

/// Which end comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, async_graphql::Enum)]
#[graphql(name = "AuditOrder")]
pub(crate) enum Order {
    /// The newest first.
    #[default]
    NewestFirst,
    /// The oldest first.
    OldestFirst,
}

/// What is listed by a filter.
pub(crate) trait Listed: for<'r> FromRow<'r, PgRow> + Send + Unpin + 'static {
    /// Which ones.
    type Filter: Clone + Send + Sync + 'static;
    /// The table.
    const TABLE: &'static str;
    /// The column that orders them.
    const ORDER: &'static str;
    /// Adds `and …` for everything that the filter asks for.
    fn conditions(sql: &mut QueryBuilder<Postgres>, filter: &Self::Filter, view: &View);
    /// Where it stands in the order.
    fn place(&self) -> i64;
    /// The site, the day and a place for the day's times.
    fn day(filter: &mut Self::Filter) -> Day<'_>;
}

/// The part of a filter that follows a site's zone.
pub(crate) struct Day<'a> {
    site: Option<String>,
    day: &'a mut Option<chrono::NaiveDate>,
    from: &'a mut Option<chrono::DateTime<chrono::Utc>>,
    to: &'a mut Option<chrono::DateTime<chrono::Utc>>,
}

impl Listed for AuditRow {
    type Filter = AuditFilter;
    const TABLE: &'static str = "audit";
    const ORDER: &'static str = "position";
    fn conditions(sql: &mut QueryBuilder<Postgres>, filter: &AuditFilter, view: &View) {
        conditions::audit(sql, filter, view);
    }
    fn place(&self) -> i64 {
        self.position
    }
    fn day(filter: &mut AuditFilter) -> Day<'_> {
        let site = filter.site.as_ref().map(|site| site.0.clone());
        Day { site, day: &mut filter.day, from: &mut filter.from, to: &mut filter.to }
    }
}

impl Listed for RefusalRow {
    type Filter = RefusalFilter;
    const TABLE: &'static str = "refusal";
    const ORDER: &'static str = "id";
    fn conditions(sql: &mut QueryBuilder<Postgres>, filter: &RefusalFilter, _view: &View) {
        conditions::refusals(sql, filter);
    }
    fn place(&self) -> i64 {
        self.id
    }
    fn day(filter: &mut RefusalFilter) -> Day<'_> {
        let site = filter.site.as_ref().map(|site| site.0.clone());
        Day { site, day: &mut filter.day, from: &mut filter.from, to: &mut filter.to }
    }
}

/// A checked filter whose day, if it had one, has become times.
#[derive(Clone)]
pub(crate) struct Paged<R: Listed> {
    filter: R::Filter,
    order: Order,
    /// The last place there was when somebody asked for an end.
    last: Option<i64>,
}

impl<R: Listed> Paged<R> {
    /// Finds out when the day is.
    ///
    /// # Errors
    /// The database failed, or the site has no days.
    pub(crate) async fn new(
        mut filter: R::Filter,
        order: Order,
        view: &View,
        connection: &mut PgConnection,
    ) -> Result<Result<Self, FilterError>, sqlx::Error> {
        let asked = R::day(&mut filter);
        if let (Some(site), Some(date)) = (&asked.site, asked.day.take()) {
            match day(site, date, view, connection).await? {
                Ok((from, to)) => (*asked.from, *asked.to) = (Some(from), Some(to)),
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Ok(Self { filter, order, last: None }))
    }

    /// The same without what comes later than now.
    ///
    /// # Errors
    /// The database failed.
    pub(crate) async fn ending(self, view: &View, connection: &mut PgConnection) -> Result<Self, sqlx::Error> {
        let mut sql = view.sql("select coalesce(max(");
        sql.push(R::ORDER).push("), 0) from ").push(view.table(R::TABLE));
        let last = sql.build_query_scalar().fetch_one(connection).await?;
        Ok(Self { last: Some(last), ..self })
    }

    /// Adds `and …` for everything that is asked for.
    pub(crate) fn conditions(&self, sql: &mut QueryBuilder<Postgres>, view: &View) {
        R::conditions(sql, &self.filter, view);
    }
}

/// Whether any event is about a thing, by its tag.
///
/// # Errors
/// The database failed.
pub(crate) async fn is_known(thing: &str, view: &View, connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let mut sql = view.sql("select exists (select from ");
    sql.push(view.table("audit_things"))
        .push(" join ")
        .push(view.table("audit"))
        .push(" using (position) where thing = ");
    sql.push_bind(thing).push(")");
    sql.build_query_scalar().fetch_one(connection).await
}

/// The rows behind a place in the order, at most so many.
pub(crate) async fn page<R: Listed>(
    paged: &Paged<R>,
    view: &View,
    behind: Option<i64>,
    limit: i64,
    connection: &mut PgConnection,
) -> Result<Vec<R>, sqlx::Error> {
    let mut sql = view.sql("select * from ");
    sql.push(view.table(R::TABLE)).push(" where true");
    paged.conditions(&mut sql, view);
    let (later, order) = match paged.order {
        Order::NewestFirst => (" < ", " desc"),
        Order::OldestFirst => (" > ", ""),
    };
    if let Some(last) = paged.last {
        sql.push(" and ").push(R::ORDER).push(" <= ").push_bind(last);
    }
    if let Some(behind) = behind {
        sql.push(" and ").push(R::ORDER).push(later).push_bind(behind);
    }
    sql.push(" order by ").push(R::ORDER).push(order).push(" limit ").push_bind(limit);
    sql.build_query_as().fetch_all(connection).await
}

/// All rows, a page at a time; no transaction is held open between two pages. Rows are never changed, and what is
/// [`Paged::ending`] leaves out those that come while this goes on.
pub(crate) fn pages<R: Listed>(
    paged: Paged<R>,
    view: View,
    pool: PgPool,
) -> impl Stream<Item = Result<Vec<R>, sqlx::Error>> + Send
where
    Paged<R>: Send + Sync,
{
    try_unfold((paged, view, pool, None::<i64>, false), |(paged, view, pool, behind, over)| async move {
        if over {
            return Ok(None);
        }
        let mut connection = pool.acquire().await?;
        let rows = page(&paged, &view, behind, PAGE, &mut connection).await?;
        drop(connection);
        let Some(last) = rows.last().map(Listed::place) else { return Ok(None) };
        let over = (rows.len() as i64) < PAGE;
        Ok(Some((rows, (paged, view, pool, Some(last), over))))
    })
}
