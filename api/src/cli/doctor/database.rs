//! The database: server, migrations, log, read models.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgPool};
use vigie_eventlog::MIGRATOR;
use vigie_eventlog::database::as_application;
use vigie_projections::State;

use super::machine::masked;
use super::report::{Check, Report};
use crate::runtime::Logins;
use crate::settings::Settings;
use crate::webhooks::{WebhookError, sealed};

/// A read model that is further behind than this, in seconds, is to be looked at.
const LATE: f64 = 10.0;

/// The database of the settings' URLs.
pub(super) async fn check_url(report: &mut Report, url: &str, settings: &Settings) {
    match Logins::of(url, settings.migration_database_url.as_deref()) {
        Ok(logins) => check(report, &logins, &masked(url), settings, None).await,
        Err(error) => report.add(Check::failed("postgres", &error)),
    }
}

/// The database of these logins, and what Vigie has in it. `data` is where the private Postgres has its data.
pub(super) async fn check(report: &mut Report, logins: &Logins, place: &str, settings: &Settings, data: Option<&Path>) {
    let pool = match reach(logins.owner.clone()).await {
        Ok(pool) => pool,
        Err(error) => return report.add(Check::failed("postgres", &error)),
    };
    report.add(server(&pool, place).await.unwrap_or_else(|error| Check::failed("postgres", &error)));
    match migrations(&pool).await {
        Ok((check, migrated)) => {
            report.add(check);
            if migrated {
                report.add(log(&pool).await.unwrap_or_else(|error| Check::failed("log", &error)));
                report
                    .add(role(&logins.application).await.unwrap_or_else(|error| Check::failed("role", error.as_ref())));
                projections(report, &pool).await;
                let secrets = webhook_secrets(&pool, settings, data).await;
                report.add(secrets.unwrap_or_else(|error| Check::failed("webhook keys", &error)));
            }
        }
        Err(error) => report.add(Check::failed("migrations", &error)),
    }
    pool.close().await;
}

/// A pool of one. First a connection without it: a pool goes on trying, and does not tell what was in the way.
async fn reach(options: PgConnectOptions) -> Result<PgPool, sqlx::Error> {
    let late = |_| sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, "no answer within 5 s"));
    tokio::time::timeout(Duration::from_secs(5), options.connect()).await.map_err(late)??.close().await?;
    PgPoolOptions::new().max_connections(1).connect_with(options).await
}

async fn server(pool: &PgPool, place: &str) -> Result<Check, sqlx::Error> {
    let found = sqlx::query!(
        r#"select current_setting('server_version') as "version!", current_setting('fsync') as "fsync!",
                  current_setting('synchronous_commit') as "synchronous_commit!",
                  current_setting('full_page_writes') as "full_page_writes!",
                  current_setting('data_checksums') as "data_checksums!",
                  current_setting('max_connections')::integer as "max_connections!",
                  pg_database_size(current_database()) as "bytes!""#
    )
    .fetch_one(pool)
    .await?;
    let settings = [
        ("fsync", &found.fsync),
        ("synchronous_commit", &found.synchronous_commit),
        ("full_page_writes", &found.full_page_writes),
    ];
    let off: Vec<_> = settings.iter().filter(|(_, value)| *value == "off").map(|(name, _)| *name).collect();
    let says = format!("PostgreSQL {}, {place}", found.version);
    let check = if off.is_empty() {
        Check::fine("postgres", format!("{says}; durable"))
    } else {
        Check::doubtful("postgres", format!("{says}; NOT durable: {} is off", off.join(", ")))
    };
    Ok(check.with(json!({
        "version": found.version,
        "fsync": found.fsync,
        "synchronous_commit": found.synchronous_commit,
        "full_page_writes": found.full_page_writes,
        "data_checksums": found.data_checksums,
        "max_connections": found.max_connections,
        "database_bytes": found.bytes,
    })))
}

