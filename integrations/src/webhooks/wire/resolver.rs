//! Names, looked up once per connection: what is found is checked, and only that is connected to.
//!
//! Checking first and letting the client look the name up again would leave a gap in which a name can change its
//! address.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::Semaphore;

use super::address::{AddressRules, RefusedAddress};

/// Look-ups at one time: the system's take a thread each, and may hang.
const LOOK_UPS: usize = 64;

/// Answers with the addresses of a name.
pub(super) type Names =
    Arc<dyn Fn(String) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>> + Send + Sync>;

/// Why a name leads nowhere.
#[derive(Debug, thiserror::Error)]
pub(super) enum NameError {
    /// The system does not know it.
    #[error("the name cannot be looked up")]
    Unknown(#[source] io::Error),
    /// It is known, without addresses.
    #[error("the name has no address")]
    Empty,
    /// It has addresses, and none that may be connected to.
    #[error(transparent)]
    Refused(RefusedAddress),
}

/// The system's names.
pub(super) fn system() -> Names {
    Arc::new(|name| {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    })
}

/// Looks names up and checks what it finds.
pub(super) struct Resolver {
    pub(super) names: Names,
    pub(super) rules: Arc<AddressRules>,
    places: Arc<Semaphore>,
}

impl Resolver {
    pub(super) fn new(names: Names, rules: Arc<AddressRules>) -> Self {
        Self { names, rules, places: Arc::new(Semaphore::new(LOOK_UPS)) }
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver").field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (names, rules, places) = (Arc::clone(&self.names), Arc::clone(&self.rules), Arc::clone(&self.places));
        Box::pin(async move {
            let place = places.acquire_owned().await.expect("the semaphore is never closed");
            let name = name.as_str().to_owned();
            // A task of its own: who gives up waiting does not free the place of a thread that still hangs.
            let looking = tokio::spawn(async move {
                let found = names(name).await;
                drop(place);
                found
            });
            let found = looking.await.map_err(|error| NameError::Unknown(io::Error::other(error)))?;
            let found = admitted(found.map_err(NameError::Unknown)?, &rules)?;
            Ok(Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}

/// Those that may be connected to; a name that has no such address leads nowhere.
fn admitted(found: Vec<IpAddr>, rules: &AddressRules) -> Result<Vec<IpAddr>, NameError> {
    let mut refused = None;
    let admitted: Vec<IpAddr> = found
        .into_iter()
        .filter(|address| rules.check(*address).map_err(|error| refused = Some(error)).is_ok())
        .collect();
    match (admitted.is_empty(), refused) {
        (false, _) => Ok(admitted),
        (true, Some(refused)) => Err(NameError::Refused(refused)),
        (true, None) => Err(NameError::Empty),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_admitted_addresses_are_left() {
        let rules = AddressRules::default();
        let of = |found: &[&str]| admitted(found.iter().map(|address| address.parse().unwrap()).collect(), &rules);
        assert_eq!(of(&["10.0.0.1", "1.1.1.1", "::1"]).unwrap(), ["1.1.1.1".parse::<IpAddr>().unwrap()]);
        assert!(matches!(of(&["10.0.0.1", "::1"]), Err(NameError::Refused(_))));
        assert!(matches!(of(&[]), Err(NameError::Empty)));
    }
}
