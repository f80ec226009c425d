//! Which events.

use std::sync::Arc;

use async_graphql::{Error, ID, InputObject};
use vigie_domain::Event;
use vigie_domain::support::SiteId;
use vigie_eventlog::{Criterion, Query, Read, Recorded};

use crate::graphql::error::{argument, bad_input};
use crate::rights::Scope;

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

/// A checked filter. The log looks types and tags up; the site is looked at here.
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
        let needed = u32::try_from(limit.saturating_add(1)).unwrap_or(Read::PAGE);
        if self.site.is_some() || !self.scope.admits_all() { Read::PAGE } else { needed.min(Read::PAGE) }
    }

    pub(super) fn takes(&self, event: &Recorded) -> bool {
        self.site.as_ref().is_none_or(|site| site.as_str() == event.site) && self.scope.admits(&event.kind, &event.site)
    }
}
