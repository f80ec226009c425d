//! Facts about sites.

use serde::{Deserialize, Serialize};

use super::{SiteId, Zone};
use crate::kernel::{
    Tag,
    events::{Describe, events},
};

events! {
    /// What happened to sites.
    SupportEvent, names;
    /// A site was set up, or its description changed.
    SITE_DEFINED = "support.site_defined" => SiteDefined v 1,
}

/// What moves at a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SiteKind {
    /// Aircraft.
    Airport,
    /// Trains.
    Rail,
}

/// A site was set up, or its description changed; holds the whole description.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteDefined {
    /// The site.
    pub site: SiteId,
    /// What people call it.
    pub name: String,
    /// What moves there.
    pub kind: SiteKind,
    /// Its time zone, which day boundaries follow.
    pub zone: Zone,
    /// ICAO location indicator, for airports.
    pub icao: Option<String>,
}

impl Describe for SiteDefined {
    fn site(&self) -> &SiteId {
        &self.site
    }
    fn tags(&self) -> Vec<Tag> {
        vec![self.site.tag()]
    }
}

impl SiteId {
    /// The tag of facts about the site itself.
    #[must_use]
    pub fn tag(&self) -> Tag {
        Tag::new("site", self)
    }
}