/// What was applied, and whether there is anything of Vigie's to look at.
async fn migrations(pool: &PgPool) -> Result<(Check, bool), sqlx::Error> {
    let ours: BTreeSet<i64> = MIGRATOR.iter().map(|migration| migration.version).collect();
    // The table is the migrator's own, made by its first run: a query that is checked at build time cannot know it.
    let made = sqlx::query_scalar!(r#"select to_regclass('_sqlx_migrations') is not null as "made!""#);
    let applied: Vec<(i64, bool)> = match made.fetch_one(pool).await? {
        true => {
            sqlx::query_as("select version, success from _sqlx_migrations order by version").fetch_all(pool).await?
        }
        false => Vec::new(),
    };
    let done: BTreeSet<i64> = applied.iter().filter(|(_, success)| *success).map(|(version, _)| *version).collect();
    let pending: Vec<_> = ours.difference(&done).copied().collect();
    let unknown: Vec<_> = done.difference(&ours).copied().collect();
    let facts = json!({ "applied": done, "pending": pending, "unknown": unknown });
    let check = if !unknown.is_empty() {
        Check::doubtful("migrations", format!("{unknown:?} are of a newer version of vigie, which this one refuses"))
    } else if !pending.is_empty() {
        Check::doubtful("migrations", format!("{} applied, {pending:?} at the next start", done.len()))
    } else {
        Check::fine("migrations", format!("{} applied", done.len()))
    };
    Ok((check.with(facts), pending.is_empty()))
}

/// As whom the program runs, and what that role may do to the log.
async fn role(login: &PgConnectOptions) -> Result<Check, Box<dyn std::error::Error>> {
    let pool = reach(as_application(login).await?).await?;
    let found = sqlx::query!(
        r#"select current_user::text as "role!", session_user::text as "login!",
                  coalesce(string_agg(p.name || ' on ' || t.name, ', ' order by t.name, p.name), '') as "may!"
           from unnest(array['event', 'event_tag', 'command']) t(name)
           join unnest(array['insert', 'update', 'delete', 'truncate']) p(name)
             on has_table_privilege(t.name, p.name)"#
    )
    .fetch_one(&pool)
    .await?;
    pool.close().await;
    let says =
        if found.role == found.login { found.role.clone() } else { format!("{}, as {}", found.login, found.role) };
    let check = if found.may.is_empty() {
        Check::fine("role", format!("{says}: append-only, may read the log and add to it through log_append alone"))
    } else {
        let problem = "only triggers keep the log append-only; docs/operations.md says how to set up roles";
        Check::doubtful("role", format!("{says}: {problem}"))
    };
    Ok(check.with(
        json!({ "role": found.role, "login": found.login, "append_only": found.may.is_empty(), "may": found.may }),
    ))
}

async fn log(pool: &PgPool) -> Result<Check, sqlx::Error> {
    let head = sqlx::query_scalar!("select position from log_head").fetch_one(pool).await?;
    let last =
        sqlx::query_scalar!("select recorded_at from event where position = $1", head).fetch_optional(pool).await?;
    let says = match last {
        Some(at) => format!("{head} events, the last one recorded at {}", at.format("%Y-%m-%d %H:%M:%SZ")),
        None => "empty".to_owned(),
    };
    Ok(Check::fine("log", says).with(json!({ "head": head, "last_recorded_at": last })))
}

async fn projections(report: &mut Report, pool: &PgPool) {
    let models = match vigie_projections::status(pool).await {
        Ok(models) => models,
        Err(error) => return report.add(Check::failed("read models", &error)),
    };
    let facts = json!(models);
    let stopped: Vec<_> = models.iter().filter(|model| model.state == State::Stopped).collect();
    let late: Vec<_> = models.iter().filter(|model| model.lag_seconds > LATE).collect();
    let check = if !stopped.is_empty() {
        let each = stopped.iter().map(|model| {
            let at = model.error_position.map_or_else(String::new, |position| format!(" at event {position}"));
            format!("{} has stopped{at}: {}", model.name, model.error.as_deref().unwrap_or("it does not say why"))
        });
        Check::doubtful("read models", each.collect::<Vec<_>>().join("\n"))
    } else if !late.is_empty() {
        let each = late.iter().map(|model| format!("{} is {} events behind", model.name, model.lag_events));
        Check::doubtful("read models", each.collect::<Vec<_>>().join("\n") + "\nthey move while `vigie serve` runs")
    } else {
        let lag = models.iter().map(|model| model.lag_events).max().unwrap_or(0);
        Check::fine("read models", format!("{} follow the log, the last one {lag} events behind", models.len()))
    };
    report.add(check.with(facts));
}

/// Whether the secrets of the endpoints open: nothing is delivered to one whose secrets do not.
async fn webhook_secrets(pool: &PgPool, settings: &Settings, data: Option<&Path>) -> Result<Check, WebhookError> {
    let (enabled, closed) = sealed(pool, settings, data).await?;
    let facts =
        json!({ "enabled": enabled, "closed": closed.iter().map(|(endpoint, _)| endpoint).collect::<Vec<_>>() });
    let check = if closed.is_empty() {
        Check::fine("webhook keys", format!("endpoints that are enabled: {enabled}; their secrets open"))
    } else {
        let each = closed.iter().map(|(endpoint, error)| format!("endpoint {endpoint}: {error}"));
        let says = each.chain(["nothing is delivered to them: VIGIE_WEBHOOK_KEY".to_owned()]);
        Check::failed("webhook keys", &io::Error::other(says.collect::<Vec<_>>().join("\n")))
    };
    Ok(check.with(facts))
}
