//! Tags name the things that a fact is about; queries select facts by type and tag.

use std::fmt;

/// The name of a thing that a fact is about, as `kind:id`, such as `stand:LFW/C03`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(String);

impl Tag {
    /// The tag of the thing `id` of kind `kind`.
    pub fn new(kind: &'static str, id: impl fmt::Display) -> Self {
        Self(format!("{kind}:{id}"))
    }

    /// The whole tag, kind and id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The tag as it is stored.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One alternative of a [`Query`]: any of these types, carrying all of these tags.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Criterion {
    /// Event type names, any of which matches; empty means every type.
    pub types: Vec<&'static str>,
    /// Tags, all of which must be carried; empty means any.
    pub tags: Vec<Tag>,
}

/// Selects the facts that match any of its criteria. An empty query matches nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Query {
    /// The alternatives.
    pub criteria: Vec<Criterion>,
}

impl Query {
    /// Facts of any of `types` that carry all of `tags`.
    pub fn of<const T: usize>(types: &[&'static str], tags: [Tag; T]) -> Self {
        Self { criteria: vec![Criterion { types: types.to_vec(), tags: tags.into() }] }
    }

    /// Facts that match this query or `other`.
    #[must_use]
    pub fn or(mut self, other: Self) -> Self {
        self.criteria.extend(other.criteria);
        self
    }

    /// Whether a fact of this type and these tags is selected.
    #[must_use]
    pub fn matches(&self, name: &str, tags: &[Tag]) -> bool {
        self.criteria.iter().any(|criterion| {
            (criterion.types.is_empty() || criterion.types.contains(&name))
                && criterion.tags.iter().all(|tag| tags.contains(tag))
        })
    }
}
