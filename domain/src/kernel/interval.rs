//! Half-open intervals of time, and sets of them.

use chrono::{DateTime, Duration, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[from, to)` in UTC; never empty. Without `to` it has no known end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Raw", into = "Raw")]
pub struct Interval {
    from: DateTime<Utc>,
    to: Option<DateTime<Utc>>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Raw {
    from: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to: Option<DateTime<Utc>>,
}

/// Why two times are not an interval.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an interval ends after it starts: {from} is not before {to}")]
pub struct IntervalError {
    /// The start as given.
    pub from: DateTime<Utc>,
    /// The end as given.
    pub to: DateTime<Utc>,
}

impl Interval {
    /// `[from, to)`.
    ///
    /// # Errors
    /// `to` is not after `from`.
    pub fn new(from: DateTime<Utc>, to: DateTime<Utc>) -> Result<Self, IntervalError> {
        if from < to { Ok(Self { from, to: Some(to) }) } else { Err(IntervalError { from, to }) }
    }

    /// `[from, …)` without a known end.
    #[must_use]
    pub fn starting(from: DateTime<Utc>) -> Self {
        Self { from, to: None }
    }

    /// First moment inside.
    #[must_use]
    pub fn from(&self) -> DateTime<Utc> {
        self.from
    }

    /// First moment after it, if it is known to end.
    #[must_use]
    pub fn to(&self) -> Option<DateTime<Utc>> {
        self.to
    }

    /// Whether the moment is inside.
    #[must_use]
    pub fn contains(&self, at: DateTime<Utc>) -> bool {
        self.from <= at && self.to.is_none_or(|to| at < to)
    }

    /// Whether the two share a moment. Touching ends do not.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.to.is_none_or(|to| other.from < to) && other.to.is_none_or(|to| self.from < to)
    }

    /// Longer by `margin` at each end; a negative margin is taken as zero.
    #[must_use]
    pub fn padded(&self, margin: Duration) -> Self {
        let margin = margin.max(Duration::zero());
        Self { from: self.from - margin, to: self.to.map(|to| to + margin) }
    }

    /// The UTC days that a bounded interval touches, in order; for one without an end, the days up to `limit` after its start.
    pub fn days(&self, limit: Duration) -> impl Iterator<Item = NaiveDate> + use<> {
        let end = self.to.unwrap_or(self.from + limit);
        let (first, last) = (self.from.date_naive(), (end - Duration::nanoseconds(1)).date_naive());
        first.iter_days().take_while(move |day| *day <= last)
    }
}

impl TryFrom<Raw> for Interval {
    type Error = IntervalError;
    fn try_from(raw: Raw) -> Result<Self, IntervalError> {
        match raw.to {
            Some(to) => Self::new(raw.from, to),
            None => Ok(Self::starting(raw.from)),
        }
    }
}

impl From<Interval> for Raw {
    fn from(interval: Interval) -> Self {
        Self { from: interval.from, to: interval.to }
    }
}

/// A set of moments, kept as disjoint intervals in order; touching ones are joined.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IntervalSet(Vec<Interval>);

impl IntervalSet {
    /// Adds every moment of `interval`.
    pub fn add(&mut self, interval: Interval) {
        let (mut from, mut to) = (interval.from, interval.to);
        self.0.retain(|old| {
            let apart = to.is_some_and(|to| to < old.from) || old.to.is_some_and(|old_to| old_to < from);
            if !apart {
                from = from.min(old.from);
                to = to.zip(old.to).map(|(a, b)| a.max(b));
            }
            apart
        });
        let place = self.0.partition_point(|old| old.from < from);
        self.0.insert(place, Interval { from, to });
    }

    /// Takes every moment of `interval` out.
    pub fn subtract(&mut self, interval: Interval) {
        let cut = |old: &Interval| {
            if !old.overlaps(&interval) {
                return [Some(*old), None];
            }
            let before = (old.from < interval.from).then_some(Interval { from: old.from, to: Some(interval.from) });
            let after = interval
                .to
                .filter(|end| old.to.is_none_or(|to| *end < to))
                .map(|end| Interval { from: end, to: old.to });
            [before, after]
        };
        self.0 = self.0.iter().flat_map(cut).flatten().collect();
    }

    /// The parts that share a moment with `interval`.
    pub fn overlapping(&self, interval: Interval) -> impl Iterator<Item = &Interval> {
        self.0.iter().filter(move |part| part.overlaps(&interval))
    }

    /// Whether every moment of `interval` is in the set.
    #[must_use]
    pub fn covers(&self, interval: Interval) -> bool {
        self.0
            .iter()
            .any(|part| part.from <= interval.from && part.to.is_none_or(|to| interval.to.is_some_and(|end| end <= to)))
    }

    /// The disjoint parts in order.
    #[must_use]
    pub fn parts(&self) -> &[Interval] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(minute * 60, 0).unwrap()
    }

    fn interval() -> impl Strategy<Value = Interval> {
        (0_i64..60, proptest::option::of(1_i64..20)).prop_map(|(from, length)| match length {
            Some(length) => Interval::new(at(from), at(from + length)).unwrap(),
            None => Interval::starting(at(from)),
        })
    }

    #[test]
    fn touching_intervals_do_not_overlap() {
        let (a, b) = (Interval::new(at(0), at(10)).unwrap(), Interval::new(at(10), at(20)).unwrap());
        assert!(!a.overlaps(&b) && !b.overlaps(&a));
        assert!(Interval::new(at(10), at(10)).is_err());
    }

    #[test]
    fn an_interval_that_ends_at_midnight_does_not_touch_the_next_day() {
        let day: Vec<_> = Interval::new(at(0), at(24 * 60)).unwrap().days(Duration::days(1)).collect();
        assert_eq!(day, [at(0).date_naive()]);
    }

    proptest! {
        #[test]
        fn overlap_means_a_shared_minute(a in interval(), b in interval()) {
            let shared = (0..200).any(|m| a.contains(at(m)) && b.contains(at(m)));
            prop_assert_eq!(a.overlaps(&b), shared);
            prop_assert_eq!(b.overlaps(&a), shared);
        }

        #[test]
        fn a_set_holds_what_was_added_and_not_taken_out(steps in proptest::collection::vec((any::<bool>(), interval()), 0..12)) {
            let mut set = IntervalSet::default();
            for (add, interval) in &steps {
                if *add { set.add(*interval) } else { set.subtract(*interval) }
            }
            for minute in 0..100 {
                let expected = steps.iter().fold(false, |inside, (add, i)| if i.contains(at(minute)) { *add } else { inside });
                let found = set.parts().iter().any(|part| part.contains(at(minute)));
                prop_assert_eq!(found, expected, "minute {}", minute);
            }
            prop_assert!(set.parts().windows(2).all(|w| w[0].to().is_some_and(|to| to < w[1].from())));
        }
    }
}
