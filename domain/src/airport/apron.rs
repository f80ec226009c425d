//! What is free on the apron, and which of it is best.
//!
//! Choosing reads the whole apron but guards nothing of it; once a stand is chosen, that stand alone is guarded, its
//! description and closures and its stays on the days in question. Two that choose different stands do not disturb
//! each other.

use super::shards::{SHARD_LIMIT, stand_day};
use super::site_rules::SiteRules;
use super::stand::{STAND_FACTS, Stands};
use super::stay::{ALLOCATION_FACTS, SiteDay, Stay, StaysOfDay};
use super::{AirportRefusal, Candidate, CodeLetter, Rejection, StandDefined, StandId, StandKind};
use crate::kernel::{Interval, IntervalSet, Need, Query, World};
use crate::support::SiteId;
use chrono::Duration;

/// What is looked for.
pub(super) struct Wish {
    pub(super) site: SiteId,
    pub(super) stay: Interval,
    pub(super) buffer_minutes: u32,
    pub(super) code: CodeLetter,
    /// A stand that is out of the question: where the aircraft stands already.
    pub(super) except: Option<StandId>,
}

/// Why a stand is not to be had.
pub(super) enum Obstacle<'a> {
    TooSmall(CodeLetter),
    Closed(Interval),
    Occupied(&'a Stay, Interval),
}

/// A stand that was chosen.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) stand: StandId,
    /// Why it is a military one, if it is.
    pub(super) overflow: Option<String>,
}

/// The stands of a site and who holds them around the wished stay.
pub(super) struct Apron<'a> {
    world: &'a World,
    stands: &'a Stands,
    stays: Vec<&'a Stay>,
    wish: Wish,
}

impl<'a> Apron<'a> {
    /// Looks at the apron, without guarding anything.
    pub(super) fn look(world: &'a World, wish: Wish) -> Result<Self, Need> {
        let stands = world.consult::<Stands>(&wish.site)?;
        let mut stays = Vec::new();
        for day in wish.days() {
            stays.extend(world.consult::<StaysOfDay>(&day)?.iter());
        }
        Ok(Self { world, stands, stays, wish })
    }

    /// Guards what makes this stand free: its description, closures and stays on the days in question.
    pub(super) fn guard(&self, stand: &StandId) -> Result<(), Need> {
        self.world.guard_part::<Stands>(&self.wish.site, Query::of(STAND_FACTS, [stand.tag()]))?;
        for day in self.wish.days() {
            let part = Query::of(ALLOCATION_FACTS, [stand_day(stand, day.day)]);
            self.world.guard_part::<StaysOfDay>(&day, part)?;
        }
        Ok(())
    }

    /// The stand that was asked for, or why it is not to be had. Guarded.
    pub(super) fn named(&self, stand: &StandId) -> Result<Result<Choice, AirportRefusal>, Need> {
        let Some((defined, closed)) = self.stands.get(stand) else {
            let (stand, site) = (stand.clone(), self.wish.site.clone());
            return Ok(Err(AirportRefusal::StandUnknown { stand, site }));
        };
        if let Some(obstacle) = self.obstacle(defined, closed) {
            return Ok(Err(obstacle.refusal(stand, &self.wish)));
        }
        self.guard(stand)?;
        let overflow = match defined.kind {
            StandKind::Civil => None,
            StandKind::Military => Some("the military stand was requested".to_owned()),
        };
        Ok(Ok(Choice { stand: stand.clone(), overflow }))
    }

    /// The points of a stand by the site's weights; the fewest win.
    pub(super) fn points(&self, stand: &StandId, rules: &SiteRules) -> Option<u32> {
        self.stands.get(stand).map(|(defined, _)| self.points_of(defined, rules))
    }

