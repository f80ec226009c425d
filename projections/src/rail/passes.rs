//! Train passes with their cars, springs and alerts.

use vigie_domain::Event;
use vigie_domain::alerts::{self, AlertEvent, AlertId, Subject};
use vigie_domain::rail::{CarMeasured, PassId, RailEvent, SpringOutOfLimits, names};

use super::{CarRow, PassRow, PassStatus, SpringRow};
use crate::{Entry, FoldError, ReadModel, Rows};

/// Passes, what was measured, and whether a person may confirm them.
pub struct Passes;

impl ReadModel for Passes {
    const NAME: &'static str = "passes";
    const VERSION: i32 = 2;
    const EVENTS: &'static [&'static str] = &[
        names::PASS_REGISTERED,
        names::CAR_MEASURED,
        names::SPRING_OUT_OF_LIMITS,
        names::COMPLETENESS_DECLARED,
        names::PASS_COMPLETED,
        names::PASS_CONFIRMED,
        names::PASS_REOPENED,
        alerts::names::ALERT_RAISED,
        alerts::names::ALERT_ACKNOWLEDGED,
        alerts::names::ALERT_RESOLVED,
    ];
    type Rows = (PassRow, CarRow, SpringRow);

    fn keys(entry: &Entry, rows: &mut Rows) {
        match entry.event() {
            Event::Rail(event) => keys(event, rows),
            Event::Alerts(event) => {
                if let Some(pass) = pass_of(subject(event)) {
                    rows.want::<PassRow>((pass.clone(),));
                }
            }
            Event::Support(_) | Event::Airport(_) | Event::Identity(_) | Event::Webhooks(_) => {}
        }
    }

    fn fold(entry: &Entry, rows: &mut Rows) -> Result<(), FoldError> {
        match entry.event() {
            Event::Rail(event) => fold(event, entry, rows),
            Event::Alerts(event) => match pass_of(subject(event)) {
                Some(pass) => rows.change(&(pass.clone(),), entry, |row: &mut PassRow| row.alert(event)),
                None => Ok(()),
            },
            Event::Support(_) | Event::Airport(_) | Event::Identity(_) | Event::Webhooks(_) => Ok(()),
        }
    }
}

fn keys(event: &RailEvent, rows: &mut Rows) {
    let pass = match event {
        RailEvent::LimitsSet(_) => return,
        RailEvent::PassRegistered(event) => &event.pass,
        RailEvent::CarMeasured(event) => {
            rows.want::<CarRow>((event.pass.clone(), event.car));
            for reading in &event.readings {
                let (spring, quantity) = (reading.spring.clone(), reading.quantity.clone());
                rows.want::<SpringRow>((event.pass.clone(), event.car, spring, quantity));
            }
            &event.pass
        }
        RailEvent::SpringOutOfLimits(event) => {
            rows.want::<CarRow>((event.pass.clone(), event.car));
            let (spring, quantity) = (event.spring.clone(), event.quantity.clone());
            rows.want::<SpringRow>((event.pass.clone(), event.car, spring, quantity));
            &event.pass
        }
        RailEvent::CompletenessDeclared(event) => &event.pass,
        RailEvent::PassCompleted(event) => &event.pass,
        RailEvent::PassConfirmed(event) => &event.pass,
        RailEvent::PassReopened(event) => &event.pass,
    };
    rows.want::<PassRow>((pass.clone(),));
}

