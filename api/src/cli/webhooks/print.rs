//! Endpoints and deliveries, for people and for programs.

use serde_json::json;
use sqlx::types::Json;
use uuid::Uuid;
use vigie_domain::webhooks::EndpointSettings;
use vigie_integrations::webhooks::Preview;

use crate::cli::CliError;
use crate::cli::say::say;
use crate::runtime::Runtime;
use crate::webhooks::{AttemptRow, Outcome, ReplayRow, ReplayWhat, StateRow, WaitingRow, texts};

pub(super) async fn endpoints(runtime: &Runtime, json: bool) -> Result<(), CliError> {
    let rows = sqlx::query!(
        r#"select endpoint, site, state, disabled_reason, settings as "settings: Json<EndpointSettings>"
           from read.webhook_endpoints where state <> 'removed' order by endpoint"#
    );
    let rows = rows.fetch_all(&runtime.pool).await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.endpoint).collect();
    let (states, head) = (StateRow::of(&runtime.pool, &ids).await?, runtime.log.head().await?);
    for row in rows {
        let progress = states.get(&row.endpoint);
        let settings = &row.settings.0;
        if json {
            let line = json!({
                "endpoint": row.endpoint, "site": row.site, "state": row.state, "disabledReason": row.disabled_reason,
                "settings": settings, "position": progress.map(|state| state.position), "head": head,
                "waiting": progress.map(|state| state.waiting), "setAside": progress.map(|state| state.set_aside),
                "breaker": progress.map(|state| &state.breaker), "failingSince": progress.map(|state| state.failing_since), "error": progress.map(|state| &state.error),
            });
            say!("{line}");
            continue;
        }
        let types =
            if settings.filter.types.is_empty() { "*".to_owned() } else { texts(&settings.filter.types).join(" ") };
        let state = row.disabled_reason.map_or(row.state, |reason| format!("disabled ({reason})"));
        let site = row.site.unwrap_or_else(|| "everywhere".to_owned());
        say!(
            "{}  {state:<18} {site:<12} {}  {types} {}",
            row.endpoint,
            settings.target.url,
            texts(&settings.filter.tags).join(" ")
        );
        if let Some(state) = progress {
            let StateRow { position, waiting, set_aside, breaker, error, .. } = state;
            say!("    at {position} of {head}, {waiting} wait, {set_aside} set aside, breaker {breaker}");
            if let Some(error) = error {
                say!("    stands still: {error}");
            }
        }
    }
    Ok(())
}

pub(super) fn attempt(attempt: &AttemptRow, json: bool) -> Result<(), CliError> {
    if json {
        say!("{}", serde_json::to_string(attempt)?);
        return Ok(());
    }
    let AttemptRow { id, kind, attempt: number, latency_us, status, error, .. } = attempt;
    let outcome = match attempt.outcome {
        Outcome::Delivered => "delivered",
        Outcome::Failed => "failed",
        Outcome::Throttled => "throttled",
        Outcome::Gone => "gone",
    };
    let position = attempt.position.map_or_else(|| "-".to_owned(), |position| position.to_string());
    let status = status.map_or_else(|| "-".to_owned(), |status| status.to_string());
    let (at, ms, error) = (attempt.at.to_rfc3339(), latency_us / 1_000, error.as_deref().unwrap_or_default());
    say!("{id:>10}  {at}  {outcome:<9} {status:>3}  {ms:>6} ms  try {number}  {position:>10}  {kind}  {error}");
    Ok(())
}

pub(super) fn delivery(delivery: &WaitingRow, json: bool) -> Result<(), CliError> {
    if json {
        say!("{}", serde_json::to_string(delivery)?);
        return Ok(());
    }
    let WaitingRow { seq, position, attempts, next_try, reason, .. } = delivery;
    let next = next_try.map_or_else(|| "-".to_owned(), |next| next.to_rfc3339());
    let state = match delivery.state {
        crate::webhooks::WaitingState::Waiting => "waiting",
        crate::webhooks::WaitingState::SetAside => "set aside",
    };
    let reason = reason.as_deref().unwrap_or_default();
    say!("{seq:>10}  {state:<9}  {position:>10}  {attempts} attempts  next {next}  {reason}");
    Ok(())
}

pub(super) fn replay(replay: &ReplayRow, json: bool) -> Result<(), CliError> {
    if json {
        say!("{}", serde_json::to_string(replay)?);
        return Ok(());
    }
    let ReplayRow { id, what, after, until, state, sent, asked_by, reason, .. } = replay;
    let what = match what {
        ReplayWhat::Everything => "everything",
        ReplayWhat::Failed => "what failed",
        ReplayWhat::Skip => "what waits is let go",
    };
    say!("replay {id}  {state:<9}  {what}, after {after} up to {until}: {sent} so far; {asked_by}: {reason}");
    Ok(())
}

/// What was found, and what that is: events or deliveries.
pub(super) fn preview(found: &Preview, things: &str, json: bool) {
    for event in &found.events {
        if json {
            say!("{}", json!({ "position": event.position, "type": event.kind, "tags": event.tags }));
        } else {
            say!("{:>10}  {}  {}", event.position, event.kind, event.tags.join(" "));
        }
    }
    if json {
        say!("{}", json!({ "count": found.count, "until": found.until, "complete": found.complete }));
    } else {
        let more = if found.complete { "" } else { ", and perhaps more after that" };
        say!("{} {things} up to {}{more}", found.count, found.until);
    }
}
