//! Downloads of the audit trail and of refusals: streamed a page at a time, so that memory stays flat however much it is.

use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header as name_of};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::App;
use super::admit::Refused;
use super::graphql::refusal;
use super::negotiate::{Media, problem};
use super::request::Caller;
use crate::audit::export::{Exported, Format, header, text};
use crate::audit::{AuditFilter, AuditRow, FilterError, Listed, Order, Paged, RefusalFilter, RefusalRow, pages};
use crate::graphql::{Right, View, holds};
use crate::limits::Slot;

/// What a download costs of what its caller may spend.
const DOWNLOAD: u64 = 10_000;

/// The query string of a download.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// The filter of the same list in GraphQL, as JSON; everything without.
    filter: Option<String>,
    /// `newest` (the default) or `oldest` first.
    order: Option<String>,
}

/// `audit.csv`, `audit.jsonl`, `refusals.csv`, `refusals.jsonl`.
pub(super) async fn file(
    State(app): State<App>,
    Path(file): Path<String>,
    caller: Caller,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
) -> Response {
    if !holds(&caller, Right::Audit) {
        return problem(StatusCode::FORBIDDEN, "FORBIDDEN", "you may not look into the audit trail");
    }
    let Query(asked) = match asked {
        Ok(asked) => asked,
        Err(rejection) => return bad_request(&rejection.body_text()),
    };
    let (told, slot) = match take(&app, &caller).await {
        Ok(taken) => taken,
        Err(refused) => return refusal(Media::Json, refused),
    };
    let response = match file.as_str() {
        "audit.csv" => audit(&app, asked, Format::Csv, &file, slot).await,
        "audit.jsonl" => audit(&app, asked, Format::Jsonl, &file, slot).await,
        "refusals.csv" => refusals(&app, asked, Format::Csv, &file, slot).await,
        "refusals.jsonl" => refusals(&app, asked, Format::Jsonl, &file, slot).await,
        _ => problem(StatusCode::NOT_FOUND, "NOT_FOUND", "there are audit and refusals, as .csv and .jsonl"),
    };
    (told, response).into_response()
}

/// A download is one of the operations that its caller runs, and costs as much each time, however long it is.
async fn take(app: &App, caller: &Caller) -> Result<(HeaderMap, Slot), Refused> {
    let told = app.charge(caller, DOWNLOAD).await?;
    Ok((told, app.slot(caller, None)?))
}

async fn audit(app: &App, asked: Asked, format: Format, name: &str, slot: Slot) -> Response {
    match read::<AuditFilter>(asked.filter.as_deref(), AuditFilter::check) {
        Ok(filter) => download::<AuditRow>(app, filter, asked.order.as_deref(), format, name, slot).await,
        Err(problem) => bad_request(&problem),
    }
}

async fn refusals(app: &App, asked: Asked, format: Format, name: &str, slot: Slot) -> Response {
    match read::<RefusalFilter>(asked.filter.as_deref(), RefusalFilter::check) {
        Ok(filter) => download::<RefusalRow>(app, filter, asked.order.as_deref(), format, name, slot).await,
        Err(problem) => bad_request(&problem),
    }
}

fn read<F: DeserializeOwned + Default>(
    text: Option<&str>,
    check: impl Fn(&F) -> Result<(), FilterError>,
) -> Result<F, String> {
    let Some(text) = text else { return Ok(F::default()) };
    let filter: F = serde_json::from_str(text).map_err(|error| format!("filter is not a filter: {error}"))?;
    check(&filter).map_err(|error| format!("filter.{error}"))?;
    Ok(filter)
}

async fn download<R: Listed + Exported + Sync>(
    app: &App,
    filter: R::Filter,
    order: Option<&str>,
    format: Format,
    name: &str,
    slot: Slot,
) -> Response {
    let order = match order {
        None | Some("newest") => Order::NewestFirst,
        Some("oldest") => Order::OldestFirst,
        Some(other) => return bad_request(&format!("order is newest or oldest, not {other:?}")),
    };
    let services = app.services();
    let view = View::now(services.schema.clone());
    let asked = async {
        let mut connection = services.pool.acquire().await?;
        match Paged::<R>::new(filter, order, &view, &mut connection).await? {
            Ok(paged) => paged.ending(&view, &mut connection).await.map(Ok),
            Err(error) => Ok(Err(error)),
        }
    };
    let paged = match asked.await {
        Ok(Ok(paged)) => paged,
        Ok(Err(error)) => return bad_request(&format!("filter.{error}")),
        Err(error) => return unavailable(&error),
    };
    let rows = pages(paged, view, services.pool.clone());
    let body = stream::once(async move { Ok(header::<R>(format)) })
        .chain(rows.map_ok(move |rows| {
            // Taken until the last page is read.
            let _taken = &slot;
            text(format, &rows)
        }))
        .map_ok(Bytes::from)
        // What has been sent cannot be taken back: the connection breaks, and the client sees that the end is missing.
        .inspect_err(|error: &sqlx::Error| tracing::error!(error = %error, "a download has ended early"));
    let attachment = format!("attachment; filename=\"{name}\"");
    let headers = [(name_of::CONTENT_TYPE, format.content_type()), (name_of::CONTENT_DISPOSITION, attachment.as_str())];
    (headers, Body::from_stream(body)).into_response()
}

fn bad_request(message: &str) -> Response {
    problem(StatusCode::BAD_REQUEST, "BAD_REQUEST", message)
}

fn unavailable(error: &sqlx::Error) -> Response {
    tracing::error!(error = %error, "the audit trail could not be read");
    problem(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", "the audit trail could not be read")
}
