//! Which events an endpoint receives.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::WebhookRefusal;
use crate::kernel::text_id;
use crate::{Event, TAG_KINDS};

/// The most patterns of types, and the most tags, in a filter.
pub const MAX_PATTERNS: usize = 50;

text_id!(
    /// Types of events: one such as `airport.stand_allocated`, or all that begin so, as in `airport.*` or `*`.
    TypePattern,
    "pattern of event types",
    "an event type such as airport.stand_allocated, the beginning of some followed by *, such as airport.*, or * alone",
    |text| {
        let letters = text.strip_suffix('*').unwrap_or(text);
        (1..=100).contains(&text.len()) && letters.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.'))
    }
);

text_id!(
    /// A tag that events carry, such as `stand:LFW/C03`.
    FilterTag,
    "tag",
    "a kind and an id such as stand:LFW/C03, of at most 200 characters",
    |text| {
        let printable = text.chars().all(|c| !c.is_control());
        let whole = text.split_once(':').is_some_and(|(kind, id)| is_kind(kind) && !id.is_empty());
        text.chars().count() <= 200 && printable && whole
    }
);

text_id!(
    /// A kind of tag, such as `stand`.
    TagKind,
    "kind of tag",
    "lower-case letters and underscores, such as stand",
    is_kind
);

fn is_kind(text: &str) -> bool {
    (1..=40).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'_'))
}

impl TypePattern {
    /// Whether events of this type are meant.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        match self.as_str().strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => name == self.as_str(),
        }
    }

    /// Whether this build has a type that is meant.
    fn is_known(&self) -> bool {
        Event::types().any(|info| self.matches(info.name))
    }
}

impl TagKind {
    /// Checks that events carry tags of this kind.
    ///
    /// # Errors
    /// None does.
    pub fn check_known(&self) -> Result<(), WebhookRefusal> {
        let known = TAG_KINDS.contains(&self.as_str());
        if known { Ok(()) } else { Err(WebhookRefusal::TagKindUnknown { kind: self.clone() }) }
    }
}

impl FilterTag {
    /// What it is a tag of.
    fn kind(&self) -> TagKind {
        let kind = self.as_str().split_once(':').map_or(self.as_str(), |(kind, _)| kind);
        TagKind::new(kind).expect("a tag begins with a kind")
    }
}

/// Which events: of any of these types, carrying all of these tags. No types are all of them, no tags are any.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Filter {
    /// The types.
    pub types: Vec<TypePattern>,
    /// The tags.
    pub tags: Vec<FilterTag>,
}

impl Filter {
    /// Whether an event of this type with these tags is meant.
    pub fn matches<T: AsRef<str>>(&self, name: &str, tags: &[T]) -> bool {
        let carried = |wanted: &FilterTag| tags.iter().any(|tag| tag.as_ref() == wanted.as_str());
        (self.types.is_empty() || self.types.iter().any(|pattern| pattern.matches(name)))
            && self.tags.iter().all(carried)
    }

    /// Checks that there are events of these types.
    ///
    /// # Errors
    /// This build has none of a type.
    pub fn check_types(&self) -> Result<(), WebhookRefusal> {
        match self.types.iter().find(|pattern| !pattern.is_known()) {
            Some(pattern) => Err(WebhookRefusal::TypeUnknown { pattern: pattern.clone() }),
            None => Ok(()),
        }
    }

    /// Checks that events carry tags of these kinds.
    ///
    /// # Errors
    /// None carries one of a kind.
    pub fn check_tags(&self) -> Result<(), WebhookRefusal> {
        self.tags.iter().try_for_each(|tag| tag.kind().check_known())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(types: &[&str], tags: &[&str]) -> Filter {
        let types = types.iter().map(|text| TypePattern::new(text).unwrap()).collect();
        Filter { types, tags: tags.iter().map(|text| FilterTag::new(text).unwrap()).collect() }
    }

    #[test]
    fn a_pattern_means_one_type_or_all_that_begin_so() {
        let name = "airport.stand_allocated";
        for pattern in ["*", "airport.*", "airport.stand_*", name] {
            assert!(filter(&["rail.*", pattern], &[]).matches::<&str>(name, &[]), "{pattern}");
        }
        for pattern in ["rail.*", "airport", "airport.stand_alloc", "airport.stand_allocated.*"] {
            assert!(!filter(&[pattern], &[]).matches::<&str>(name, &[]), "{pattern}");
        }
        for wrong in ["", "*.stand", "air*port", "Airport.*", "airport.*?", "a b"] {
            assert!(TypePattern::new(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn all_of_the_tags_are_carried() {
        let both = filter(&[], &["stand:LFW/C03", "flight:LFW/AF860/2026-01-01/A/CDG"]);
        assert!(both.matches("x", &["flight:LFW/AF860/2026-01-01/A/CDG", "stand:LFW/C03", "pass:1"]));
        assert!(!both.matches("x", &["stand:LFW/C03"]));
        assert!(filter(&[], &[]).matches::<&str>("x", &[]));
        for wrong in ["", "stand", "stand:", ":C03", "Stand:C03", "stand:C\n03"] {
            assert!(FilterTag::new(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn kinds_of_tags_that_no_event_has_are_told_from_those_that_there_are() {
        assert_eq!(filter(&[], &["stand:LFW/C03", "user:7b0f"]).check_tags(), Ok(()));
        let refused = filter(&[], &["stand:LFW/C03", "zzz:1:2"]).check_tags().unwrap_err();
        assert!(refused.to_string().starts_with("no event has a tag of the kind zzz: there are alert, "), "{refused}");
        for wrong in ["nope", "stands", "secret"] {
            assert!(TagKind::new(wrong).unwrap().check_known().is_err(), "{wrong}");
        }
    }

    #[test]
    fn types_that_do_not_exist_are_told_from_those_that_do() {
        assert!(
            ["*", "webhooks.*", "rail.pass_confirmed"].iter().all(|text| TypePattern::new(text).unwrap().is_known())
        );
        assert!(["boat.*", "rail.pass"].iter().all(|text| !TypePattern::new(text).unwrap().is_known()));
    }
}
