//! Facts about sites, and about what is left out of read models and policies.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ConsumerName, SiteId, Zone};
use crate::kernel::{
    Note, Tag,
    events::{Describe, events},
};

events! {
    /// What happened to sites, and what people decided about read models and policies.
    SupportEvent, names;
    /// A site was set up, or its description changed.
    SITE_DEFINED = "support.site_defined" => SiteDefined v 1,
    /// A read model or policy leaves an event out.
    EVENT_SKIPPED = "support.event_skipped" => EventSkipped v 1,
}

/// What moves at a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SiteKind {
    /// Aircraft.
    Airport,
    /// Trains.
    Rail,
}

/// A site was set up, or its description changed; holds the whole description.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
    fn site(&self) -> Option<&SiteId> {
        Some(&self.site)
    }
    fn tags(&self) -> Vec<Tag> {
        vec![self.site.tag()]
    }
}

/// What follows the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConsumerKind {
    /// It keeps rows.
    ReadModel,
    /// It gives commands.
    Policy,
}

/// A read model or policy leaves an event out that it cannot take: from now on, and whenever it is made anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventSkipped {
    /// Who leaves it out.
    pub consumer: ConsumerName,
    /// What it is.
    pub kind: ConsumerKind,
    /// The event's place in the log.
    pub position: i64,
    /// The event's id.
    pub event: Uuid,
    /// Where the event happened.
    pub site: SiteId,
    /// Why.
    pub reason: Note,
}

impl Describe for EventSkipped {
    fn site(&self) -> Option<&SiteId> {
        Some(&self.site)
    }
    fn tags(&self) -> Vec<Tag> {
        vec![self.consumer.tag(), Tag::new("event", self.event)]
    }
}

impl ConsumerName {
    /// The tag of decisions about it.
    #[must_use]
    pub fn tag(&self) -> Tag {
        Tag::new("projection", self)
    }
}

impl SiteId {
    /// The tag of facts about the site itself.
    #[must_use]
    pub fn tag(&self) -> Tag {
        Tag::new("site", self)
    }
}
