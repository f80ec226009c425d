//! Where walks start: at an event, or at a row, whose events are those of its versions.

use std::collections::HashMap;

use sqlx::{Postgres, QueryBuilder};

use crate::graphql::relation::View;

/// The newest events of a row that a walk starts from.
pub(super) const RECENT: i64 = 1_000;
/// A table whose rows keep what they were, with the columns and types of its key.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(in crate::graphql) struct Table {
    name: &'static str,
    key: &'static [(&'static str, &'static str)],
}

impl Table {
    pub(in crate::graphql) const SITES: Self = Self { name: "sites", key: &[("site", "text")] };
    pub(in crate::graphql) const RULES: Self =
        Self { name: "turnaround_rules", key: &[("site", "text"), ("aircraft_type", "text")] };
    pub(in crate::graphql) const LIMITS: Self =
        Self { name: "spring_limits", key: &[("site", "text"), ("version", "integer")] };
    pub(in crate::graphql) const STANDS: Self = Self { name: "stands", key: &[("stand", "text")] };
    pub(in crate::graphql) const FLIGHTS: Self = Self { name: "flights", key: &[("flight", "text")] };
    pub(in crate::graphql) const ALLOCATIONS: Self = Self { name: "allocations", key: &[("allocation", "uuid")] };
    pub(in crate::graphql) const ALERTS: Self = Self { name: "alerts", key: &[("alert", "uuid")] };
    pub(in crate::graphql) const PASSES: Self = Self { name: "passes", key: &[("pass", "text")] };
    pub(in crate::graphql) const CARS: Self = Self { name: "cars", key: &[("pass", "text"), ("car", "integer")] };
    pub(in crate::graphql) const SPRINGS: Self = Self {
        name: "springs",
        key: &[("pass", "text"), ("car", "integer"), ("spring", "text"), ("quantity", "text")],
    };

    /// The relation of the positions of a row's versions, as a subquery; `value` writes what a key column must be.
    pub(super) fn push_versions(
        &self,
        sql: &mut QueryBuilder<Postgres>,
        view: &View,
        mut value: impl FnMut(&mut QueryBuilder<Postgres>, usize),
    ) {
        sql.push("(");
        for (table, union) in [("", " union all "), ("_history", ")")] {
            sql.push("select position from ")
                .push(view.schema().as_str())
                .push(".")
                .push(self.name)
                .push(table)
                .push(" where true");
            for (place, (column, kind)) in self.key.iter().enumerate() {
                sql.push(" and ").push(*column).push(" = ");
                value(sql, place);
                sql.push("::").push(*kind);
            }
            sql.push(union);
        }
    }
}

/// Where a walk starts: at one event, or at a row as it was after an event.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Of {
    /// The row, by the values of its key; none for the event alone.
    pub(super) row: Option<(&'static Table, Vec<String>)>,
    pub(super) position: i64,
    /// The newest so many of its events.
    pub(super) newest: i64,
}

impl Of {
    pub(super) fn event(position: i64) -> Self {
        Self { row: None, position, newest: 1 }
    }
}

/// Starts of the same table together.
pub(super) fn by_table<K: Clone>(starts: &[K], of: impl Fn(&K) -> &Of) -> Vec<Vec<K>> {
    let mut groups: HashMap<Option<&'static str>, Vec<K>> = HashMap::new();
    for start in starts {
        groups.entry(of(start).row.as_ref().map(|(table, _)| table.name)).or_default().push(start.clone());
    }
    groups.into_values().collect()
}

/// Adds a query for the events that the walks start from, as `start` and `position`; all starts are of one table.
pub(super) fn push_first(sql: &mut QueryBuilder<Postgres>, starts: &[&Of], view: &View) {
    let positions: Vec<i64> = starts.iter().map(|of| of.position).collect();
    let Some((table, _)) = starts.first().and_then(|of| of.row.as_ref()) else {
        sql.push("select start, position from unnest(").push_bind(positions);
        sql.push("::bigint[]) with ordinality of (position, start)");
        return;
    };
    let newest: Vec<i64> = starts.iter().map(|of| of.newest).collect();
    sql.push("select of.start, version.position from unnest(").push_bind(positions).push("::bigint[], ");
    sql.push_bind(newest).push("::bigint[]");
    for place in 0..table.key.len() {
        let value = |of: &&Of| of.row.as_ref().map(|(_, values)| values[place].clone()).unwrap_or_default();
        sql.push(", ").push_bind(starts.iter().map(value).collect::<Vec<String>>()).push("::text[]");
    }
    sql.push(") with ordinality of (position, newest");
    for place in 0..table.key.len() {
        sql.push(", key").push(place);
    }
    sql.push(", start) cross join lateral (select position from ");
    table.push_versions(sql, view, |sql, place| {
        sql.push("of.key").push(place);
    });
    sql.push(" versions where position <= of.position order by position desc limit of.newest) version");
}
