//! What the doctor found, for people and for programs.

use std::error::Error;
use std::fmt;

use serde::Serialize;
use serde_json::{Value, json};

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    Fine,
    /// It works, but should be looked at.
    Doubtful,
    /// Something that is needed cannot be used.
    Failed,
    /// Not configured.
    Off,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
pub(super) struct Check {
    name: &'static str,
    state: State,
    says: String,
    #[serde(skip_serializing_if = "Value::is_null")]
    facts: Value,
}

impl Check {
    fn new(name: &'static str, state: State, says: impl Into<String>) -> Self {
        Self { name, state, says: says.into(), facts: Value::Null }
    }

    pub(super) fn fine(name: &'static str, says: impl Into<String>) -> Self {
        Self::new(name, State::Fine, says)
    }

    pub(super) fn doubtful(name: &'static str, says: impl Into<String>) -> Self {
        Self::new(name, State::Doubtful, says)
    }

    pub(super) fn off(name: &'static str, says: impl Into<String>) -> Self {
        Self::new(name, State::Off, says)
    }

    /// With everything that the error has to say.
    pub(super) fn failed(name: &'static str, error: &(dyn Error + 'static)) -> Self {
        Self::new(name, State::Failed, causes(error))
    }

    /// The same for something that is not needed.
    pub(super) fn missed(name: &'static str, error: &(dyn Error + 'static)) -> Self {
        Self::new(name, State::Doubtful, causes(error))
    }

    pub(super) fn with(mut self, facts: Value) -> Self {
        self.facts = facts;
        self
    }
}

/// An error and its causes. Some errors repeat their cause: that is left out.
fn causes(error: &(dyn Error + 'static)) -> String {
    let mut says = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !says.contains(&more) {
            says = format!("{says}: {more}");
        }
        cause = error.source();
    }
    says
}

/// Everything that was looked at.
#[derive(Debug, Default)]
pub(super) struct Report {
    checks: Vec<Check>,
}

impl Report {
    pub(super) fn add(&mut self, check: Check) {
        self.checks.push(check);
    }

    /// Whether everything that is needed can be used.
    pub(super) fn healthy(&self) -> bool {
        self.checks.iter().all(|check| check.state != State::Failed)
    }

    pub(super) fn json(&self) -> Value {
        json!({ "healthy": self.healthy(), "checks": self.checks })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
        for check in &self.checks {
            let sign = match check.state {
                State::Fine => "ok",
                State::Doubtful => "!!",
                State::Failed => "XX",
                State::Off => "--",
            };
            let says = check.says.replace('\n', &format!("\n{:indent$}", "", indent = width + 5));
            writeln!(f, "{sign} {:width$}  {says}", check.name)?;
        }
        let failed = self.checks.iter().filter(|check| check.state == State::Failed).count();
        let doubtful = self.checks.iter().filter(|check| check.state == State::Doubtful).count();
        match (failed, doubtful) {
            (0, 0) => writeln!(f, "everything that is needed works"),
            (0, _) => writeln!(f, "everything that is needed works; look at the lines with !!"),
            _ => writeln!(f, "something that is needed does not work: the lines with XX"),
        }
    }
}
