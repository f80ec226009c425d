//! Reading a page of the log.

/// Which way to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// Oldest first.
    #[default]
    Forwards,
    /// Newest first.
    Backwards,
}

/// Bounds and size of a page: positions in `(after, until]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Read {
    /// Positions above this one; 0 for all.
    pub after: i64,
    /// Positions up to this one; `i64::MAX` for all.
    pub until: i64,
    /// Oldest or newest first.
    pub direction: Direction,
    /// The most events in the page.
    pub limit: u32,
}

impl Read {
    /// The usual size of a page.
    pub const PAGE: u32 = 1_000;

    /// Oldest first from the event after `after`.
    #[must_use]
    pub fn after(after: i64) -> Self {
        Self { after, until: i64::MAX, direction: Direction::Forwards, limit: Self::PAGE }
    }

    /// Newest first.
    #[must_use]
    pub fn backwards() -> Self {
        Self { after: 0, until: i64::MAX, direction: Direction::Backwards, limit: Self::PAGE }
    }

    /// With another upper bound.
    #[must_use]
    pub fn until(self, until: i64) -> Self {
        Self { until, ..self }
    }

    /// With another size.
    #[must_use]
    pub fn limit(self, limit: u32) -> Self {
        Self { limit, ..self }
    }
}
