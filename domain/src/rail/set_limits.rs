//! Sets the limits by which a site judges springs.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::bounds::{TextError, TextField};
use super::rail_site::{RailSiteError, check_site};
use super::site_limits::SiteLimits;
use super::{Limit, LimitsSet};
use crate::kernel::{Context, Decided, Decision, Refused, Tag, Verdict, World, plain};
use crate::support::SiteId;

/// The most limits of a site.
pub const MAX_LIMITS: usize = 64;

/// Sets all limits of a site, for passes from a time on until limits with a later time take over. Passes that were
/// judged before keep their judgement. Without any limit nothing is judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SetLimits {
    /// The site.
    pub site: SiteId,
    /// Passes from this time on are judged by them.
    pub valid_from: DateTime<Utc>,
    /// One per quantity.
    pub limits: Vec<Limit>,
}

/// The limits that are set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitsAnswer {
    /// The site.
    pub site: SiteId,
    /// Counts the site's limits.
    pub version: u32,
}

/// Why limits cannot be set.
#[derive(Debug, Clone, PartialEq, thiserror::Error, Serialize)]
#[serde(tag = "rule", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LimitsRefusal {
    /// The site was never set up.
    #[error("site {site} is not set up")]
    SiteUnknown {
        /// The site.
        site: SiteId,
    },
    /// The site is an airport.
    #[error("site {site} is not a rail site")]
    SiteNotRail {
        /// The site.
        site: SiteId,
    },
    /// A text is empty, too long or has other characters.
    #[error(transparent)]
    Text(TextError),
    /// More than [`MAX_LIMITS`].
    #[error("a site has at most {max} limits, not {found}")]
    TooManyLimits {
        /// How many there may be.
        max: usize,
        /// How many there are.
        found: usize,
    },
    /// A quantity has two limits.
    #[error("{quantity} has more than one limit")]
    LimitTwice {
        /// The quantity.
        quantity: String,
    },
    /// A limit without a bound limits nothing.
    #[error("the limit of {quantity} has no bound")]
    LimitUnbounded {
        /// The quantity.
        quantity: String,
    },
    /// Warning bounds lie inside alarm bounds, and low bounds below high ones.
    #[error("the limit of {quantity} is out of order: {lower} is above {upper}")]
    LimitOrder {
        /// The quantity.
        quantity: String,
        /// The bound that should be the lower one.
        lower: &'static str,
        /// The bound that should be the upper one.
        upper: &'static str,
    },
}

impl Refused for LimitsRefusal {
    fn code(&self) -> &'static str {
        match self {
            Self::SiteUnknown { .. } => "SITE_UNKNOWN",
            Self::SiteNotRail { .. } => "SITE_NOT_RAIL",
            Self::Text(_) => "TEXT",
            Self::TooManyLimits { .. } => "TOO_MANY_LIMITS",
            Self::LimitTwice { .. } => "LIMIT_TWICE",
            Self::LimitUnbounded { .. } => "LIMIT_UNBOUNDED",
            Self::LimitOrder { .. } => "LIMIT_ORDER",
        }
    }
    fn details(&self) -> serde_json::Value {
        plain(self)
    }
}

impl From<RailSiteError> for LimitsRefusal {
    fn from(error: RailSiteError) -> Self {
        match error {
            RailSiteError::Unknown { site } => Self::SiteUnknown { site },
            RailSiteError::NotRail { site } => Self::SiteNotRail { site },
        }
    }
}

fn check_limit(limit: &Limit) -> Result<(), LimitsRefusal> {
    TextField::Quantity.check(&limit.quantity).map_err(LimitsRefusal::Text)?;
    TextField::Unit.check(&limit.unit).map_err(LimitsRefusal::Text)?;
    let bounds: Vec<_> = limit.bounds().collect();
    if bounds.is_empty() {
        return Err(LimitsRefusal::LimitUnbounded { quantity: limit.quantity.clone() });
    }
    match bounds.windows(2).find(|pair| pair[0].1 > pair[1].1) {
        Some(pair) => {
            Err(LimitsRefusal::LimitOrder { quantity: limit.quantity.clone(), lower: pair[0].0, upper: pair[1].0 })
        }
        None => Ok(()),
    }
}

impl SetLimits {
    fn check(&self) -> Result<(), LimitsRefusal> {
        if self.limits.len() > MAX_LIMITS {
            return Err(LimitsRefusal::TooManyLimits { max: MAX_LIMITS, found: self.limits.len() });
        }
        self.limits.iter().try_for_each(check_limit)?;
        let mut seen = BTreeSet::new();
        match self.limits.iter().find(|limit| !seen.insert(&limit.quantity)) {
            Some(twice) => Err(LimitsRefusal::LimitTwice { quantity: twice.quantity.clone() }),
            None => Ok(()),
        }
    }
}

impl Decision for SetLimits {
    const NAME: &'static str = "rail.set_limits";
    type Answer = LimitsAnswer;
    type Refusal = LimitsRefusal;

    fn things(&self) -> Vec<Tag> {
        vec![self.site.tag()]
    }

