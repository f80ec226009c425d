//! What surrounds the database: settings, disk, Redis.

use std::path::Path;
use std::time::Duration;

use redis::RedisError;
use serde_json::{Map, Value, json};

use super::report::Check;
use crate::settings::secrets::file_variable;
use crate::settings::{CONFIG, all};

/// Less than this, in bytes, is little for a log that only grows.
const LITTLE: u64 = 1024 * 1024 * 1024;

/// What the environment sets, secrets masked. That each of it can be used, and the file that it may name, has been
/// checked when the settings were read.
pub(super) fn settings() -> Check {
    let own = all().flat_map(|declared| {
        let file = declared.is_secret().then(|| file_variable(declared.variable));
        [Some((declared.variable.to_owned(), declared.is_secret())), file.map(|name| (name, false))]
    });
    let known = own.flatten().chain([(CONFIG.to_owned(), false)]);
    let set = known.filter_map(|(name, secret)| {
        let value = std::env::var(&name).ok().filter(|value| !value.is_empty())?;
        Some((name, if secret { masked(&value) } else { value }))
    });
    let set: Vec<_> = set.collect();
    let says = match set.as_slice() {
        [] => "nothing is set: all defaults".to_owned(),
        set => set.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("\n"),
    };
    let facts: Map<_, _> = set.into_iter().map(|(name, value)| (name, value.into())).collect();
    Check::fine("settings", says).with(Value::Object(facts))
}

/// A URL without its password, which stands before the `@` or in the query; of other texts nothing.
pub(super) fn masked(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return "***".to_owned() };
    let (place, query) = rest.split_once('?').map_or((rest, None), |(place, query)| (place, Some(query)));
    let place = match place.rsplit_once('@') {
        Some((who, host)) => match who.split_once(':') {
            Some((user, _)) => format!("{user}:***@{host}"),
            None => format!("{who}@{host}"),
        },
        None => place.to_owned(),
    };
    let hide = |pair: &str| match pair.split_once('=') {
        Some((key, _)) if key.to_ascii_lowercase().contains("password") => format!("{key}=***"),
        Some(_) | None => pair.to_owned(),
    };
    let query = query.map(|query| format!("?{}", query.split('&').map(hide).collect::<Vec<_>>().join("&")));
    format!("{scheme}://{place}{}", query.unwrap_or_default())
}

/// The space that is left for the data folder.
pub(super) fn disk(data: &Path) -> Check {
    let Some(existing) = data.ancestors().find(|folder| folder.exists()) else {
        return Check::doubtful("disk", format!("{} is on no disk that can be seen", data.display()));
    };
    match rustix::fs::statvfs(existing) {
        Ok(found) => {
            let free = found.f_bavail.saturating_mul(found.f_frsize);
            let says = format!("{:.1} GiB free for {}", free as f64 / LITTLE as f64, data.display());
            let check = if free < LITTLE { Check::doubtful("disk", says) } else { Check::fine("disk", says) };
            check.with(json!({ "free_bytes": free, "data": data }))
        }
        Err(error) => Check::missed("disk", &error),
    }
}

/// Redis, if one is set: does it answer a PING? Nothing depends on it, so a silent one only is to be looked at.
pub(super) async fn redis(url: Option<&str>) -> Check {
    let Some(url) = url else { return Check::off("redis", "not set; nothing needs it") };
    match tokio::time::timeout(Duration::from_secs(3), ping(url)).await {
        Ok(Ok(version)) => Check::fine("redis", format!("Redis {version} answers at {}", masked(url))),
        Ok(Err(error)) => Check::missed("redis", &error),
        Err(_) => Check::doubtful("redis", format!("{} does not answer within 3 s", masked(url))),
    }
}

async fn ping(url: &str) -> Result<String, RedisError> {
    let mut connection = redis::Client::open(url)?.get_multiplexed_async_connection().await?;
    let _: String = redis::cmd("PING").query_async(&mut connection).await?;
    let info: String = redis::cmd("INFO").arg("server").query_async(&mut connection).await?;
    let version = info.lines().find_map(|line| line.strip_prefix("redis_version:"));
    Ok(version.unwrap_or("of unknown version").trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn a_password_is_not_shown_wherever_it_stands() {
        for (text, shown) in [
            ("postgres://me:secret@host:5432/vigie", "postgres://me:***@host:5432/vigie"),
            ("postgres://me:se@cr:et@host/vigie", "postgres://me:***@host/vigie"),
            ("postgres://me@host/vigie?password=secret&host=/run", "postgres://me@host/vigie?password=***&host=/run"),
            ("redis://:secret@host/0", "redis://:***@host/0"),
            ("9f1c2e7ab04d55e1c3", "***"),
        ] {
            assert_eq!(masked(text), shown);
        }
    }
}
