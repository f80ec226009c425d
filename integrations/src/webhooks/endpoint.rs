//! Where to deliver what, and how: the settings of one endpoint as the engine needs them.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;
use vigie_domain::Event;
use vigie_eventlog::{Criterion, Query, Recorded};

use super::wire::{CustomHeaders, SigningSecret, Target};

/// The id of an endpoint, as the domain draws it.
pub type EndpointId = Uuid;

/// What becomes of a delivery whose retries are used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Exhausted {
    /// It is tried again at the last interval, and its key waits behind it.
    #[default]
    Hold,
    /// It is a dead letter, and its key goes on.
    SetAside,
}

/// Which events an endpoint asks for: all three must fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of any of these types; `airport.*` are all of a context, and no pattern at all is every type.
    pub kinds: Vec<String>,
    /// About all of these things, such as `stand:LFW/C03`.
    pub tags: Vec<String>,
    /// At this site.
    pub site: Option<String>,
}

impl Filter {
    /// What the log can look up; [`Filter::takes`] has the last word.
    #[must_use]
    pub fn query(&self) -> Query {
        let kinds: Vec<String> = if self.kinds.is_empty() {
            Vec::new()
        } else {
            Event::types().filter(|known| self.takes_kind(known.name)).map(|known| known.name.to_owned()).collect()
        };
        if kinds.is_empty() && !self.kinds.is_empty() {
            return Query { criteria: Vec::new() };
        }
        Query { criteria: vec![Criterion { kinds, tags: self.tags.clone() }] }
    }

    /// Whether it takes an event.
    #[must_use]
    pub fn takes(&self, event: &Recorded) -> bool {
        self.takes_kind(&event.kind)
            && self.tags.iter().all(|tag| event.tags.contains(tag))
            && self.site.as_ref().is_none_or(|site| *site == event.site)
    }

    fn takes_kind(&self, kind: &str) -> bool {
        self.kinds.is_empty()
            || self.kinds.iter().any(|pattern| match pattern.strip_suffix('*') {
                Some(start) => kind.starts_with(start),
                None => pattern == kind,
            })
    }
}

/// One endpoint, enabled.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Its id.
    pub id: EndpointId,
    /// Where to POST.
    pub target: Target,
    /// What it asks for.
    pub filter: Filter,
    /// The kind of tag whose events are delivered in order, such as `stand`; an event without such a tag waits for none.
    pub ordering: Option<String>,
    /// What becomes of a delivery whose retries are used up.
    pub exhausted: Exhausted,
    /// The most requests in a second.
    pub rate: Option<u32>,
    /// How long an attempt may take, from resolving the name to the end of the answer.
    pub timeout: Duration,
    /// How long to wait after each failed attempt: after the first, the second, and so on.
    pub retries: Arc<[Duration]>,
    /// Headers beside those of the standard.
    pub headers: Arc<CustomHeaders>,
    /// What signs: the newest first.
    pub secrets: Arc<[SigningSecret]>,
    /// Where it begins when nothing is known of it: events after this position.
    pub after: i64,
}

impl Endpoint {
    /// The wait after each failed attempt, unless the endpoint has its own: with the first attempt at once, attempts at 0,
    /// 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h, each from the one before (Standard Webhooks).
    pub const RETRIES: [Duration; 9] = [
        Duration::from_secs(5),
        Duration::from_secs(5 * 60),
        Duration::from_secs(30 * 60),
        Duration::from_secs(2 * 3_600),
        Duration::from_secs(5 * 3_600),
        Duration::from_secs(10 * 3_600),
        Duration::from_secs(14 * 3_600),
        Duration::from_secs(20 * 3_600),
        Duration::from_secs(24 * 3_600),
    ];

    /// The tag of facts about an endpoint: they are never sent through it, nor is the alert that it fails.
    #[must_use]
    pub fn tag(id: EndpointId) -> String {
        format!("endpoint:{id}")
    }

    /// Whether to send it an event.
    #[must_use]
    pub fn wants(&self, event: &Recorded) -> bool {
        let own = Self::tag(self.id);
        self.filter.takes(event) && !event.tags.contains(&own)
    }

    /// The keys of an event: its tags of the kind by which the endpoint orders. An event of several keys comes after all that
    /// is ahead of it in any of them, and before all that follows in any of them.
    pub fn keys<'a>(&'a self, event: &'a Recorded) -> impl Iterator<Item = &'a str> {
        let kind = self.ordering.as_deref();
        event
            .tags
            .iter()
            .map(String::as_str)
            .filter(move |tag| tag.split_once(':').map(|(kind, _)| kind) == kind && kind.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(kinds: &[&str]) -> Filter {
        Filter { kinds: kinds.iter().map(|kind| (*kind).to_owned()).collect(), ..Filter::default() }
    }

    #[test]
    fn a_star_stands_for_every_type_of_its_context_and_nothing_else_is_looked_up() {
        let query = filter(&["airport.*", "support.site_defined"]).query();
        let kinds = &query.criteria[0].kinds;
        assert!(kinds.iter().any(|kind| kind == "airport.stand_allocated"), "{kinds:?}");
        assert!(kinds.iter().any(|kind| kind == "support.site_defined"), "{kinds:?}");
        assert!(!kinds.iter().any(|kind| kind.starts_with("rail.")), "{kinds:?}");
    }

    #[test]
    fn a_pattern_that_fits_no_type_takes_nothing_and_none_at_all_takes_everything() {
        assert!(filter(&["nowhere.*"]).query().criteria.is_empty());
        assert!(Filter::default().query().is_all());
    }
}
