//! How many operations run at once, by caller and by address.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Exceeded, Limit, Limits};

/// What runs. Holds an entry for each caller and address of which something runs, and none for others.
#[derive(Debug, Clone, Default)]
pub(crate) struct Slots(Arc<Mutex<HashMap<(Limit, String), u64>>>);

/// The right to run one operation, until it is dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    slots: Slots,
    held: [(Limit, String); 2],
}

impl Slots {
    /// Takes one for an operation of that kind, of the caller and of the address.
    pub(crate) fn take(&self, kind: Limit, caller: &str, address: &str, limits: &Limits) -> Result<Slot, Exceeded> {
        let own = if kind == Limit::Subscriptions { limits.subscriptions } else { limits.operations };
        let held = [(kind, format!("{caller}@{address}")), (kind, address.to_owned())];
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, allowed) in held.iter().zip([own, own.saturating_mul(limits.address_share)]) {
            kind.check(running.get(key).copied().unwrap_or(0) + 1, allowed)?;
        }
        for key in &held {
            *running.entry(key.clone()).or_default() += 1;
        }
        drop(running);
        Ok(Slot { slots: self.clone(), held })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut running = self.slots.0.lock().unwrap_or_else(PoisonError::into_inner);
        for key in &self.held {
            match running.get_mut(key) {
                Some(count) if *count > 1 => *count -= 1,
                Some(_) | None => {
                    running.remove(key);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_may_run_so_many_at_once_and_no_more_until_one_ends() {
        let limits = Limits { operations: 2, subscriptions: 1, address_share: 2, ..Limits::default() };
        let slots = Slots::default();
        let take = |kind, caller: &str| slots.take(kind, caller, "10.0.0.1", &limits);
        let (first, _second) = (take(Limit::Operations, "a").unwrap(), take(Limit::Operations, "a").unwrap());
        assert_eq!(take(Limit::Operations, "a").unwrap_err(), Limit::Operations.exceeded(3, 2));
        // Subscriptions are counted apart.
        let _watching = take(Limit::Subscriptions, "a").unwrap();
        assert_eq!(take(Limit::Subscriptions, "a").unwrap_err(), Limit::Subscriptions.exceeded(2, 1));
        drop(first);
        take(Limit::Operations, "a").unwrap();
    }

    #[test]
    fn other_names_do_not_get_an_address_more_than_its_share() {
        let limits = Limits { operations: 1, address_share: 2, ..Limits::default() };
        let slots = Slots::default();
        let take = |caller: &str, address: &str| slots.take(Limit::Operations, caller, address, &limits);
        let (_a, _b) = (take("a", "10.0.0.1").unwrap(), take("b", "10.0.0.1").unwrap());
        assert_eq!(take("c", "10.0.0.1").unwrap_err(), Limit::Operations.exceeded(3, 2));
        take("c", "10.0.0.2").unwrap();
    }

    #[test]
    fn nothing_is_remembered_of_who_runs_nothing() {
        let slots = Slots::default();
        drop(slots.take(Limit::Operations, "a", "10.0.0.1", &Limits::default()).unwrap());
        assert!(slots.0.lock().unwrap().is_empty());
    }
}
