//! Callers that append straight to the log, under boundaries that others keep changing.

use std::path::PathBuf;

use serde_json::Value;
use uuid::Uuid;
use vigie_eventlog::{Append, AppendError, Appended, Log, LogError, Read};

use super::Calls;
use crate::Fault;
use crate::dice::Dice;
use crate::ledger::{Intent, Ledger, Line, Told, read};
use crate::plan::{Bound, Plan};

/// How often an append is sent under one command id before its caller loses interest.
const ATTEMPTS: u32 = 4;

struct Appender {
    log: Log,
    ledger: Ledger,
    dice: Dice,
    calls: Calls,
}

/// Appends until it is over. What an earlier process has sent without hearing of it is sent again first.
pub(super) async fn run(log: Log, file: PathBuf, generation: u32, dice: Dice, calls: Calls) -> Result<(), Fault> {
    let pending = pending(&file)?;
    let mut ledger = Ledger::open(&file)?;
    ledger.write(&Line::Started { generation })?;
    let mut appender = Appender { log, ledger, dice, calls };
    if let Some(intent) = pending {
        appender.send(&intent).await?;
    }
    while appender.calls.think(&mut appender.dice).await {
        appender.carry_out().await?;
    }
    Ok(())
}

/// The last intent of a file, if nobody was told what became of it.
fn pending(file: &std::path::Path) -> Result<Option<Intent>, Fault> {
    let mut pending = None;
    for line in read(file, |line| matches!(line, Line::Started { .. }))? {
        match line {
            Line::Intent(intent) => pending = Some(intent),
            Line::Told { told: Told::Unknown { .. }, .. } | Line::Started { .. } | Line::Command { .. } => {}
            Line::Told { .. } => pending = None,
        }
    }
    Ok(pending)
}

impl Appender {
    /// Thinks of an append, reads its boundary, sends it; after a refusal reads again, as a decision would.
    async fn carry_out(&mut self) -> Result<(), Fault> {
        let id = Uuid::now_v7();
        for attempt in 1..=ATTEMPTS {
            let mut plan = Plan::roll(&mut self.dice);
            for bound in &mut plan.bounds {
                let Ok(after) = self.look(bound).await else { return Ok(()) };
                bound.after = after;
            }
            let intent = Intent { id, attempt, plan };
            self.ledger.write(&Line::Intent(intent.clone()))?;
            match self.send(&intent).await? {
                Some(Told::Conflict { .. }) if self.dice.chance(80) => {}
                Some(Told::Appended { .. }) if self.dice.chance(5) => return self.repeat(intent).await,
                _ => return Ok(()),
            }
        }
        Ok(())
    }

    /// Reads a boundary: the position up to which all of it was seen. Now and then an old one, which is to be refused.
    async fn look(&mut self, bound: &Bound) -> Result<i64, LogError> {
        let way = self.dice.below(100);
        if way < 25 {
            return self.log.head().await;
        }
        let last = self.log.read(&bound.query(), Read::backwards().limit(1)).await?;
        let after = last.first().map_or(0, |event| event.position);
        if way < 90 { Ok(after) } else { Ok((after - 1).max(0)) }
    }

    /// Sends until something is known of it or patience ends; now and then twice at the same time.
    async fn send(&mut self, intent: &Intent) -> Result<Option<Told>, Fault> {
        let append = intent.plan.append(intent.id, intent.attempt);
        loop {
            let told = if self.dice.chance(5) { self.both(intent, &append).await? } else { self.once(&append).await };
            self.note(intent, told.clone())?;
            let unknown = matches!(told, Told::Unknown { .. });
            if !unknown {
                return Ok(Some(told));
            }
            if self.dice.chance(30) || !self.calls.think(&mut self.dice).await {
                return Ok(None);
            }
        }
    }

    async fn both(&mut self, intent: &Intent, append: &Append) -> Result<Told, Fault> {
        let (one, other) = tokio::join!(self.once(append), self.once(append));
        self.note(intent, one)?;
        Ok(other)
    }

    /// Sends the command again with other content: it has been carried out, and gets its first answer.
    async fn repeat(&mut self, intent: Intent) -> Result<(), Fault> {
        let plan = Plan::roll(&mut self.dice);
        let intent = Intent { attempt: intent.attempt + ATTEMPTS, plan, ..intent };
        self.ledger.write(&Line::Intent(intent.clone()))?;
        self.send(&intent).await.map(drop)
    }

    async fn once(&self, append: &Append) -> Told {
        match self.log.append(append.clone()).await {
            Ok(Appended { first, last, repeated, answer, .. }) => {
                let answer = answer.and_then(|json| serde_json::from_str(json.get()).ok()).unwrap_or(Value::Null);
                Told::Appended { first, last, repeated, answer }
            }
            Err(AppendError::Conflict { condition, position }) => Told::Conflict { condition, position },
            Err(error) => Told::Unknown { error: chain(&error) },
        }
    }

    fn note(&mut self, intent: &Intent, told: Told) -> std::io::Result<()> {
        self.ledger.write(&Line::Told { id: intent.id, attempt: intent.attempt, told })
    }
}

/// An error with its causes.
pub(super) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
