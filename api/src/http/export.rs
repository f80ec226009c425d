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
use super::caller::Caller;
use super::graphql::refusal;
use super::negotiate::{Media, problem};
use crate::audit::export::{Exported, Format, header, text};
use crate::audit::{AuditFilter, AuditRow, FilterError, Listed, Order, Paged, RefusalFilter, RefusalRow, pages};
use crate::graphql::View;
use crate::limits::Slot;
use crate::rights::{Right, Scope};

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
    if let Err(refused) = caller.needs(Right::Audit, "a download") {
        return *refused;
    }
    let Query(asked) = match asked {
        Ok(asked) => asked,
        Err(rejection) => return bad_request(&rejection.body_text()),
    };
    let (told, slot) = match take(&app, &caller).await {
        Ok(taken) => taken,
        Err(refused) => return refusal(Media::Json, refused),
    };
    let view = View::now(app.services().schema.clone()).within(Scope::of(&caller.rights));
    let whole = Whole { app: &app, view, name: &file, slot };
    let response = match file.as_str() {
        "audit.csv" => audit(whole, asked, Format::Csv).await,
        "audit.jsonl" => audit(whole, asked, Format::Jsonl).await,
        "refusals.csv" => refusals(whole, asked, Format::Csv).await,
        "refusals.jsonl" => refusals(whole, asked, Format::Jsonl).await,
        _ => problem(StatusCode::NOT_FOUND, "NOT_FOUND", "there are audit and refusals, as .csv and .jsonl"),
    };
    (told, response).into_response()
}

/// A download is one of the operations that its caller runs, and costs as much each time, however long it is.
async fn take(app: &App, caller: &Caller) -> Result<(HeaderMap, Slot), Refused> {
    let told = app.charge(caller, DOWNLOAD).await?;
    Ok((told, app.slot(caller, None)?))
}

/// What is downloaded from.
struct Whole<'a> {
    app: &'a App,
    /// What the caller may see of it.
    view: View,
    /// The name of the file.
    name: &'a str,
    slot: Slot,
}

async fn audit(whole: Whole<'_>, asked: Asked, format: Format) -> Response {
    match read::<AuditFilter>(asked.filter.as_deref(), AuditFilter::check) {
        Ok(filter) => download::<AuditRow>(whole, filter, asked.order.as_deref(), format).await,
        Err(problem) => bad_request(&problem),
    }
}

async fn refusals(whole: Whole<'_>, asked: Asked, format: Format) -> Response {
    match read::<RefusalFilter>(asked.filter.as_deref(), RefusalFilter::check) {
        Ok(filter) => download::<RefusalRow>(whole, filter, asked.order.as_deref(), format).await,
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
    Whole { app, view, name, slot }: Whole<'_>,
    filter: R::Filter,
    order: Option<&str>,
    format: Format,
) -> Response {
    let order = match order {
        None | Some("newest") => Order::NewestFirst,
        Some("oldest") => Order::OldestFirst,
        Some(other) => return bad_request(&format!("order is newest or oldest, not {other:?}")),
    };
    let services = app.services();
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
