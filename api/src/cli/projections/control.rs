//! `vigie projections pause`, `resume`, `retry`, `skip` and `history`.

use std::process::ExitCode;

use serde_json::json;
use uuid::Uuid;
use vigie_commands::Order;
use vigie_domain::kernel::Note;
use vigie_projections::control::{self, By, Changed, Operation};

use super::Desk;
use crate::cli::Outcome;
use crate::cli::say::say;
use crate::operate::{EventName, Skipping, find_event, skip, stopped_by};

impl Desk {
    pub(super) async fn pause(&self, names: &[String], reason: &Note) -> Outcome {
        let by = By::new(&self.actor, reason.as_str());
        for name in names {
            let changed = control::pause(&self.runtime.pool, name, &by).await?;
            self.tell(name, changed, ("paused", "was paused already"))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    pub(super) async fn resume(&self, names: &[String], reason: &Note) -> Outcome {
        let by = By::new(&self.actor, reason.as_str());
        for name in names {
            let changed = control::resume(&self.runtime.pool, name, &by).await?;
            self.tell(name, changed, ("goes on", "was not paused"))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    pub(super) async fn retry(&self, names: &[String], reason: &Note) -> Outcome {
        let by = By::new(&self.actor, reason.as_str());
        for name in names {
            let changed = control::retry(&self.runtime.pool, name, &by).await?;
            self.tell(name, changed, ("tries again", "was not stopped"))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn tell(&self, name: &str, changed: Changed, (now, already): (&str, &str)) -> Result<(), serde_json::Error> {
        if self.json {
            say!("{}", serde_json::to_string(&json!({ "name": name, "changed": changed == Changed::Now }))?);
        } else {
            say!("{name}: {}", if changed == Changed::Now { now } else { already });
        }
        Ok(())
    }

    pub(super) async fn skip(&self, event: EventName, reason: &Note, names: &[String]) -> Outcome {
        let runtime = &self.runtime;
        let event = find_event(&runtime.log, &runtime.pool, event).await?;
        let names = if names.is_empty() { stopped_by(&runtime.pool, event.position).await? } else { names.to_vec() };
        let (pool, executor, reason) = (&runtime.pool, &runtime.executor, reason.clone());
        let skipping = Skipping { pool, executor, event: &event, reason };
        for name in &names {
            let done = skip(&skipping, name, Order::new(Uuid::now_v7(), &self.actor)).await?;
            if self.json {
                let (position, recorded) = (done.answer.position, done.position);
                let told =
                    json!({ "name": name, "position": position, "recorded": recorded, "earlier": done.answer.earlier });
                say!("{}", serde_json::to_string(&told)?);
            } else if let Some(earlier) = &done.answer.earlier {
                say!("{name}: {} has skipped the event at position {} already", earlier.by, event.position);
            } else {
                say!("{name}: skips the event at position {}, recorded at {}", event.position, done.position);
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    pub(super) async fn history(&self, name: Option<&str>, limit: i64) -> Outcome {
        for operation in control::operations(&self.runtime.pool, name, limit).await? {
            if self.json {
                say!("{}", serde_json::to_string(&operation)?);
                continue;
            }
            let Operation { at, name, operation, actor, reason, position, until, .. } = operation;
            let at = at.format("%Y-%m-%d %H:%M:%SZ");
            let until = until.map(|until| format!(" until {until}")).unwrap_or_default();
            say!("{at}  {name:<18} {:<14} at {position}{until} by {actor}  {reason}", operation.as_str());
        }
        Ok(ExitCode::SUCCESS)
    }
}
