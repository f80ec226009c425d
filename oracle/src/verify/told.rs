//! What a caller wrote down, by command.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use uuid::Uuid;

use crate::Fault;
use crate::ledger::{Line, Told, read};
use crate::plan::Plan;

/// What was sent under one command id, and what was answered, in order.
#[derive(Default)]
pub(super) struct Story {
    /// By attempt.
    pub(super) plans: BTreeMap<u32, Plan>,
    /// Name and content of a command of the domain.
    pub(super) command: Option<(String, serde_json::Value)>,
    pub(super) told: Vec<(u32, Told)>,
}

impl Story {
    /// What was told of an attempt.
    pub(super) fn of(&self, attempt: u32) -> impl Iterator<Item = &Told> {
        self.told.iter().filter(move |(number, _)| *number == attempt).map(|(_, told)| told)
    }

    /// Everything in lines.
    pub(super) fn show(&self) -> Vec<String> {
        let plans = self.plans.iter().map(|(attempt, plan)| {
            let bounds = plan.bounds.iter().map(|bound| format!("{:?} after {}", bound.query().criteria, bound.after));
            let bounds = bounds.collect::<Vec<_>>().join("; and nothing of ");
            let events = plan.pieces.len();
            let bounds =
                if bounds.is_empty() { "without a condition".to_owned() } else { format!("if nothing of {bounds}") };
            format!("attempt {attempt}: {events} events, {bounds}")
        });
        let command = self.command.iter().map(|(name, content)| format!("{name} {content}"));
        let told = self.told.iter().map(|(attempt, told)| format!("attempt {attempt} was told {told:?}"));
        plans.chain(command).chain(told).collect()
    }
}

/// The stories of a file.
pub(super) fn stories(file: &Path) -> Result<HashMap<Uuid, Story>, Fault> {
    let mut stories: HashMap<Uuid, Story> = HashMap::new();
    for line in read(file, |line| matches!(line, Line::Started { .. }))? {
        match line {
            Line::Started { .. } => {}
            Line::Intent(intent) => {
                stories.entry(intent.id).or_default().plans.insert(intent.attempt, intent.plan);
            }
            Line::Command { id, name, command } => stories.entry(id).or_default().command = Some((name, command)),
            Line::Told { id, attempt, told } => stories.entry(id).or_default().told.push((attempt, told)),
        }
    }
    Ok(stories)
}
