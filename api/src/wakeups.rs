//! Processes wake each other through Redis.
//!
//! Each tells the others how far it has seen the log; who hears of a position that it has not seen looks at once instead
//! of at its next poll. The message is a hint: nothing is read from it, and without Redis, or while Redis is away,
//! polling alone does the work.

use std::time::Duration;

use futures_util::StreamExt;
use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use tokio_util::sync::CancellationToken;
use vigie_eventlog::Log;

/// How long to leave Redis alone after it failed, at first and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(30));

/// Tells and hears until `stop`. `database` names the log, so that several can share a Redis.
pub async fn run(client: redis::Client, database: String, log: Log, stop: CancellationToken) {
    let channel = format!("vigie:{database}:position");
    let mut pause = PAUSE.0;
    while !stop.is_cancelled() {
        let result = tokio::select! {
            result = exchange(&client, &channel, &log, &mut pause) => result,
            () = stop.cancelled() => return,
        };
        if let Err(error) = result {
            tracing::warn!(error = %error, "Redis does not answer; other processes are noticed by polling");
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(PAUSE.1),
            () = stop.cancelled() => return,
        }
    }
}

async fn exchange(
    client: &redis::Client,
    channel: &str,
    log: &Log,
    pause: &mut Duration,
) -> Result<(), redis::RedisError> {
    let mut publisher = client.get_multiplexed_async_connection().await?;
    let mut subscription = client.get_async_pubsub().await?;
    subscription.subscribe(channel).await?;
    *pause = PAUSE.0;
    let mut messages = subscription.into_on_message();
    let mut seen = log.seen();
    let mut heard = 0;
    loop {
        tokio::select! {
            message = messages.next() => {
                let Some(message) = message else { return Ok(()) };
                heard = message.get_payload::<i64>().unwrap_or_default().max(heard);
                if heard > *seen.borrow() {
                    log.hint();
                }
            }
            changed = seen.changed() => {
                if changed.is_err() {
                    return Ok(());
                }
                let position = *seen.borrow_and_update();
                tell(&mut publisher, channel, position, heard).await?;
            }
        }
    }
}

/// Tells the others, unless they told us.
async fn tell(
    publisher: &mut MultiplexedConnection,
    channel: &str,
    position: i64,
    heard: i64,
) -> Result<(), redis::RedisError> {
    if position > heard {
        publisher.publish::<_, _, ()>(channel, position).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