fn fold(event: &RailEvent, entry: &Entry, rows: &mut Rows) -> Result<(), FoldError> {
    let at = entry.stamp().occurred_at;
    match event {
        RailEvent::LimitsSet(_) => Ok(()),
        RailEvent::PassRegistered(event) => {
            let new = |row: Option<&PassRow>| row.cloned().unwrap_or_else(|| PassRow::new(event, entry));
            rows.put(&(event.pass.clone(),), entry, new)
        }
        RailEvent::CarMeasured(event) => measured(event, entry, rows),
        RailEvent::SpringOutOfLimits(event) => out_of_limits(event, entry, rows),
        RailEvent::CompletenessDeclared(event) => {
            change(rows, &event.pass, entry, |row| row.declared_cars = Some(event.cars))
        }
        RailEvent::PassCompleted(event) => change(rows, &event.pass, entry, |row| {
            row.status = PassStatus::Complete;
            row.completed_at = Some(at);
        }),
        RailEvent::PassConfirmed(event) => change(rows, &event.pass, entry, |row| {
            row.status = PassStatus::Confirmed;
            row.confirmed_at = Some(at);
            row.confirmed_by = Some(entry.stamp().actor.clone());
            row.confirmed_note = Some(event.note.as_str().to_owned());
            row.reopened_by = None;
        }),
        RailEvent::PassReopened(event) => change(rows, &event.pass, entry, |row| {
            row.status = PassStatus::Reopened;
            row.reopened_by = Some(event.alert);
        }),
    }
}

fn change(rows: &mut Rows, pass: &PassId, entry: &Entry, change: impl FnOnce(&mut PassRow)) -> Result<(), FoldError> {
    rows.change(&(pass.clone(),), entry, |row: &mut PassRow| {
        change(row);
        row.judge();
    })
}

/// A car may come in several parts, each with springs of its own.
fn measured(event: &CarMeasured, entry: &Entry, rows: &mut Rows) -> Result<(), FoldError> {
    let key = (event.pass.clone(), event.car);
    let part = CarRow::new(event, entry);
    let is_new = rows.get::<CarRow>(&key).is_none();
    change(rows, &event.pass, entry, |row| {
        row.measured_cars += u32::from(is_new);
        row.springs += part.springs;
    })?;
    rows.put(&key, entry, |before: Option<&CarRow>| match before {
        Some(before) => before.with(part),
        None => part,
    })?;
    for reading in &event.readings {
        let key = (event.pass.clone(), event.car, reading.spring.clone(), reading.quantity.clone());
        rows.put(&key, entry, |_| SpringRow::read(event, reading, entry))?;
    }
    Ok(())
}

fn out_of_limits(event: &SpringOutOfLimits, entry: &Entry, rows: &mut Rows) -> Result<(), FoldError> {
    change(rows, &event.pass, entry, |row| {
        row.out_of_limits += 1;
        row.worst_level = row.worst_level.max(Some(event.level));
    })?;
    rows.change(&(event.pass.clone(), event.car), entry, |row: &mut CarRow| {
        row.out_of_limits += 1;
        row.worst_level = row.worst_level.max(Some(event.level));
    })?;
    let key = (event.pass.clone(), event.car, event.spring.clone(), event.quantity.clone());
    rows.put(&key, entry, |_| SpringRow::out(event, entry))
}

fn subject(event: &AlertEvent) -> &Subject {
    match event {
        AlertEvent::AlertRaised(event) => &event.subject,
        AlertEvent::AlertAcknowledged(event) => &event.subject,
        AlertEvent::AlertResolved(event) => &event.subject,
        AlertEvent::AlertEscalated(event) => &event.subject,
    }
}

fn pass_of(subject: &Subject) -> Option<&PassId> {
    match subject {
        Subject::Spring { pass, .. } => Some(pass),
        Subject::Allocation { .. } | Subject::Flight { .. } | Subject::Endpoint { .. } => None,
    }
}

impl PassRow {
    fn alert(&mut self, event: &AlertEvent) {
        match event {
            AlertEvent::AlertRaised(raised) => {
                if !self.alerts.contains(&raised.alert) {
                    self.alerts.push(raised.alert);
                    self.open_alerts.push(raised.alert);
                }
            }
            AlertEvent::AlertAcknowledged(event) => self.settle(event.alert),
            AlertEvent::AlertResolved(event) => self.settle(event.alert),
            AlertEvent::AlertEscalated(_) => {}
        }
        self.judge();
    }

    fn settle(&mut self, alert: AlertId) {
        self.open_alerts.retain(|open| *open != alert);
    }
}
