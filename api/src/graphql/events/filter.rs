//! Which events.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_graphql::{Error, ID, InputObject};
use vigie_domain::Event;
use vigie_domain::support::SiteId;
use vigie_eventlog::{Criterion, Query, Read, Recorded};

use crate::graphql::error::{argument, bad_input};
use crate::rights::{Scope, Sites};

/// Which events. Without a filter, all.
#[derive(Debug, Clone, Default, InputObject)]
pub(crate) struct EventFilter {
    /// Of any of these types.
    types: Option<Vec<String>>,
    /// About all of these things, such as `stand:LFW/C03`.
    tags: Option<Vec<String>>,
    /// At this site.
    site: Option<ID>,
}

/// A checked filter. The log looks types and tags up; the audit trail sites.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) query: Query,
    site: Option<SiteId>,
    scope: Arc<Scope>,
}

impl EventFilter {
    /// The filter of somebody who sees what `scope` shows.
    pub(super) fn checked(self, scope: &Arc<Scope>) -> Result<Wanted, Error> {
        let kinds = self.types.unwrap_or_default();
        if let Some(unknown) = kinds.iter().find(|kind| Event::types().all(|known| known.name != **kind)) {
            return Err(bad_input("filter.types", format!("{unknown:?} is not a type of event")));
        }
        let tags = self.tags.unwrap_or_default();
        if let Some(wrong) = tags.iter().find(|tag| !tag.contains(':')) {
            return Err(bad_input(
                "filter.tags",
                format!("{wrong:?} is not a kind, a colon and an id, such as stand:LFW/C03"),
            ));
        }
        let site = self.site.map(|site| argument("filter.site", SiteId::new(&site))).transpose()?;
        Ok(Wanted { query: Query { criteria: vec![Criterion { kinds, tags }] }, site, scope: Arc::clone(scope) })
    }
}

impl Wanted {
    /// How many to read at once for a page of `limit`: the log does not look sites up. Otherwise no more than are needed,
    /// since reading on could come to what is archived.
    pub(super) fn at_once(&self, limit: usize) -> u32 {
        let needed = u32::try_from(limit).unwrap_or(Read::PAGE);
        if self.site.is_some() || !self.scope.admits_all() { Read::PAGE } else { needed.min(Read::PAGE) }
    }

    /// The same at each site of which anything can be seen, if they are few and the audit trail can look it up.
    pub(super) fn by_site(&self) -> Option<Vec<AtSite>> {
        let [Criterion { kinds, tags }] = self.query.criteria.as_slice() else { return None };
        if !tags.is_empty() {
            return None;
        }
        let sites: BTreeSet<&str> = match (&self.site, &self.scope.events, &self.scope.audit) {
            (Some(site), _, _) => BTreeSet::from([site.as_str()]),
            (None, Sites::Some(events), Sites::Some(audit)) => {
                events.iter().chain(&**audit).map(String::as_str).collect()
            }
            (None, Sites::All, _) | (None, _, Sites::All) => return None,
        };
        Some(sites.into_iter().filter_map(|site| AtSite::new(site, kinds, &self.scope)).collect())
    }

    pub(super) fn takes(&self, event: &Recorded) -> bool {
        self.site.as_ref().is_none_or(|site| site.as_str() == event.site) && self.scope.admits(&event.kind, &event.site)
    }
}

/// Which events of one site.
pub(super) struct AtSite {
    site: String,
    /// Of these types; of any without.
    pub(super) kinds: Option<Vec<String>>,
    /// Which of all are shown: those about people, and the others.
    shown: (bool, bool),
}

impl AtSite {
    /// None if nothing of it is shown.
    fn new(site: &str, kinds: &[String], scope: &Scope) -> Option<Self> {
        let shown = (scope.audit.contain(site), scope.events.contain(site));
        let admitted: Vec<String> = kinds.iter().filter(|kind| scope.admits(kind, site)).cloned().collect();
        let any = if kinds.is_empty() { shown.0 || shown.1 } else { !admitted.is_empty() };
        any.then(|| Self { site: site.to_owned(), kinds: (!kinds.is_empty()).then_some(admitted), shown })
    }

    /// What a view shows that looks at this site alone.
    pub(super) fn scope(&self) -> Arc<Scope> {
        Scope::of_deeds_at(&self.site)
    }

    /// `and …` for the types that are shown.
    pub(super) fn condition(&self) -> &'static str {
        match self.shown {
            (true, true) => "",
            (true, false) => " and type like 'identity.%'",
            (false, true) => " and type not like 'identity.%'",
            (false, false) => " and false",
        }
    }
}
