//! Operators of a rail site: cameras send passes, people acknowledge and confirm, policies raise alerts in between.

use chrono::Duration;
use vigie_domain::Event;
use vigie_domain::alerts::{AcknowledgeAlert, AlertEvent, AlertId, names};
use vigie_domain::kernel::{Note, spec};
use vigie_domain::rail::{
    CarPart, ConfirmPass, Limit, PassHeader, PassId, PassPart, Quality, Reading, RecordPassPart, SetLimits, Value,
};
use vigie_domain::support::{DefineSite, SiteDefined, SiteId, SiteKind, Zone};
use vigie_eventlog::{Query, Read};

use super::{Calls, Desk};
use crate::Fault;
use crate::dice::Dice;

const FINE: &str = "the ids and numbers of the oracle follow the rules";
/// Cars of a train.
const CARS: u16 = 3;
/// How many of the latest passes are worked on.
const PASSES: u64 = 4;

fn site() -> SiteId {
    SiteId::new("SANGATTE").expect(FINE)
}

fn value(number: f64) -> Value {
    Value::new(number).expect(FINE)
}

/// The site, with springs that may be 180 to 250 mm high.
pub(super) async fn set_up(desk: &mut Desk, dice: &mut Dice) -> Result<(), Fault> {
    let zone = Zone::new("Europe/Paris").expect(FINE);
    let sangatte = SiteDefined { site: site(), name: "Sangatte".into(), kind: SiteKind::Rail, zone, icao: None };
    desk.give(DefineSite(sangatte), dice).await?;
    let limit = Limit {
        quantity: "height".into(),
        unit: "mm".into(),
        alarm_low: Some(value(180.0)),
        warning_low: None,
        warning_high: None,
        alarm_high: Some(value(250.0)),
    };
    let valid_from = spec::noon() - Duration::days(1);
    desk.give(SetLimits { site: site(), valid_from, limits: vec![limit] }, dice).await?;
    Ok(())
}

/// Gives commands until it is over.
pub(super) async fn run(mut desk: Desk, mut dice: Dice, calls: Calls) -> Result<(), Fault> {
    while calls.think(&mut dice).await {
        let pass = pass(&desk, &mut dice);
        match dice.below(100) {
            0..60 => desk.give(part(pass, &mut dice), &mut dice).await.map(drop)?,
            60..80 => acknowledge(&mut desk, &mut dice).await?,
            _ => {
                let (pass, note) = (header(pass).pass, Note::default());
                desk.give(ConfirmPass { pass, note }, &mut dice).await.map(drop)?;
            }
        }
    }
    Ok(())
}

/// One of the latest passes; a new one comes every few hundred events.
fn pass(desk: &Desk, dice: &mut Dice) -> u64 {
    desk.log().seen().borrow().unsigned_abs() / 200 + dice.below(PASSES)
}

fn header(number: u64) -> PassHeader {
    let minutes = i64::try_from(number).expect("passes are few");
    PassHeader {
        pass: PassId::at(&site(), &number.to_string()).expect(FINE),
        track: "1".into(),
        passed_at: spec::noon() + Duration::minutes(minutes),
        train: None,
    }
}

/// A part of a pass: the same car is measured the same, whoever sends it, so that most of what is sent is known.
fn part(number: u64, dice: &mut Dice) -> RecordPassPart {
    let car = u16::try_from(dice.below(u64::from(CARS) + 1)).expect("small");
    let part = if car == 0 { PassPart::Complete { cars: CARS } } else { PassPart::Car(measured(number, car, dice)) };
    RecordPassPart { header: header(number), part }
}

fn measured(number: u64, car: u16, dice: &mut Dice) -> CarPart {
    // Now and then another camera sees another spring of the car, perhaps after the pass was confirmed.
    let (camera, spring) = if dice.chance(20) { ("CAM-2", "R1") } else { ("CAM-1", "L1") };
    let height = Dice::of(number, &format!("{car}/{spring}")).between(170, 230);
    let height = u32::try_from(height).expect("small");
    let (quantity, unit, quality) = ("height".into(), "mm".into(), Quality::Good);
    let reading = Reading { spring: spring.into(), quantity, unit, value: value(f64::from(height)), quality };
    CarPart { car, vehicle: None, camera: camera.into(), readings: vec![reading] }
}

/// Acknowledges one of the latest alerts, whatever it is about.
async fn acknowledge(desk: &mut Desk, dice: &mut Dice) -> Result<(), Fault> {
    let latest = desk.log().read(&Query::kinds([names::ALERT_RAISED]), Read::backwards().limit(20)).await;
    let raised = latest.unwrap_or_default().into_iter().filter_map(|recorded| {
        match Event::decode(&recorded.kind, recorded.version, recorded.data.get()) {
            Ok(Event::Alerts(AlertEvent::AlertRaised(raised))) => Some(raised.alert),
            _ => None,
        }
    });
    let raised: Vec<AlertId> = raised.collect();
    let Some(alert) = dice.pick(&raised).copied() else { return Ok(()) };
    desk.give(AcknowledgeAlert { alert, note: Note::default() }, dice).await.map(drop)
}
