//! The buckets in Redis.
//!
//! One script does a whole charge, by the clock of Redis, so that processes neither race nor need to agree on the time.
//! A bucket that nobody looks at for as long as it takes to fill up is forgotten, which is the same as full.

use std::sync::{Arc, LazyLock, PoisonError, RwLock};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisError, Script};
use tokio::sync::Notify;

use super::Outcome;

/// How long a charge may take; then the process decides by itself.
const PATIENCE: Duration = Duration::from_millis(100);
/// How long connecting may take.
const CONNECTING: Duration = Duration::from_secs(2);
/// How long to leave Redis alone after it failed, at first and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// Levels are texts: Redis would cut what a script returns, and a Lua number in a hash, down to an integer.
static CHARGE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local time = redis.call('TIME')
        local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
        local window = tonumber(ARGV[1])
        local levels, wait = {}, 0
        for i, key in ipairs(KEYS) do
            local size, asked = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
            local kept = redis.call('HMGET', key, 'level', 'at')
            local level = size
            if kept[1] then
                local passed = math.max(0, now - tonumber(kept[2]))
                level = math.min(size, tonumber(kept[1]) + size * passed / window)
            end
            levels[i] = level
            if level < asked then
                wait = math.max(wait, (asked - level) * window / size)
            end
        end
        local left = {}
        for i, key in ipairs(KEYS) do
            if wait == 0 then
                levels[i] = levels[i] - tonumber(ARGV[2 * i + 1])
            end
            redis.call('HSET', key, 'level', string.format('%.6f', levels[i]), 'at', string.format('%.6f', now))
            redis.call('PEXPIRE', key, math.ceil(window * 1000) + 1000)
            left[i] = string.format('%.0f', math.floor(levels[i]))
        end
        return {left[1], left[2], string.format('%.0f', math.ceil(wait * 1000))}
        ",
    )
});

/// Buckets that all processes with this Redis and database share.
pub(super) struct Shared {
    prefix: String,
    link: Arc<Link>,
}

/// The connection, while there is one.
struct Link {
    open: RwLock<Option<MultiplexedConnection>>,
    lost: Notify,
}

impl Shared {
    /// Connects in the background, and again whenever the connection is lost, until this is dropped.
    pub(super) fn start(client: Client, database: &str) -> Self {
        let link = Arc::new(Link { open: RwLock::new(None), lost: Notify::new() });
        tokio::spawn(connect(client, Arc::downgrade(&link)));
        Self { prefix: format!("vigie:{database}:rate"), link }
    }

    /// Whether there is a connection.
    #[cfg(test)]
    pub(super) fn is_open(&self) -> bool {
        self.link.open.read().unwrap().is_some()
    }

    /// Charges; none when Redis does not answer in time.
    pub(super) async fn charge(&self, keys: &[String; 2], asked: [(u64, u64); 2], window: Duration) -> Option<Outcome> {
        let mut connection = self.link.open.read().unwrap_or_else(PoisonError::into_inner).clone()?;
        let mut call = CHARGE.prepare_invoke();
        // The braces put both keys on one node of a cluster.
        for key in keys {
            call.key(format!("{}:{{{}}}:{key}", self.prefix, keys[1]));
        }
        call.arg(window.as_secs_f64());
        for (size, asked) in asked {
            call.arg(size).arg(asked);
        }
        let answer = tokio::time::timeout(PATIENCE, call.invoke_async::<(u64, u64, u64)>(&mut connection)).await;
        match answer {
            Ok(Ok((caller, address, wait))) => {
                Some(Outcome { left: [caller, address], wait: (wait > 0).then(|| Duration::from_millis(wait)) })
            }
            Ok(Err(error)) => self.link.fail(&error.to_string()),
            Err(_) => self.link.fail("no answer in time"),
        }
    }
}

impl Link {
    fn fail<T>(&self, reason: &str) -> Option<T> {
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        if open.take().is_some() {
            tracing::warn!(reason, "Redis does not answer; this process limits rates by itself");
            self.lost.notify_one();
        }
        None
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.link.lost.notify_one();
    }
}

/// Keeps a link open. Ends when nobody has the link any more.
async fn connect(client: Client, link: std::sync::Weak<Link>) {
    let mut pause = PAUSE.0;
    loop {
        match opened(&client).await {
            Ok(connection) => {
                let Some(link) = link.upgrade() else { return };
                pause = PAUSE.0;
                *link.open.write().unwrap_or_else(PoisonError::into_inner) = Some(connection);
                tracing::info!("rates are limited through Redis");
                link.lost.notified().await;
            }
            Err(error) => tracing::debug!(error = %error, "Redis does not answer"),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE.1);
        if link.strong_count() == 0 {
            return;
        }
    }
}

/// A connection that answers, with the script loaded.
async fn opened(client: &Client) -> Result<MultiplexedConnection, RedisError> {
    let config =
        AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECTING)).set_response_timeout(Some(CONNECTING));
    let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
    CHARGE.load_async(&mut connection).await?;
    Ok(connection)
}
