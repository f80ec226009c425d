//! Operators of an airport: they all want the same few stands.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Duration, Utc};
use vigie_domain::airport::{
    AircraftType, AirportCode, AllocateAnswer, AllocateStand, AllocationId, CancelAllocation, Carrier, Clock,
    CloseStand, CodeLetter, DefineStand, Details, Direction, FreeStand, Leg, MoveAllocation, ObserveFlight, Placement,
    Progress, ReopenStand, StandDefined, StandId, StandKind, StayOf,
};
use vigie_domain::kernel::{Note, spec};
use vigie_domain::support::{DefineSite, SiteDefined, SiteId, SiteKind, Zone};

use super::{Calls, Desk};
use crate::Fault;
use crate::dice::Dice;

const FINE: &str = "the ids of the oracle follow the rules";
const STANDS: u64 = 6;
/// How many allocations the operators of a process remember.
const REMEMBERED: usize = 12;

/// The allocations that the operators of a process know of.
pub(super) type Allocations = Arc<Mutex<Vec<(AllocationId, DateTime<Utc>)>>>;

struct Operator {
    desk: Desk,
    dice: Dice,
    name: String,
    flights: u64,
    allocations: Allocations,
}

fn site() -> SiteId {
    SiteId::new("LFW").expect(FINE)
}

fn stand(number: u64) -> StandId {
    StandId::at(&site(), &format!("C{number:02}")).expect(FINE)
}

/// The airport and its stands.
pub(super) async fn set_up(desk: &mut Desk, dice: &mut Dice) -> Result<(), Fault> {
    let zone = Zone::new("Africa/Lome").expect(FINE);
    let lome = SiteDefined { site: site(), name: "Lomé".into(), kind: SiteKind::Airport, zone, icao: None };
    desk.give(DefineSite(lome), dice).await?;
    for number in 0..STANDS {
        let (stand, kind, code) = (stand(number), StandKind::Civil, CodeLetter::E);
        desk.give(DefineStand(StandDefined { stand, site: site(), kind, code, jetway: true, distance_m: 10 }), dice)
            .await?;
    }
    Ok(())
}

/// Gives commands until it is over.
pub(super) async fn run(
    desk: Desk,
    name: String,
    dice: Dice,
    calls: Calls,
    allocations: Allocations,
) -> Result<(), Fault> {
    let mut operator = Operator { desk, dice, name, flights: 0, allocations };
    while calls.think(&mut operator.dice).await {
        operator.carry_out().await?;
    }
    Ok(())
}

impl Operator {
    async fn carry_out(&mut self) -> Result<(), Fault> {
        match self.dice.below(100) {
            0..40 => self.flight().await,
            40..50 => self.end().await,
            50..75 => self.shift().await,
            _ => self.close_or_reopen().await,
        }
    }

    /// Time goes on with the log, a minute every few events, so that stands are wanted at about the same hours.
    fn hour(&mut self) -> DateTime<Utc> {
        let now = *self.desk.log().seen().borrow() / 8;
        spec::noon() + Duration::minutes(now + i64::try_from(self.dice.below(180)).expect("small"))
    }

    async fn flight(&mut self) -> Result<(), Fault> {
        self.flights += 1;
        let scheduled_at = self.hour();
        let leg = Leg {
            site: site(),
            carrier: Carrier::new("AF").expect(FINE),
            number: self.dice.between(1, 9_999).to_string(),
            date: scheduled_at.date_naive(),
            direction: Direction::Arrival,
            airport: AirportCode::new("CDG").expect(FINE),
            ordinal: 1,
        };
        let flight = leg.id().expect(FINE);
        let source = format!("oracle/{}/{}", self.name, self.flights);
        let report = ObserveFlight {
            leg,
            scheduled_at,
            details: Details::default(),
            progress: Progress::Scheduled,
            placement: Placement::default(),
            aircraft_type: Some(AircraftType::new("A333").expect(FINE)),
            clock: Clock { source, observed_at: spec::noon() },
            confirmed_at: None,
        };
        if self.desk.give(report, &mut self.dice).await?.is_none() {
            return Ok(());
        }
        let stand = self.dice.chance(70).then(|| stand(self.dice.below(STANDS)));
        let wish = AllocateStand { flight, stand, from: None, to: None, note: Note::default() };
        if let Some(AllocateAnswer::Allocated { allocation, interval, .. }) =
            self.desk.give(wish, &mut self.dice).await?
        {
            self.remember(allocation, interval.from());
        }
        Ok(())
    }

    fn remember(&self, allocation: AllocationId, from: DateTime<Utc>) {
        let mut known = self.allocations.lock().unwrap_or_else(PoisonError::into_inner);
        known.push((allocation, from));
        if known.len() > REMEMBERED {
            known.remove(0);
        }
    }

    fn known(&mut self) -> Option<(AllocationId, DateTime<Utc>)> {
        let known = self.allocations.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.dice.pick(&known).copied()
    }

    async fn end(&mut self) -> Result<(), Fault> {
        let Some((allocation, from)) = self.known() else { return Ok(()) };
        if self.dice.chance(50) {
            let note = Note::default();
            return self.desk.give(CancelAllocation { allocation, note }, &mut self.dice).await.map(drop);
        }
        let off_block_at = Some(from + Duration::minutes(45));
        self.desk.give(FreeStand { stay: StayOf::Allocation(allocation), off_block_at }, &mut self.dice).await.map(drop)
    }

    async fn shift(&mut self) -> Result<(), Fault> {
        let Some((allocation, _)) = self.known() else { return Ok(()) };
        let to = self.dice.chance(80).then(|| stand(self.dice.below(STANDS)));
        self.desk.give(MoveAllocation { allocation, to, note: Note::default() }, &mut self.dice).await.map(drop)
    }

    async fn close_or_reopen(&mut self) -> Result<(), Fault> {
        let (stand, from) = (stand(self.dice.below(STANDS)), self.hour());
        if self.dice.chance(40) {
            let to = Some(from + Duration::minutes(30));
            let close = CloseStand { stand, from, to, reason: Note::default() };
            return self.desk.give(close, &mut self.dice).await.map(drop);
        }
        let to = Some(from + Duration::minutes(240));
        let (from, note) = (from - Duration::minutes(120), Note::default());
        self.desk.give(ReopenStand { stand, from, to, note }, &mut self.dice).await.map(drop)
    }
}
