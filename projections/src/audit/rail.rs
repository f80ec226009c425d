//! What facts about train passes say.

use serde_json::json;
use vigie_domain::rail::RailEvent;

use super::told::{Told, is};

pub(super) fn describe(event: &RailEvent) -> Told {
    match event {
        RailEvent::LimitsSet(e) => Told::new(format!("set the spring limits of {}, version {}", e.site, e.version))
            .set(
                e.site.tag(),
                [("limits_version", is(e.version)), ("limits_valid_from", is(e.valid_from)), ("limits", is(&e.limits))],
            ),
        RailEvent::PassRegistered(e) => Told::new(format!("registered pass {}", e.pass)).set(
            e.pass.tag(),
            [
                ("status", is("receiving")),
                ("track", is(&e.track)),
                ("passed_at", is(e.passed_at)),
                ("train", is(&e.train)),
            ],
        ),
        RailEvent::CarMeasured(e) => {
            let car = json!({
                "vehicle": e.vehicle, "camera": e.camera, "readings": e.readings.len(),
                "limits_version": e.limits_version,
            });
            Told::new(format!("measured car {} of {}", e.car, e.pass))
                .set(e.pass.tag(), [(&format!("car {}", e.car), is(car))])
        }
        RailEvent::SpringOutOfLimits(e) => {
            let field = format!("car {} spring {} {}", e.car, e.spring, e.quantity);
            let found = json!({ "value": e.value, "unit": e.unit, "level": e.level, "bound": e.bound });
            Told::new(format!("found spring {} of car {} of {} out of limits", e.spring, e.car, e.pass))
                .set(e.pass.tag(), [(&field, is(found))])
        }
        RailEvent::CompletenessDeclared(e) => Told::new(format!("declared {} cars of {}", e.cars, e.pass))
            .set(e.pass.tag(), [("declared_cars", is(e.cars))]),
        RailEvent::PassCompleted(e) => Told::new(format!("completed pass {}", e.pass))
            .set(e.pass.tag(), [("status", is("complete")), ("cars", is(e.cars)), ("springs", is(e.springs))]),
        RailEvent::PassConfirmed(e) => Told::new(format!("confirmed pass {}", e.pass))
            .note(e.note.as_str())
            .set(e.pass.tag(), [("status", is("confirmed"))]),
        RailEvent::PassReopened(e) => Told::new(format!("reopened pass {} for alert {}", e.pass, e.alert))
            .set(e.pass.tag(), [("status", is("reopened"))]),
    }
}
