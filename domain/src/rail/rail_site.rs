//! The site that a rail command names must be one where trains run.

use serde::Serialize;

use crate::kernel::{Stop, World};
use crate::support::{Site, SiteId, SiteKind};

/// Why nothing can be recorded at a site.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
pub enum RailSiteError {
    /// The site was never set up.
    #[error("site {site} is not set up")]
    Unknown {
        /// The site.
        site: SiteId,
    },
    /// The site is an airport.
    #[error("site {site} is not a rail site")]
    NotRail {
        /// The site.
        site: SiteId,
    },
}

/// Checks that trains run at `site`. Not guarded: a site that is set up stays set up.
pub(super) fn check_site<R: From<RailSiteError>>(world: &World, site: &SiteId) -> Result<(), Stop<R>> {
    match world.consult::<Site>(site)?.defined.as_ref().map(|defined| defined.kind) {
        Some(SiteKind::Rail) => Ok(()),
        Some(SiteKind::Airport) => Err(Stop::Refused(RailSiteError::NotRail { site: site.clone() }.into())),
        None => Err(Stop::Refused(RailSiteError::Unknown { site: site.clone() }.into())),
    }
}
