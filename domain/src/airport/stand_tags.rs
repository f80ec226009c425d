//! What each fact about stands and allocations is about.

use super::shards::day_tags;
use super::{
    AllocationCancelled, AllocationHit, AllocationId, AllocationMoved, AllocationRulesSet, FlightId, NoStandFound,
    StandAllocated, StandClosed, StandDefined, StandFreed, StandId, StandReopened, TurnaroundRuleSet,
};
use crate::kernel::{Interval, Tag, events::Describe};
use crate::support::SiteId;

impl Describe for StandDefined {
    fn site(&self) -> Option<&SiteId> {
        Some(&self.site)
    }
    fn tags(&self) -> Vec<Tag> {
        vec![self.site.tag(), self.stand.tag()]
    }
}

macro_rules! about_site {
    ($($event:ident),*) => {$(
        impl Describe for $event {
            fn site(&self) -> Option<&SiteId> { Some(&self.site) }
            fn tags(&self) -> Vec<Tag> { vec![self.site.tag()] }
        }
    )*};
}
about_site!(AllocationRulesSet, TurnaroundRuleSet);

fn closure_tags(site: &SiteId, stand: &StandId, hits: &[AllocationHit]) -> Vec<Tag> {
    let about_hits = hits.iter().flat_map(|hit| [hit.allocation.tag(), hit.flight.tag()]);
    [site.tag(), stand.tag()].into_iter().chain(about_hits).collect()
}

impl Describe for StandClosed {
    fn site(&self) -> Option<&SiteId> {
        Some(&self.site)
    }
    fn tags(&self) -> Vec<Tag> {
        closure_tags(&self.site, &self.stand, &self.hits)
    }
}

impl Describe for StandReopened {
    fn site(&self) -> Option<&SiteId> {
        Some(&self.site)
    }
    fn tags(&self) -> Vec<Tag> {
        closure_tags(&self.site, &self.stand, &self.relieved)
    }
}

fn allocation_tags(
    allocation: AllocationId,
    flights: [Option<&FlightId>; 2],
    stays: &[(&StandId, Interval)],
    buffer: u32,
) -> Vec<Tag> {
    let mut tags = vec![allocation.tag()];
    tags.extend(flights.into_iter().flatten().map(FlightId::tag));
    for (stand, interval) in stays {
        tags.push(stand.tag());
        tags.extend(day_tags(stand, *interval, buffer));
    }
    tags.sort_unstable();
    tags.dedup();
    tags
}

macro_rules! about_stay {
    ($($event:ident, $stay:ident);*) => {$(
        impl Describe for $event {
            fn site(&self) -> Option<&SiteId> { Some(&self.site) }
            fn tags(&self) -> Vec<Tag> {
                let flights = [Some(&self.flight), self.turnaround.as_ref()];
                allocation_tags(self.allocation, flights, &[(&self.stand, self.$stay)], self.buffer_minutes)
            }
        }
    )*};
}
about_stay!(StandAllocated, interval; AllocationCancelled, planned);

impl StandFreed {
    /// From the planned start to the planned end or the time of leaving, whichever is later: the days of both are
    /// told of the end of the stay.
    fn touched(&self) -> Interval {
        let end = self.planned.to().map(|to| to.max(self.off_block_at));
        end.and_then(|end| Interval::new(self.planned.from(), end).ok()).unwrap_or(self.planned)
    }
}

impl Describe for StandFreed {
    fn site(&self) -> Option<&SiteId> {
        Some(&self.site)
    }
    fn tags(&self) -> Vec<Tag> {
        let flights = [Some(&self.flight), self.turnaround.as_ref()];
        allocation_tags(self.allocation, flights, &[(&self.stand, self.touched())], self.buffer_minutes)
    }
}

impl Describe for AllocationMoved {
    fn site(&self) -> Option<&SiteId> {
        Some(&self.site)
    }
    fn tags(&self) -> Vec<Tag> {
        let flights = [Some(&self.flight), self.turnaround.as_ref()];
        let stays = [(&self.from, self.interval), (&self.to, self.interval)];
        allocation_tags(self.allocation, flights, &stays, self.buffer_minutes)
    }
}

impl Describe for NoStandFound {
    fn site(&self) -> Option<&SiteId> {
        Some(&self.site)
    }
    fn tags(&self) -> Vec<Tag> {
        vec![self.flight.tag()]
    }
}
