//! What facts about flights say.

use serde_json::Value;
use vigie_domain::airport::{
    Aircraft, AircraftAssigned, DetailsCorrected, FlightArrived, FlightCancelled, FlightDeparted, FlightEstimated,
    FlightId, FlightLanded, FlightPhaseReported, FlightPlaced, FlightRegistered, FlightReinstated, FlightRescheduled,
    FlightReverted, Progress, TurnaroundLinked,
};

use super::told::{After, Told, is};

/// What a fact says.
pub(super) trait Tell {
    /// In words and fields.
    fn tell(&self) -> Told;
}

/// A report of how far a flight has come.
fn progress(action: &str, flight: &FlightId, progress: Progress) -> Told {
    let nothing = || After::Is(Value::Null);
    let (name, at) = match progress {
        Progress::Scheduled => (is("scheduled"), nothing()),
        Progress::Estimated(at) => (is("estimated"), is(at)),
        Progress::Landed(at) => (is("landed"), is(at)),
        Progress::Arrived(at) => (is("arrived"), is(at)),
        Progress::Departed(at) => (is("departed"), is(at)),
        Progress::Phase(phase) => (is(phase), nothing()),
        Progress::Cancelled => (is("cancelled"), nothing()),
    };
    Told::new(format!("{action} {flight}")).set(flight.tag(), [("progress", name), ("progress_at", at)])
}

impl Tell for FlightRegistered {
    fn tell(&self) -> Told {
        let fields =
            [("progress", is("scheduled")), ("scheduled_at", is(self.scheduled_at)), ("details", is(&self.details))];
        Told::new(format!("registered flight {}", self.flight)).set(self.flight.tag(), fields)
    }
}

impl Tell for FlightRescheduled {
    fn tell(&self) -> Told {
        Told::new(format!("rescheduled {}", self.flight)).set(self.flight.tag(), [("scheduled_at", is(self.to))])
    }
}

impl Tell for FlightEstimated {
    fn tell(&self) -> Told {
        progress("estimated", &self.flight, Progress::Estimated(self.at))
    }
}

impl Tell for FlightLanded {
    fn tell(&self) -> Told {
        progress("reported the landing of", &self.flight, Progress::Landed(self.at))
    }
}

impl Tell for FlightArrived {
    fn tell(&self) -> Told {
        progress("reported on block", &self.flight, Progress::Arrived(self.at))
    }
}

impl Tell for FlightDeparted {
    fn tell(&self) -> Told {
        progress("reported the departure of", &self.flight, Progress::Departed(self.at))
    }
}

impl Tell for FlightPhaseReported {
    fn tell(&self) -> Told {
        progress("reported a phase of", &self.flight, Progress::Phase(self.phase))
    }
}

impl Tell for FlightCancelled {
    fn tell(&self) -> Told {
        progress("cancelled", &self.flight, Progress::Cancelled).note(self.note.as_str())
    }
}

impl Tell for FlightReinstated {
    fn tell(&self) -> Told {
        progress("reinstated", &self.flight, Progress::Scheduled).note(self.note.as_str())
    }
}

impl Tell for FlightReverted {
    fn tell(&self) -> Told {
        progress("took back the reports of", &self.flight, Progress::Scheduled)
    }
}

impl Tell for FlightPlaced {
    fn tell(&self) -> Told {
        let fields = [
            ("gate", is(&self.to.gate)),
            ("belt", is(&self.to.belt)),
            ("terminal", is(&self.to.terminal)),
            ("aisle", is(&self.to.aisle)),
            ("hall", is(&self.to.hall)),
        ];
        Told::new(format!("placed {}", self.flight)).set(self.flight.tag(), fields)
    }
}

impl Tell for DetailsCorrected {
    fn tell(&self) -> Told {
        Told::new(format!("corrected the details of {}", self.flight))
            .set(self.flight.tag(), [("details", is(&self.to))])
    }
}

impl Tell for AircraftAssigned {
    fn tell(&self) -> Told {
        let Aircraft { aircraft_type, registration } = &self.aircraft;
        let fields = [("aircraft_type", is(aircraft_type)), ("registration", is(registration))];
        Told::new(format!("assigned aircraft {aircraft_type} to {}", self.flight)).set(self.flight.tag(), fields)
    }
}

impl Tell for TurnaroundLinked {
    fn tell(&self) -> Told {
        Told::new(format!("linked {} with {}", self.arrival, self.departure))
            .set(self.arrival.tag(), [("turnaround", is(&self.departure))])
            .set(self.departure.tag(), [("turnaround", is(&self.arrival))])
    }
}
