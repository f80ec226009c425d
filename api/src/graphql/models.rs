//! The read models that things are read from, by the names that the read side gives them.

pub(super) const SITES: &str = "sites";
pub(super) const STANDS: &str = "stands";
pub(super) const FLIGHTS: &str = "flights";
pub(super) const ALLOCATIONS: &str = "allocations";
pub(super) const ALERTS: &str = "alerts";
pub(super) const PASSES: &str = "passes";
pub(super) const SPRING_LIMITS: &str = "spring_limits";
pub(super) const TURNAROUND_RULES: &str = "turnaround_rules";
/// What live lists are read from, with what hangs on their rows.
pub(super) const LIVE: &[&str] = &[SITES, STANDS, FLIGHTS, ALLOCATIONS, ALERTS, PASSES];
