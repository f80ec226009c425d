//! Commands of the domain, given as an operator gives them.

use std::path::Path;

use serde::Serialize;
use uuid::Uuid;
use vigie_commands::{Done, Executor, Failure, Order};
use vigie_domain::kernel::{Decision, Refused};

use super::appender::chain;
use crate::Fault;
use crate::dice::Dice;
use crate::ledger::{Ledger, Line, Told};

/// Gives commands and writes down what comes of them.
pub(super) struct Desk {
    executor: Executor,
    ledger: Ledger,
}

impl Desk {
    /// Takes the file up.
    pub(super) fn open(file: &Path, generation: u32, executor: Executor) -> Result<Self, Fault> {
        let mut ledger = Ledger::open(file)?;
        ledger.write(&Line::Started { generation })?;
        Ok(Self { executor, ledger })
    }

    pub(super) fn log(&self) -> &vigie_eventlog::Log {
        self.executor.log()
    }

    /// Gives a command; its answer, unless it was refused or nothing is known of it. What is not known is sent again a
    /// few times; now and then what was carried out is, too.
    pub(super) async fn give<D: Decision + Serialize>(
        &mut self,
        command: D,
        dice: &mut Dice,
    ) -> Result<Option<D::Answer>, Fault> {
        let id = Uuid::now_v7();
        let stored = serde_json::to_value(&command)?;
        self.ledger.write(&Line::Command { id, name: D::NAME.to_owned(), command: stored })?;
        for attempt in 1..=3 {
            let outcome = self.executor.execute(&command, Order::new(id, "operator:oracle")).await;
            let told = told(&outcome)?;
            self.ledger.write(&Line::Told { id, attempt, told: told.clone() })?;
            match told {
                Told::Unknown { .. } => {}
                Told::Done { .. } if attempt == 1 && dice.chance(5) => {}
                _ => return Ok(outcome.ok().map(|done| done.answer)),
            }
        }
        Ok(None)
    }
}

fn told<A: Serialize, R: Refused>(outcome: &Result<Done<A>, Failure<R>>) -> Result<Told, Fault> {
    Ok(match outcome {
        Ok(done) => {
            let answer = serde_json::to_value(&done.answer)?;
            Told::Done { position: done.position, events: done.appended, answer }
        }
        Err(Failure::Refused(refusal)) => Told::Refused { code: refusal.code().to_owned() },
        Err(Failure::Log(error)) => Told::Unknown { error: chain(error) },
        Err(Failure::Contended { attempts }) => Told::Unknown { error: format!("contended {attempts} times") },
        Err(failure) => return Err(format!("a command failed: {failure}").into()),
    })
}