    /// The best stand, guarded, and every stand that was looked at with its points or why it lost.
    pub(super) fn best(&self, rules: &SiteRules) -> Result<(Option<Choice>, Vec<Candidate>), Need> {
        let mut suitable = Vec::new();
        let mut candidates = Vec::new();
        for (defined, closed) in
            self.stands.iter().filter(|(defined, _)| Some(&defined.stand) != self.wish.except.as_ref())
        {
            let obstacle = self.obstacle(defined, closed);
            let points = obstacle.is_none().then(|| self.points_of(defined, rules));
            suitable.extend(points.map(|points| (defined.kind, points, defined.stand.clone())));
            let rejected = obstacle.as_ref().map(Obstacle::rejection);
            candidates.push(Candidate { stand: defined.stand.clone(), points, rejected });
        }
        let Some((kind, _, stand)) = suitable.iter().min().cloned() else { return Ok((None, candidates)) };
        for (loser_kind, _, loser) in suitable.iter().filter(|(_, _, other)| *other != stand) {
            let why = if *loser_kind > kind { Rejection::CivilFirst } else { Rejection::MorePoints };
            let lost = candidates.iter_mut().find(|candidate| candidate.stand == *loser);
            lost.expect("every suitable stand is a candidate").rejected = Some(why);
        }
        let overflow = match kind {
            StandKind::Civil => None,
            StandKind::Military => Some(self.overflow_reason(&candidates)),
        };
        self.guard(&stand)?;
        Ok((Some(Choice { stand, overflow }), candidates))
    }

    fn obstacle(&self, defined: &StandDefined, closed: &IntervalSet) -> Option<Obstacle<'a>> {
        if defined.code < self.wish.code {
            return Some(Obstacle::TooSmall(defined.code));
        }
        if let Some(interval) = closed.overlapping(self.wish.stay).next() {
            return Some(Obstacle::Closed(*interval));
        }
        let in_the_way = self
            .stays
            .iter()
            .filter(|stay| stay.stand == defined.stand && stay.clashes(self.wish.stay, self.wish.buffer_minutes));
        let taken = in_the_way.filter_map(|stay| Some((*stay, stay.occupied()?)));
        let (stay, interval) = taken.min_by_key(|(_, interval)| interval.from())?;
        Some(Obstacle::Occupied(stay, interval))
    }

    fn points_of(&self, defined: &StandDefined, rules: &SiteRules) -> u32 {
        let weights = rules.weights();
        let spare = defined.code as u32 - self.wish.code as u32;
        let no_jetway = if defined.jetway { 0 } else { weights.no_jetway };
        let letters = weights.spare_letter.saturating_mul(spare);
        letters.saturating_add(no_jetway).saturating_add(weights.metre.saturating_mul(defined.distance_m))
    }

    fn overflow_reason(&self, candidates: &[Candidate]) -> String {
        let (mut small, mut closed, mut occupied) = (0, 0, 0);
        let is_civil = |stand| self.stands.get(stand).is_some_and(|(defined, _)| defined.kind == StandKind::Civil);
        for candidate in candidates.iter().filter(|candidate| is_civil(&candidate.stand)) {
            match candidate.rejected {
                Some(Rejection::TooSmall { .. }) => small += 1,
                Some(Rejection::Closed { .. }) => closed += 1,
                Some(Rejection::Occupied { .. }) => occupied += 1,
                Some(Rejection::CivilFirst | Rejection::MorePoints) | None => {}
            }
        }
        let code = self.wish.code;
        format!(
            "no civil stand was left for code letter {code}: {occupied} occupied, {closed} closed, {small} too small"
        )
    }
}

impl Wish {
    /// The days whose stays can be in the way.
    fn days(&self) -> impl Iterator<Item = SiteDay> + use<'_> {
        let days = self.stay.padded(Duration::minutes(self.buffer_minutes.into())).days(SHARD_LIMIT);
        days.map(|day| SiteDay { site: self.site.clone(), day })
    }
}

impl Obstacle<'_> {
    fn rejection(&self) -> Rejection {
        match self {
            Self::TooSmall(code) => Rejection::TooSmall { code: *code },
            Self::Closed(interval) => Rejection::Closed { interval: *interval },
            Self::Occupied(stay, interval) => Rejection::Occupied { flight: stay.flight.clone(), interval: *interval },
        }
    }

    fn refusal(&self, stand: &StandId, wish: &Wish) -> AirportRefusal {
        let stand = stand.clone();
        match self {
            Self::TooSmall(takes) => AirportRefusal::StandTooSmall { stand, takes: *takes, needs: wish.code },
            Self::Closed(interval) => AirportRefusal::StandClosed { stand, interval: *interval },
            Self::Occupied(stay, interval) => AirportRefusal::StandOccupied {
                stand,
                flight: stay.flight.clone(),
                interval: *interval,
                allocation: stay.allocation,
                buffer_minutes: wish.buffer_minutes.max(stay.buffer_minutes),
            },
        }
    }
}
