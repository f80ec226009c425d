//! Read models: every row is what the log says.

use std::collections::BTreeMap;

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
        for difference in &verified.differences {
            checked.broken(violation(difference, history));
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
    if stored.len() != history.alerts.all.len() {
        let says = format!("{} alerts in the read model, {} in the log", stored.len(), history.alerts.all.len());
        checked.broken(Violation::new(PROMISE, 0, says));
    }
    Ok(())
}

/// A difference with the events that the row and the fold come from.
fn violation(difference: &Difference, history: &History) -> Violation {
    let Difference { table, key, field, stored, expected } = difference;
    let says = match field {
        Some(field) => format!("{table} {key}: {field} is {stored}, and {expected} by the log"),
        None if stored.is_null() => format!("{table} {key}: the row is missing"),
        None => format!("{table} {key}: the row should not be there"),
    };
    let position = |value: &serde_json::Value| value.as_i64().or_else(|| value.get("position")?.as_i64());
    let told = field.as_deref().is_none_or(|field| field == "position");
    let positions = [key, stored, expected].into_iter().filter_map(position).filter(|_| told);
    let mut positions: Vec<i64> = positions.collect();
    positions.dedup();
    let at = positions.last().copied().unwrap_or_default();
    Violation::new(PROMISE, at, says).with_all("event", positions.into_iter().map(|at| history.show(at)))
}
