//! Waits until everybody has caught up with a log that nobody calls on any more.

use std::time::{Duration, Instant};

use sqlx::PgPool;
use vigie_commands::policies;
use vigie_domain::policies::ALL;
use vigie_eventlog::Log;
use vigie_projections::{State, status};

use crate::Fault;

/// How long policies and read models may stand still before the end of the log.
const PATIENCE: Duration = Duration::from_secs(30);

/// The system at rest.
pub(crate) struct Rest {
    /// The last position.
    pub(crate) head: i64,
    /// Who has not caught up, and why.
    pub(crate) complaints: Vec<String>,
}

/// Waits until policies and read models are at the head, which does not move any more.
pub(crate) async fn settle(pool: &PgPool, log: &Log) -> Result<Rest, Fault> {
    let (mut moved, mut last, mut calm) = (Instant::now(), Vec::new(), 0);
    loop {
        let head = log.head().await?;
        let (behind, stopped) = behind(pool, head).await?;
        calm = if behind.is_empty() && log.head().await? == head { calm + 1 } else { 0 };
        // A policy that was just taken over may still be at a fact: it has moved the head by the next look.
        if calm == 3 {
            return Ok(Rest { head, complaints: Vec::new() });
        }
        if behind != last {
            (moved, last) = (Instant::now(), behind.clone());
        }
        if moved.elapsed() > PATIENCE || (stopped && !behind.is_empty()) {
            return Ok(Rest { head, complaints: behind });
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Who is behind, with reasons; whether all of them have stopped for good.
async fn behind(pool: &PgPool, head: i64) -> Result<(Vec<String>, bool), Fault> {
    let (mut behind, mut stopped) = (Vec::new(), true);
    let known = policies::status(pool).await?;
    for policy in ALL {
        match known.iter().find(|status| status.name == policy.name()) {
            Some(status) if status.position >= head => {}
            found => {
                stopped = false;
                behind.push(format!("policy {} is not at {head}: {found:?}", policy.name()));
            }
        }
    }
    for model in status(pool).await? {
        if model.position < head {
            stopped &= model.state == State::Stopped;
            let why = model.error.unwrap_or_default();
            behind.push(format!("read model {} is at {} and not at {head}: {why}", model.name, model.position));
        }
    }
    Ok((behind, stopped))
}
