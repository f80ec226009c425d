//! How facts that older versions stored are lifted to today's shape, oldest first. See docs/events.md.

use serde_json::{Value, json};

use crate::kernel::events::Stored;

/// Version 1 named the aircraft in two fields, and of the one before its type alone. That hid an exchange for another
/// aircraft of the same type: the fact said that an A332 replaces an A332. Version 2 names both aircraft in full;
/// the registration of the one before is unknown in a fact that version 1 has stored.
pub(super) fn aircraft_assigned_to_2(stored: &mut Stored) {
    let [aircraft_type, registration, was] =
        ["aircraft_type", "registration", "was"].map(|field| stored.remove(field).unwrap_or_default());
    let was = if was.is_null() { Value::Null } else { json!({ "type": was, "registration": null }) };
    stored.insert("aircraft".to_owned(), json!({ "type": aircraft_type, "registration": registration }));
    stored.insert("was".to_owned(), was);
}

#[cfg(test)]
mod tests {
    use crate::Event;
    use crate::airport::testing::{arrival, clock, lfw};
    use crate::airport::{Aircraft, AircraftAssigned, AircraftType};

    fn lifted(registration: &str, was: &str) -> Event {
        let data = format!(
            r#"{{"flight": "{}", "site": "LFW", "aircraft_type": "A333", "registration": {registration},
                 "was": {was}, "clock": {{"source": "hkia", "observed_at": "{}"}}}}"#,
            arrival("AF860"),
            clock("06:00").observed_at.to_rfc3339(),
        );
        Event::decode("airport.aircraft_assigned", 1, &data).unwrap()
    }

    fn assigned(registration: Option<&str>, was: Option<&str>) -> Event {
        let aircraft = |aircraft_type: &str, registration: Option<&str>| Aircraft {
            aircraft_type: AircraftType::new(aircraft_type).unwrap(),
            registration: registration.map(str::to_owned),
        };
        AircraftAssigned {
            flight: arrival("AF860"),
            site: lfw(),
            aircraft: aircraft("A333", registration),
            was: was.map(|was| aircraft(was, None)),
            clock: clock("06:00"),
        }
        .into()
    }

    #[test]
    fn the_aircraft_before_keeps_its_type_and_has_no_registration() {
        assert_eq!(lifted("\"F-GZCA\"", "\"A332\""), assigned(Some("F-GZCA"), Some("A332")));
    }

    #[test]
    fn the_first_aircraft_has_none_before_it() {
        assert_eq!(lifted("null", "null"), assigned(None, None));
    }

    #[test]
    fn what_is_lifted_is_written_in_todays_version_and_read_back_as_it_is() {
        let event = lifted("\"F-GZCA\"", "\"A332\"");
        let encoded = event.encode();
        assert_eq!(encoded.version, 2);
        assert_eq!(Event::decode(encoded.name, encoded.version, &encoded.data).unwrap(), event);
    }

    #[test]
    fn a_version_1_without_its_type_is_refused() {
        let error = Event::decode("airport.aircraft_assigned", 1, "{}").unwrap_err();
        assert_eq!(error.to_string(), "the data of a airport.aircraft_assigned (version 1) cannot be read");
    }
}
