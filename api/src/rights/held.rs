//! What somebody holds, and where.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Right;

/// Rights, in one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Set(u16);

impl Set {
    /// Every right.
    pub(crate) const ALL: Self = Self::of(&Right::ALL);

    /// These.
    pub(crate) const fn of(rights: &[Right]) -> Self {
        let (mut bits, mut place) = (0, 0);
        while place < rights.len() {
            bits |= 1 << (rights[place] as u16);
            place += 1;
        }
        Self(bits)
    }

    pub(crate) const fn contains(self, right: Right) -> bool {
        self.0 & (1 << (right as u16)) != 0
    }

    pub(crate) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Where a right is held.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Sites {
    /// Everywhere, and for what belongs to no site.
    All,
    /// At these sites, in order; at none when there are none.
    Some(Arc<[String]>),
}

impl Sites {
    /// Whether it is held at a site; what belongs to none has an empty text for its site.
    pub(crate) fn contain(&self, site: &str) -> bool {
        match self {
            Self::All => true,
            Self::Some(sites) => sites.iter().any(|held| held == site),
        }
    }

    /// Whether it is held wherever `other` is.
    pub(crate) fn cover(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::All, _) => true,
            (Self::Some(_), Self::All) => false,
            (Self::Some(_), Self::Some(others)) => others.iter().all(|site| self.contain(site)),
        }
    }
}

/// What somebody may do everywhere, and what besides at which site.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Rights {
    everywhere: Set,
    at: BTreeMap<String, Set>,
}

impl Rights {
    /// Every right everywhere.
    pub(crate) fn all() -> Self {
        Self { everywhere: Set::ALL, at: BTreeMap::new() }
    }

    /// The same with some more, at a site or everywhere.
    #[must_use]
    pub(crate) fn with(mut self, set: Set, site: Option<&str>) -> Self {
        match site {
            None => self.everywhere = self.everywhere.with(set),
            Some(site) => {
                let at = self.at.entry(site.to_owned()).or_default();
                *at = at.with(set);
            }
        }
        self
    }

    /// Whether nothing is refused to whoever holds these.
    pub(crate) fn are_all(&self) -> bool {
        self.everywhere == Set::ALL
    }

    /// Where a right is held. One of the installation is held everywhere or not at all.
    pub(crate) fn sites(&self, right: Right) -> Sites {
        if self.everywhere.contains(right) {
            return Sites::All;
        }
        let held = self.at.iter().filter(|(_, set)| !right.is_of_installation() && set.contains(right));
        Sites::Some(held.map(|(site, _)| site.clone()).collect())
    }

    /// Whether a right is held anywhere.
    pub(crate) fn hold(&self, right: Right) -> bool {
        self.everywhere.contains(right)
            || (!right.is_of_installation() && self.at.values().any(|set| set.contains(right)))
    }

    /// Whether a right is held at a site.
    pub(crate) fn hold_at(&self, right: Right, site: &str) -> bool {
        self.everywhere.contains(right)
            || (!right.is_of_installation() && self.at.get(site).is_some_and(|set| set.contains(right)))
    }

    /// Whether anything at all is held at a site: otherwise it is as if nothing of it existed.
    pub(crate) fn know(&self, site: &str) -> bool {
        self.hold_at(Right::Read, site)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(sites: &[&str]) -> Sites {
        Sites::Some(sites.iter().map(|site| (*site).to_owned()).collect())
    }

    #[test]
    fn a_right_is_held_where_it_was_given() {
        let read = Set::of(&[Right::Read, Right::Inspect]);
        let rights = Rights::default().with(read, Some("LFW")).with(Set::of(&[Right::Audit]), None);
        assert_eq!(rights.sites(Right::Read), some(&["LFW"]));
        assert_eq!(rights.sites(Right::Audit), Sites::All);
        assert!(rights.hold_at(Right::Read, "LFW") && !rights.hold_at(Right::Read, "HKG"));
        assert!(rights.hold(Right::Read) && !rights.hold(Right::Operate) && !rights.are_all());
        assert!(Rights::all().are_all() && Right::ALL.iter().all(|right| Rights::all().hold(*right)));
    }

    #[test]
    fn a_right_of_the_installation_is_not_held_at_a_site() {
        let rights = Rights::default().with(Set::ALL, Some("LFW"));
        for right in Right::ALL {
            assert_eq!(rights.hold(right), !right.is_of_installation(), "{right:?}");
            assert_eq!(rights.sites(right) == some(&[]), right.is_of_installation(), "{right:?}");
            assert_eq!(rights.hold_at(right, "LFW"), !right.is_of_installation(), "{right:?}");
        }
    }

    #[test]
    fn everywhere_covers_every_site_and_no_sites_cover_everywhere() {
        assert!(Sites::All.cover(&Sites::All) && Sites::All.cover(&some(&["A"])));
        assert!(some(&["A", "B"]).cover(&some(&["B"])) && some(&["A"]).cover(&some(&[])));
        assert!(!some(&["A", "B"]).cover(&Sites::All) && !some(&["A"]).cover(&some(&["A", "B"])));
        assert!(Sites::All.contain("") && !some(&["A"]).contain(""));
    }
}
