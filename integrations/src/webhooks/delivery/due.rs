//! When something that waits in the database is due.

use chrono::{DateTime, Utc};

/// The next time at which to look there. What is not recorded yet would not be found: it counts once it is.
#[derive(Debug, Default)]
pub(super) struct Due {
    recorded: Option<DateTime<Utc>>,
    handed: Option<DateTime<Utc>>,
    gathered: Option<DateTime<Utc>>,
}

impl Due {
    /// As the database has it.
    pub(super) fn at(time: Option<DateTime<Utc>>) -> Self {
        Self { recorded: time, ..Self::default() }
    }

    pub(super) fn next(&self) -> Option<DateTime<Utc>> {
        self.recorded
    }

    /// The database was looked at: this is all that it knows.
    pub(super) fn looked(&mut self, next: Option<DateTime<Utc>>) {
        self.recorded = next;
    }

    /// The database has something for this time, too.
    pub(super) fn also(&mut self, time: DateTime<Utc>) {
        earlier(&mut self.recorded, Some(time));
    }

    /// The batch that is gathered says this.
    pub(super) fn gather(&mut self, time: DateTime<Utc>) {
        earlier(&mut self.gathered, Some(time));
    }

    /// It is on its way.
    pub(super) fn hand(&mut self) {
        self.handed = self.gathered.take();
    }

    /// It has arrived.
    pub(super) fn arrived(&mut self) {
        earlier(&mut self.recorded, self.handed.take());
    }
}

/// Makes it the earlier of both, if there are two.
pub(super) fn earlier(known: &mut Option<DateTime<Utc>>, other: Option<DateTime<Utc>>) {
    *known = [*known, other].into_iter().flatten().min();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_recorded_is_not_due_however_long_that_takes() {
        let [first, second, third] = [1, 2, 3].map(|second| DateTime::from_timestamp(second, 0).unwrap());
        let mut due = Due::default();
        due.gather(second);
        due.hand();
        due.gather(first);
        // A look finds nothing, and forgets nothing of what is on its way.
        due.looked(None);
        assert_eq!(due.next(), None);
        due.arrived();
        assert_eq!(due.next(), Some(second));
        due.also(third);
        due.hand();
        due.arrived();
        assert_eq!(due.next(), Some(first));
    }
}
