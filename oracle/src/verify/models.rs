//! Read models: every row is what the log says.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use vigie_eventlog::Log;
use vigie_projections::{Difference, MODELS, verify};

use super::history::History;
use super::{Checked, Violation};
use crate::Fault;

const PROMISE: &str = "every read model row equals the fold of the log";

/// Folds the log anew and compares; and once more, for the alerts, by a fold of our own.
pub(super) async fn check(pool: &PgPool, log: &Log, history: &History, checked: &mut Checked) -> Result<(), Fault> {
    for model in MODELS {
        let verified = verify(pool, log, model.name, &|_| {}, &CancellationToken::new()).await?;
        checked.count("rows of read models, equal to the fold of the log", usize::try_from(verified.rows)?);
        for ((table, key), differences) in rows(&verified.differences) {
            checked.broken(violation(&table, &key, &differences, history));
        }
    }
    let rows = sqlx::query!("select alert, status from read.alerts").fetch_all(pool).await?;
    let stored: BTreeMap<String, String> = rows.into_iter().map(|row| (row.alert.to_string(), row.status)).collect();
    for (alert, (status, at)) in &history.alerts.all {
        let found = stored.get(&alert.to_string());
        if found.map(String::as_str) != Some(*status) {
            let says = format!("alert {alert} is {status} by the log and {found:?} in the read model");
            checked.broken(Violation::new(PROMISE, *at, says).with("event", history.show(*at)));
        }
    }
    let known: BTreeSet<String> = history.alerts.all.keys().map(ToString::to_string).collect();
    for alert in stored.keys().filter(|alert| !known.contains(*alert)) {
        let says = format!("alert {alert} is in the read model, and no event of the log has raised it");
        checked.broken(Violation::new(PROMISE, i64::MAX, says));
    }
    Ok(())
}

/// The rows that differ, each with its differences.
fn rows(differences: &[Difference]) -> BTreeMap<(String, String), Vec<&Difference>> {
    let mut rows: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for difference in differences {
        rows.entry((difference.table.clone(), difference.key.to_string())).or_default().push(difference);
    }
    rows
}

/// A row that differs, with the last event in it and the last event that should be.
fn violation(table: &str, key: &str, differences: &[&Difference], history: &History) -> Violation {
    let position = |value: &Value| value.as_i64().or_else(|| value.get("position")?.as_i64());
    let tells = |difference: &&&Difference| difference.field.as_deref().is_none_or(|field| field == "position");
    let place = differences.iter().find(tells);
    let events = place.iter().flat_map(|place| [("stored", &place.stored), ("expected", &place.expected)]);
    let events = events.filter_map(|(which, value)| position(value).map(|at| (which, at)));
    let events: Vec<(&str, i64)> = events.collect();
    let at = events.last().map_or(i64::MAX, |(_, at)| *at);
    let lines = differences.iter().map(|difference| match &difference.field {
        Some(field) => format!("{field} is {}, and {} by the log", difference.stored, difference.expected),
        None if difference.stored.is_null() => "the row is missing".to_owned(),
        None => "the row should not be there".to_owned(),
    });
    let violation = Violation::new(PROMISE, at, format!("{table} {key}")).with_all("row", lines);
    events.into_iter().fold(violation, |violation, (which, at)| violation.with(which, history.show(at)))
}
