//! A promise that did not hold, with the smallest history that shows it.

use std::fmt;

/// A broken promise.
#[derive(Debug)]
pub(crate) struct Violation {
    /// What should have held.
    pub(crate) promise: &'static str,
    /// What was found instead.
    says: String,
    /// Where in the log.
    at: i64,
    /// The events, intents and answers concerned, a line each.
    history: Vec<String>,
    /// How often the same promise was broken besides.
    more: usize,
}

impl Violation {
    pub(crate) fn new(promise: &'static str, at: i64, says: impl Into<String>) -> Self {
        Self { promise, says: says.into(), at, history: Vec::new(), more: 0 }
    }

    /// One more line of the history.
    pub(crate) fn with(mut self, what: &str, line: impl fmt::Display) -> Self {
        self.history.push(format!("{what:<8} {line}"));
        self
    }

    /// Some more lines.
    pub(crate) fn with_all(self, what: &str, lines: impl IntoIterator<Item = impl fmt::Display>) -> Self {
        lines.into_iter().fold(self, |violation, line| violation.with(what, line))
    }

    /// The smaller of the two, the earlier of equals; both are counted.
    pub(crate) fn or(&mut self, other: Self) {
        let more = self.more + 1;
        // One without a line shows nothing: it is smaller than none.
        let size = |violation: &Self| (violation.history.is_empty(), violation.history.len(), violation.at);
        if size(&other) < size(self) {
            *self = other;
        }
        self.more = more;
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "VIOLATION of: {}\n  {}", self.promise, self.says)?;
        self.history.iter().try_for_each(|line| writeln!(f, "    {line}"))?;
        if self.more > 0 { writeln!(f, "  and {} more of the kind", self.more) } else { Ok(()) }
    }
}