    fn decide(&self, world: &World, _context: &Context) -> Verdict<LimitsAnswer, LimitsRefusal> {
        self.check()?;
        check_site(world, &self.site)?;
        let known = world.guard::<SiteLimits>(&self.site)?;
        let answer = |version| LimitsAnswer { site: self.site.clone(), version };
        if let Some(same) = known.set_for(self.valid_from).filter(|set| set.limits == self.limits) {
            return Ok(Decided::nothing(answer(same.version)));
        }
        let version = known.next_version();
        let (site, valid_from, limits) = (self.site.clone(), self.valid_from, self.limits.clone());
        Ok(Decided::events([LimitsSet { site, version, valid_from, limits }.into()], answer(version)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{View, spec};
    use crate::rail::fixtures::{height, noon_plus, rail_site, site, value};
    use crate::support::SiteDefined;

    fn command(valid_from: DateTime<Utc>, limits: Vec<Limit>) -> SetLimits {
        SetLimits { site: site(), valid_from, limits }
    }

    fn event(version: u32, valid_from: DateTime<Utc>, limits: Vec<Limit>) -> LimitsSet {
        LimitsSet { site: site(), version, valid_from, limits }
    }

    #[test]
    fn versions_count_the_limits_of_a_site() {
        let tighter = || Limit { warning_low: Some(value(195.0)), ..height() };
        let first = spec::given([rail_site()]).when(command(noon_plus(0), vec![height()]));
        assert_eq!(first.answer().version, 1);
        let second = first
            .then([event(1, noon_plus(0), vec![height()]).into()])
            .recorded()
            .when(command(noon_plus(0), vec![tighter()]));
        second.then([event(2, noon_plus(0), vec![tighter()]).into()]);
    }

    #[test]
    fn the_same_limits_again_are_no_event() {
        let given = spec::given([rail_site(), event(1, noon_plus(0), vec![height()]).into()]);
        let again = given.when(command(noon_plus(0), vec![height()])).then_nothing();
        assert_eq!(again.answer().version, 1);
    }

    #[test]
    fn limits_are_in_force_from_their_time_until_the_next() {
        let mut view = SiteLimits::default();
        assert!(view.at(noon_plus(0)).is_none());
        for (version, from) in [(1, 0), (2, 60), (3, 30), (4, 30)] {
            view.0.push(event(version, noon_plus(from), vec![]));
        }
        let at = |minute| view.at(noon_plus(minute)).map(|set| set.version);
        assert_eq!([at(-1), at(0), at(29), at(30), at(60)], [None, Some(1), Some(1), Some(4), Some(2)]);
        assert!(SiteLimits::boundary(&site()).matches("rail.limits_set", &[site().tag()]));
    }

    #[test]
    fn bounds_out_of_order_are_refused() {
        let outside = Limit { warning_low: Some(value(170.0)), ..height() };
        let refusal = spec::given([rail_site()]).when(command(noon_plus(0), vec![outside])).then_refused("LIMIT_ORDER");
        assert_eq!(refusal.to_string(), "the limit of height is out of order: alarm_low is above warning_low");
        let crossed = Limit { alarm_low: Some(value(300.0)), warning_low: None, warning_high: None, ..height() };
        spec::given([rail_site()]).when(command(noon_plus(0), vec![crossed])).then_refused("LIMIT_ORDER");
    }

    #[test]
    fn a_quantity_has_one_limit_and_a_limit_has_a_bound() {
        let twice = command(noon_plus(0), vec![height(), height()]);
        spec::given([rail_site()]).when(twice).then_refused("LIMIT_TWICE");
        let open = Limit { alarm_low: None, warning_low: None, warning_high: None, alarm_high: None, ..height() };
        spec::given([rail_site()]).when(command(noon_plus(0), vec![open])).then_refused("LIMIT_UNBOUNDED");
        let nameless = Limit { quantity: String::new(), ..height() };
        spec::given([rail_site()]).when(command(noon_plus(0), vec![nameless])).then_refused("TEXT");
        let many: Vec<_> = (0..65).map(|n| Limit { quantity: format!("q{n}"), ..height() }).collect();
        spec::given([rail_site()]).when(command(noon_plus(0), many)).then_refused("TOO_MANY_LIMITS");
    }

    #[test]
    fn only_a_rail_site_has_limits() {
        spec::given([]).when(command(noon_plus(0), vec![height()])).then_refused("SITE_UNKNOWN");
        let crate::Event::Support(crate::support::SupportEvent::SiteDefined(defined)) = rail_site() else {
            panic!("a site")
        };
        let airport = SiteDefined { kind: crate::support::SiteKind::Airport, ..defined };
        spec::given([airport.into()]).when(command(noon_plus(0), vec![height()])).then_refused("SITE_NOT_RAIL");
    }

    #[test]
    fn two_who_set_limits_at_once_do_not_get_the_same_version() {
        let outcome = spec::given([rail_site()]).when(command(noon_plus(0), vec![height()]));
        assert!(outcome.guards_against(&event(1, noon_plus(5), vec![]).into()));
    }
}
