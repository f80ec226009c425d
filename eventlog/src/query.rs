//! Which events: by type and tag.

/// One alternative of a [`Query`]: any of these types, carrying all of these tags.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Criterion {
    /// Type names, any of which matches; empty means every type.
    pub kinds: Vec<String>,
    /// Tags, all of which must be carried; empty means any.
    pub tags: Vec<String>,
}

impl Criterion {
    /// Whether an event of this type with these tags matches.
    #[must_use]
    pub fn matches(&self, kind: &str, tags: &[String]) -> bool {
        (self.kinds.is_empty() || self.kinds.iter().any(|k| k == kind))
            && self.tags.iter().all(|tag| tags.contains(tag))
    }
}

/// Events that match any of the criteria; without criteria, none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Query {
    /// The alternatives.
    pub criteria: Vec<Criterion>,
}

impl Query {
    /// Every event.
    #[must_use]
    pub fn all() -> Self {
        Self { criteria: vec![Criterion::default()] }
    }

    /// Events of any of these types.
    pub fn kinds<K: Into<String>>(kinds: impl IntoIterator<Item = K>) -> Self {
        let kinds = kinds.into_iter().map(Into::into).collect();
        Self { criteria: vec![Criterion { kinds, tags: Vec::new() }] }
    }

    /// Events that carry this tag.
    pub fn tag(tag: impl Into<String>) -> Self {
        Self { criteria: vec![Criterion { kinds: Vec::new(), tags: vec![tag.into()] }] }
    }

    /// Whether an event of this type with these tags matches.
    #[must_use]
    pub fn matches(&self, kind: &str, tags: &[String]) -> bool {
        self.criteria.iter().any(|criterion| criterion.matches(kind, tags))
    }

    /// Whether every event matches.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.criteria.iter().any(|c| c.kinds.is_empty() && c.tags.is_empty())
    }
}
