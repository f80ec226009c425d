//! Where the events of a site are in the log. The audit trail has them by site, which the log itself has not.

use sqlx::{PgConnection, Postgres, QueryBuilder};

use super::filter::AtSite;
use crate::graphql::View;

/// Which positions, and how many of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) after: i64,
    pub(super) until: i64,
    pub(super) backwards: bool,
    pub(super) limit: i64,
}

impl Span {
    /// Adds the conditions and the order; an index by site has both.
    fn push(self, sql: &mut QueryBuilder<Postgres>) {
        sql.push(" and position > ").push_bind(self.after).push(" and position <= ").push_bind(self.until);
        self.push_order(sql);
    }

    fn push_order(self, sql: &mut QueryBuilder<Postgres>) {
        sql.push(if self.backwards { " order by position desc limit " } else { " order by position limit " });
        sql.push_bind(self.limit);
    }
}

/// The first positions of what is wanted at these sites, in the order of the span; each site costs as many rows as are
/// asked for, whatever else the log holds.
pub(super) async fn positions(
    wanted: &[AtSite],
    span: Span,
    view: &View,
    connection: &mut PgConnection,
) -> Result<Vec<i64>, sqlx::Error> {
    let mut found = Vec::new();
    for at in wanted {
        found.extend(at_site(at, span, view, connection).await?);
    }
    found.sort_unstable_by_key(|position| if span.backwards { -position } else { *position });
    found.truncate(usize::try_from(span.limit).unwrap_or_default());
    Ok(found)
}

async fn at_site(at: &AtSite, span: Span, view: &View, connection: &mut PgConnection) -> Result<Vec<i64>, sqlx::Error> {
    let view = view.clone().within(at.scope());
    let (mut sql, audit) = (view.sql("select position from "), view.table("audit"));
    match &at.kinds {
        None => {
            sql.push(audit).push(" where true").push(at.condition());
            span.push(&mut sql);
        }
        // Type by type, so that each is looked up and none is walked through in search of another.
        Some(kinds) => {
            sql.push("unnest(")
                .push_bind(kinds.clone())
                .push(") asked (kind) cross join lateral (select position from ");
            sql.push(audit).push(" where type = asked.kind");
            span.push(&mut sql);
            sql.push(") found");
            span.push_order(&mut sql);
        }
    }
    sql.build_query_scalar().fetch_all(connection).await
}
