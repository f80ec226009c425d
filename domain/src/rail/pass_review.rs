//! All that a person's confirmation of a pass depends on: its parts, what is out of limits, and every alert about it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{PassId, RailEvent, SpringOutOfLimits};
use crate::Event;
use crate::alerts::{AlertEvent, AlertId, AlertKind};
use crate::kernel::{Earlier, Fact, Query, View};
use crate::support::SiteId;

/// A reading that is out of limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SpringRef {
    /// The car.
    pub car: u16,
    /// The spring.
    pub spring: String,
    /// What was measured.
    pub quantity: String,
}

/// An alert about the pass.
#[derive(Debug, Clone, Copy)]
struct Standing {
    raised: i64,
    handled: bool,
}

/// A pass as the person who confirms it must see it: every fact about it.
#[derive(Debug, Clone, Default)]
pub struct PassReview {
    site: Option<SiteId>,
    cars: BTreeSet<u16>,
    declared: Option<u16>,
    breaches: BTreeMap<AlertId, SpringRef>,
    alerts: BTreeMap<AlertId, Standing>,
    confirmed: Option<Earlier>,
}

impl SpringOutOfLimits {
    /// What its alert is raised for: this quantity of this spring in this pass, whatever event says it.
    #[must_use]
    pub fn alert_cause(&self) -> String {
        format!("{}/{}/{}/{}", self.pass, self.car, self.spring, self.quantity)
    }

    /// The alert that it raises.
    #[must_use]
    pub fn alert(&self) -> AlertId {
        AlertId::of(AlertKind::SpringOutOfLimits, &self.alert_cause())
    }
}

impl View for PassReview {
    type Key = PassId;
    fn boundary(pass: &PassId) -> Query {
        Query::of(&[], [pass.tag()])
    }
    fn evolve(&mut self, fact: &Fact) {
        match &fact.event {
            Event::Rail(event) => self.rail(event, fact),
            Event::Alerts(event) => self.alert(event, fact.stamp.position),
            Event::Support(_) | Event::Airport(_) | Event::Identity(_) | Event::Webhooks(_) => {}
        }
    }
}

impl PassReview {
    fn rail(&mut self, event: &RailEvent, fact: &Fact) {
        match event {
            RailEvent::PassRegistered(registered) => self.site = Some(registered.site.clone()),
            RailEvent::CarMeasured(car) => {
                self.cars.insert(car.car);
            }
            RailEvent::SpringOutOfLimits(breach) => {
                let (car, spring, quantity) = (breach.car, breach.spring.clone(), breach.quantity.clone());
                self.breaches.insert(breach.alert(), SpringRef { car, spring, quantity });
            }
            RailEvent::CompletenessDeclared(mark) => self.declared = Some(mark.cars),
            RailEvent::PassConfirmed(confirmed) => self.confirmed = Some(Earlier::of(&fact.stamp, &confirmed.note)),
            RailEvent::PassReopened(_) => self.confirmed = None,
            RailEvent::LimitsSet(_) | RailEvent::PassCompleted(_) => {}
        }
    }

    fn alert(&mut self, event: &AlertEvent, position: i64) {
        match event {
            AlertEvent::AlertRaised(raised) => {
                self.alerts.entry(raised.alert).or_insert(Standing { raised: position, handled: false });
            }
            AlertEvent::AlertAcknowledged(acknowledged) => self.handle(acknowledged.alert),
            AlertEvent::AlertResolved(resolved) => self.handle(resolved.alert),
            AlertEvent::AlertEscalated(_) => {}
        }
    }

    fn handle(&mut self, alert: AlertId) {
        if let Some(standing) = self.alerts.get_mut(&alert) {
            standing.handled = true;
        }
    }

    /// Where the pass was; `None` if it is unknown.
    pub(super) fn site(&self) -> Option<&SiteId> {
        self.site.as_ref()
    }

    /// The number of cars by the completeness mark.
    pub(super) fn declared(&self) -> Option<u16> {
        self.declared
    }

    /// Number of cars that were measured.
    pub(super) fn measured(&self) -> usize {
        self.cars.len()
    }

    /// The cars up to the declared number, or else up to the highest seen, that were not measured.
    pub(super) fn missing(&self) -> Vec<u16> {
        let last = self.declared.or_else(|| self.cars.last().copied()).unwrap_or(0);
        (1..=last).filter(|car| !self.cars.contains(car)).collect()
    }

    /// The readings out of limits whose alert has not been raised.
    pub(super) fn not_yet_raised(&self) -> Vec<SpringRef> {
        let silent = self.breaches.iter().filter(|(alert, _)| !self.alerts.contains_key(alert));
        silent.map(|(_, spring)| spring.clone()).collect()
    }

    /// The alerts that are neither acknowledged nor resolved.
    pub(super) fn unacknowledged(&self) -> Vec<AlertId> {
        self.alerts.iter().filter(|(_, standing)| !standing.handled).map(|(alert, _)| *alert).collect()
    }

    /// Every alert about the pass.
    pub(super) fn alerts(&self) -> Vec<AlertId> {
        self.alerts.keys().copied().collect()
    }

    /// The confirmation, unless the pass was reopened since.
    pub(super) fn confirmed(&self) -> Option<&Earlier> {
        self.confirmed.as_ref()
    }

    /// Whether the pass is confirmed and the alert was raised after that.
    pub(super) fn is_late(&self, alert: AlertId) -> bool {
        let raised = self.alerts.get(&alert).map(|standing| standing.raised);
        raised.zip(self.confirmed()).is_some_and(|(raised, confirmed)| raised > confirmed.position)
    }
}
