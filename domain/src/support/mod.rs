//! Sites, which every context stands on, and what people decide about read models and policies.

mod define_site;
mod events;
mod ids;
mod skip_event;

pub use define_site::{DefineSite, Site, SiteRefusal};
pub use events::{ConsumerKind, EventSkipped, SiteDefined, SiteKind, SupportEvent, names};
pub use ids::{ConsumerName, SiteId, Zone};
pub use skip_event::{SkipEvent, SkipRefusal, Skipped, Skips};
