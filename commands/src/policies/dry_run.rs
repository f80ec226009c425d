//! What a policy would do with facts of the past, without doing it.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use uuid::Uuid;
use vigie_domain::policies::{Policy, Reaction, TimerChange, command_id, timer_command_id};
use vigie_eventlog::{History, Log, LogError, Query, Recorded};

use super::Halt;
use super::skip::skips_after;
use crate::views::fact;

/// A command that the policy would give, or a timer that it would set or cancel.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Planned {
    /// Position of the fact.
    pub position: i64,
    /// Its type.
    pub event: String,
    /// When it happened.
    pub occurred_at: DateTime<Utc>,
    /// What would follow.
    pub kind: PlannedKind,
    /// The command with what it says; none when a timer is cancelled.
    pub reaction: Option<Reaction>,
    /// The id under which it would be given.
    pub command_id: Option<Uuid>,
    /// Where that command's events are, if it was carried out and recorded some.
    pub recorded_at: Option<i64>,
}

/// What would follow from a fact.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PlannedKind {
    /// A command, at once.
    Command,
    /// A command, when the time comes and nothing has cancelled it.
    Timer {
        /// What it is about.
        key: String,
        /// When.
        due: DateTime<Utc>,
    },
    /// No command: the timer is forgotten.
    Cancel {
        /// What it is about.
        key: String,
    },
}

/// Why a dry run ended early.
#[derive(Debug, thiserror::Error)]
pub enum DryRunError {
    /// The log could not be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A fact cannot be read.
    #[error("the event at position {position} cannot be read")]
    Event {
        /// Where it is.
        position: i64,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl From<Halt> for DryRunError {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Event { position, source } => Self::Event { position, source },
            Halt::Log(error) => Self::Log(error),
            Halt::Told | Halt::Lost(_) => Self::Log(LogError::Closed),
        }
    }
}

/// Shows facts to a policy, and says what it would do.
pub struct DryRun {
    policy: &'static dyn Policy,
    log: Log,
    after: i64,
    history: History,
    /// The positions that people have told it to leave out; not known before the first fact.
    skips: Option<HashSet<i64>>,
}

impl DryRun {
    /// Facts in `(after, until]`. Nothing is changed.
    #[must_use]
    pub fn new(policy: &'static dyn Policy, log: Log, after: i64, until: i64) -> Self {
        let history = log.history(Query::kinds(policy.kinds().iter().copied()), after, until);
        Self { policy, log, after, history, skips: None }
    }

    /// What would follow from the next facts, in order; `None` at the end.
    ///
    /// # Errors
    /// The log or a fact cannot be read.
    pub async fn next(&mut self) -> Result<Option<Vec<Planned>>, DryRunError> {
        let Some(events) = self.history.next().await? else { return Ok(None) };
        let skips = match self.skips.take() {
            Some(skips) => skips,
            None => skips_after(&self.log, self.policy.name(), self.after).await?,
        };
        let mut planned = Vec::new();
        for recorded in events.into_iter().filter(|recorded| !skips.contains(&recorded.position)) {
            for mut one in plan(self.policy, &recorded)? {
                if let Some(id) = one.command_id {
                    one.recorded_at = self.log.appended(id).await?.map(|appended| appended.first);
                }
                planned.push(one);
            }
        }
        self.skips = Some(skips);
        Ok(Some(planned))
    }
}

fn plan(policy: &dyn Policy, recorded: &Recorded) -> Result<Vec<Planned>, DryRunError> {
    let position = recorded.position;
    let fact = fact(recorded).map_err(|source| DryRunError::Event { position, source: Box::new(source) })?;
    let planned = |kind, reaction, command_id| Planned {
        position,
        event: recorded.kind.clone(),
        occurred_at: recorded.occurred_at,
        kind,
        reaction,
        command_id,
        recorded_at: None,
    };
    let commands = policy.react(&fact).into_iter().enumerate().map(|(index, reaction)| {
        planned(PlannedKind::Command, Some(reaction), Some(command_id(policy.name(), recorded.id, index)))
    });
    let timers = policy.timers(&fact).into_iter().enumerate().map(|(index, change)| match change {
        TimerChange::Set(timer) => {
            let kind = PlannedKind::Timer { key: timer.key, due: timer.due };
            planned(kind, Some(timer.reaction), Some(timer_command_id(policy.name(), recorded.id, index)))
        }
        TimerChange::Cancel(key) => planned(PlannedKind::Cancel { key }, None, None),
    });
    Ok(commands.chain(timers).collect())
}
