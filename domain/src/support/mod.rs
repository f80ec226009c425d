//! Sites: what every context stands on.

mod define_site;
mod events;
mod ids;

pub use define_site::{DefineSite, Site, SiteRefusal};
pub use events::{SiteDefined, SiteKind, SupportEvent, names};
pub use ids::{SiteId, Zone};
