//! Sets a stand up, or changes its description.

use serde::{Deserialize, Serialize};

use super::checks::airport;
use super::refusal::Decides;
use super::stand::Stand;
use super::{AirportRefusal, StandDefined, StandId};
use crate::kernel::{Context, Decided, Decision, Tag, World};

/// Sets a stand up or changes its description. Stays that it no longer suits are left as they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefineStand(pub StandDefined);

impl Decision for DefineStand {
    const NAME: &'static str = "airport.define_stand";
    type Answer = StandId;
    type Refusal = AirportRefusal;

    fn things(&self) -> Vec<Tag> {
        vec![self.0.stand.tag()]
    }

    fn decide(&self, world: &World, _context: &Context) -> Decides<StandId> {
        let StandDefined { site, stand, .. } = &self.0;
        airport(world, site)?;
        if stand.site() != *site {
            return Err(AirportRefusal::StandOfOtherSite { stand: stand.clone(), site: site.clone() }.into());
        }
        let known = world.guard::<Stand>(stand)?;
        if known.defined.as_ref() == Some(&self.0) {
            return Ok(Decided::nothing(stand.clone()));
        }
        Ok(Decided::events([self.0.clone().into()], stand.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{civil, lome, sangatte};
    use super::*;
    use crate::kernel::spec;
    use crate::support::SiteId;

    #[test]
    fn a_stand_is_set_up() {
        spec::given([lome()]).when(DefineStand(civil("C01"))).then([civil("C01").into()]);
    }

    #[test]
    fn another_description_is_a_fact() {
        let nearer = StandDefined { distance_m: 10, ..civil("C01") };
        spec::given([lome(), civil("C01").into()]).when(DefineStand(nearer.clone())).then([nearer.into()]);
    }

    #[test]
    fn the_same_description_again_is_no_event() {
        spec::given([lome(), civil("C01").into()]).when(DefineStand(civil("C01"))).then_nothing();
    }

    #[test]
    fn the_site_must_be_an_airport_that_is_set_up() {
        spec::given([]).when(DefineStand(civil("C01"))).then_refused("SITE_UNKNOWN");
        let site = SiteId::new("SANGATTE").unwrap();
        let stand = StandDefined { stand: StandId::at(&site, "C01").unwrap(), site, ..civil("C01") };
        spec::given([sangatte()]).when(DefineStand(stand)).then_refused("SITE_NOT_AIRPORT");
    }

    #[test]
    fn a_stand_belongs_to_the_site_of_its_id() {
        let elsewhere = StandDefined { stand: StandId::new("HKG/C01").unwrap(), ..civil("C01") };
        spec::given([lome()]).when(DefineStand(elsewhere)).then_refused("STAND_OF_OTHER_SITE");
    }
}
