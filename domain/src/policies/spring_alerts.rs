//! A spring out of limits raises an alert.

use super::{Policy, Reaction};
use crate::Event;
use crate::alerts::{AlertKind, RaiseAlert, Severity, Subject};
use crate::kernel::Fact;
use crate::rail::{Level, Quality, RailEvent, SpringOutOfLimits, names};

/// One alert per quantity of a spring in a pass: the same measurement never raises two.
pub(super) struct SpringAlerts;

impl Policy for SpringAlerts {
    fn name(&self) -> &'static str {
        "alerts.spring_out_of_limits"
    }
    fn kinds(&self) -> &'static [&'static str] {
        &[names::SPRING_OUT_OF_LIMITS]
    }
    fn react(&self, fact: &Fact) -> Vec<Reaction> {
        let Event::Rail(RailEvent::SpringOutOfLimits(breach)) = &fact.event else { return vec![] };
        vec![Reaction::RaiseAlert(RaiseAlert {
            site: breach.site.clone(),
            kind: AlertKind::SpringOutOfLimits,
            severity: match breach.level {
                Level::Warning => Severity::Warning,
                Level::Alarm => Severity::Critical,
            },
            subject: Subject::Spring {
                pass: breach.pass.clone(),
                car: breach.car,
                spring: breach.spring.clone(),
                quantity: breach.quantity.clone(),
            },
            message: message(breach),
            cause: fact.stamp.id,
            cause_key: breach.alert_cause(),
        })]
    }
}

fn message(breach: &SpringOutOfLimits) -> String {
    let SpringOutOfLimits { pass, car, spring, quantity, unit, value, bound, .. } = breach;
    let side = if value < bound { "below" } else { "above" };
    let level = match breach.level {
        Level::Warning => "warning",
        Level::Alarm => "alarm",
    };
    let doubt = match breach.quality {
        Quality::Good => "",
        Quality::Suspect | Quality::Bad => " (the measurement is suspect)",
    };
    let (value, bound) = (value.get(), bound.get());
    format!(
        "Car {car} of pass {pass}, spring {spring}: {quantity} {value} {unit} is {side} the {level} bound of {bound} {unit}{doubt}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::spec;
    use crate::policies::fixtures::fact;
    use crate::rail::Value;
    use crate::rail::fixtures::{breach, registered};

    fn alert_of(position: i64, breach: &SpringOutOfLimits) -> RaiseAlert {
        let mut reactions = SpringAlerts.react(&fact(position, breach.clone()));
        match reactions.pop() {
            Some(Reaction::RaiseAlert(raise)) if reactions.is_empty() => raise,
            other => panic!("one alert, not {other:?}"),
        }
    }

    #[test]
    fn a_spring_out_of_limits_raises_the_alert_that_the_confirmation_waits_for() {
        let raise = alert_of(4, &breach(12, "L1"));
        assert_eq!((raise.severity, raise.cause), (Severity::Critical, fact(4, breach(12, "L1")).stamp.id));
        assert_eq!(raise.alert(), breach(12, "L1").alert());
        assert_eq!(
            raise.message,
            "Car 12 of pass SANGATTE/20260101-0412, spring L1: height 170 mm is below the alarm bound of 180 mm"
        );
        assert_ne!(raise.alert(), alert_of(5, &breach(12, "L2")).alert());
    }

    #[test]
    fn a_warning_is_less_than_an_alarm() {
        let number = |number| Value::new(number).unwrap();
        let warning = SpringOutOfLimits {
            level: Level::Warning,
            value: number(245.0),
            bound: number(240.0),
            quality: Quality::Suspect,
            ..breach(1, "L1")
        };
        let raise = alert_of(4, &warning);
        assert_eq!(raise.severity, Severity::Warning);
        let end = "height 245 mm is above the warning bound of 240 mm (the measurement is suspect)";
        assert!(raise.message.ends_with(end), "{}", raise.message);
    }

    #[test]
    fn a_replay_raises_nothing_anew() {
        let raise = alert_of(4, &breach(1, "L1"));
        assert_eq!(raise, alert_of(4, &breach(1, "L1")));
        spec::given([]).when(raise.clone()).recorded().when(raise).then_nothing();
    }

    #[test]
    fn the_longest_texts_still_make_a_message() {
        let long = |length| "x".repeat(length);
        let widest = SpringOutOfLimits {
            pass: crate::rail::PassId::new(&format!("{}/{}", "S".repeat(16), long(64))).unwrap(),
            car: 200,
            spring: long(32),
            quantity: long(32),
            unit: long(16),
            value: Value::new(-1.234_567_890_123_456_7e-3).unwrap(),
            bound: Value::new(-1.234_567_890_123_456_7e-4).unwrap(),
            quality: Quality::Suspect,
            level: Level::Warning,
            ..breach(1, "L1")
        };
        assert!(spec::given([]).when(alert_of(4, &widest)).result.is_ok());
    }

    #[test]
    fn other_facts_are_nothing_to_it() {
        assert!(SpringAlerts.react(&fact(1, registered())).is_empty());
    }
}
