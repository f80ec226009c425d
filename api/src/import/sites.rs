//! The site that an import is for.

use vigie_commands::{Executor, Failure, Order};
use vigie_domain::kernel::derived_uuid;
use vigie_domain::support::{DefineSite, SiteDefined, SiteId, SiteKind, SiteRefusal, SupportEvent, Zone, names};
use vigie_domain::{DecodeError, Event};
use vigie_eventlog::{Criterion, Log, LogError, Query, Read};

/// A site that cannot be imported for.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// It was never set up.
    #[error("site {site} is not set up: {way}")]
    Unknown {
        /// The site.
        site: SiteId,
        /// How to set it up.
        way: &'static str,
    },
    /// It is no airport.
    #[error("site {0} is not an airport")]
    NotAirport(SiteId),
    /// Only one site's description is known here.
    #[error("--setup knows HKG only, not {0}: set other sites up through the API (mutation defineSite)")]
    NotHongKong(SiteId),
    /// The description was refused.
    #[error("the site could not be set up")]
    SetUp(#[source] Failure<SiteRefusal>),
    /// The log failed.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The description cannot be read.
    #[error("the description of site {site} (the event at position {position}) cannot be read")]
    Unreadable {
        /// The site.
        site: SiteId,
        /// Where the description is.
        position: i64,
        /// Why.
        source: DecodeError,
    },
}

/// The zone of an airport that is set up.
///
/// # Errors
/// It is not set up, or is no airport.
pub async fn airport(log: &Log, site: &SiteId) -> Result<Zone, SiteError> {
    match described(log, site).await? {
        Some(found) if found.kind == SiteKind::Airport => Ok(found.zone),
        Some(_) => Err(SiteError::NotAirport(site.clone())),
        None => {
            let way = match site.as_str() {
                "HKG" => "add --setup to set it up as Hong Kong International Airport (VHHH, Asia/Hong_Kong)",
                _ => "set it up through the API (mutation defineSite)",
            };
            Err(SiteError::Unknown { site: site.clone(), way })
        }
    }
}

async fn described(log: &Log, site: &SiteId) -> Result<Option<SiteDefined>, SiteError> {
    let criterion = Criterion { kinds: vec![names::SITE_DEFINED.to_owned()], tags: vec![site.tag().into_string()] };
    let newest = log.read(&Query { criteria: vec![criterion] }, Read::backwards().limit(1)).await?;
    let Some(recorded) = newest.first() else { return Ok(None) };
    match Event::decode(&recorded.kind, recorded.version, recorded.data.get()) {
        Ok(Event::Support(SupportEvent::SiteDefined(defined))) => Ok(Some(defined)),
        Ok(_) => Ok(None),
        Err(source) => Err(SiteError::Unreadable { site: site.clone(), position: recorded.position, source }),
    }
}

/// Sets HKG up, unless it is.
///
/// # Errors
/// Another site, or the log failed.
pub async fn set_up_hong_kong(executor: &Executor, site: &SiteId) -> Result<(), SiteError> {
    if site.as_str() != "HKG" {
        return Err(SiteError::NotHongKong(site.clone()));
    }
    if described(executor.log(), site).await?.is_some() {
        return Ok(());
    }
    let defined = SiteDefined {
        site: site.clone(),
        name: "Hong Kong International Airport".to_owned(),
        kind: SiteKind::Airport,
        zone: Zone::new("Asia/Hong_Kong").expect("a zone of the database"),
        icao: Some("VHHH".to_owned()),
    };
    let order = Order::new(derived_uuid("import.setup", site.as_str()), super::hkia::ACTOR);
    executor.execute(&DefineSite(defined), order).await.map(drop).map_err(SiteError::SetUp)
}
