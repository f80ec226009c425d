//! Times as places in the log, and days as times.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{PgConnection, Postgres, QueryBuilder};
use vigie_domain::support::Zone;

use super::FilterError;
use crate::graphql::View;

/// Adds an expression for the first position that was recorded at `time` or later (after it with `exclusive`); the one
/// after the last if none was. The log's clock never goes back, so halving finds it in as many steps as the trail's
/// length has bits.
pub(super) fn push_position(sql: &mut QueryBuilder<Postgres>, view: &View, time: DateTime<Utc>, exclusive: bool) {
    let (audit, earlier) = (view.table("audit"), if exclusive { " <= " } else { " < " });
    sql.push("(with recursive search (low, high) as (select coalesce(min(position), 1), coalesce(max(position), 0) + 1 from ");
    sql.push(&audit).push(" union all select case when probe.recorded_at").push(earlier).push_bind(time);
    sql.push(" then probe.position + 1 else half.low end, case when probe.recorded_at").push(earlier).push_bind(time);
    sql.push(
        " then half.high else half.middle end from (select low, high, (low + high) / 2 as middle from search \
              where low < high) half cross join lateral (select position, recorded_at from ",
    );
    sql.push(&audit).push(
        " where position >= half.middle order by position limit 1) probe) \
                           select max(low) from search)",
    );
}

/// The last position that was recorded at `time` or before; 0 if none was.
pub(crate) async fn position_at(
    time: DateTime<Utc>,
    view: &View,
    connection: &mut PgConnection,
) -> Result<i64, sqlx::Error> {
    let mut sql = view.sql("select ");
    push_position(&mut sql, view, time, true);
    sql.push(" - 1");
    sql.build_query_scalar().fetch_one(connection).await
}

/// From the first moment of a day at a site to the first of the next.
pub(crate) async fn day(
    site: &str,
    day: NaiveDate,
    view: &View,
    connection: &mut PgConnection,
) -> Result<Result<(DateTime<Utc>, DateTime<Utc>), FilterError>, sqlx::Error> {
    let mut sql = view.sql("select zone from ");
    sql.push(view.table("sites")).push(" where site = ").push_bind(site);
    let zone: Option<String> = sql.build_query_scalar().fetch_optional(connection).await?;
    let wrong = |field, problem: String| FilterError { field, problem };
    let Some(zone) = zone.and_then(|zone| Zone::new(&zone).ok()) else {
        return Ok(Err(wrong("site", format!("{site} is not set up, so its days are not known"))));
    };
    Ok(zone.day(day).ok_or_else(|| wrong("day", "is beyond the calendar".to_owned())))
}
