//! What fields cost.
//!
//! The cost of an operation is the number of fields that its answer can hold at most, plus what some fields cost beside
//! that because a statement, a walk or a fold stands behind them. A list counts its children as often as its page is
//! large.

/// What a list holds when nothing bounds it, as it is counted.
const LIST: u64 = 10;
/// The rows of a page that names no size.
pub(super) const PAGE: u64 = 50;
/// How many fields of the schema cost as much as one of an answer: they are in memory.
pub(super) const INTROSPECTION: u64 = 10;

/// Lists without an argument for their size that are usually longer or shorter than that, by type and field.
const LISTS: &[(&str, &str, u64)] = &[
    ("Pass", "cars", 40),
    ("Car", "springs", 8),
    ("__Schema", "types", 200),
    ("__Type", "interfaces", 1),
    ("__Field", "args", 2),
];

/// What fields cost beside their answer, by type and field.
const BESIDE: &[(&str, &str, u64)] = &[
    // Another moment: a transaction, and views that fold versions instead of reading rows.
    ("Query", "at", 200),
    ("Query", "after", 20),
    ("Query", "diff", 500),
    ("Past", "diff", 500),
    ("Now", "diff", 500),
    // Walks through causes and effects.
    ("AuditEntry", "causationChain", 20),
    ("AuditEntry", "caused", 50),
    ("Provenance", "causationChain", 20),
    ("Provenance", "caused", 50),
    // Counts of all that a filter lets through.
    ("Query", "auditExport", 500),
    ("Query", "refusalExport", 500),
    // A walk through up to 100,000 events.
    ("Query", "webhookPreview", 500),
    // A day of a stand.
    ("Stand", "occupancy", 20),
];

/// What every field of this name costs beside its answer, whatever its type.
const EVERYWHERE: &[(&str, u64)] = &[("totalCount", 50), ("provenance", 20)];
/// A page is read by a statement of its own.
const CONNECTION: u64 = 10;
/// A command decides, appends, flushes and waits for the read models.
const MUTATION: u64 = 100;
/// A subscription opens a tail of the log, and goes on.
const SUBSCRIPTION: u64 = 100;

/// How many elements a list without an argument for its size is counted as.
pub(super) fn list(on: &str, field: &str) -> u64 {
    LISTS.iter().find(|(of, name, _)| (*of, *name) == (on, field)).map_or(LIST, |(_, _, size)| *size)
}

/// What a field costs beside its answer.
pub(super) fn beside(on: &str, field: &str, connection: bool) -> u64 {
    let root = match on {
        "Mutation" => MUTATION,
        "Subscription" => SUBSCRIPTION,
        _ => 0,
    };
    let page = if connection { CONNECTION } else { 0 };
    let everywhere = EVERYWHERE.iter().find(|(name, _)| *name == field).map_or(0, |(_, cost)| *cost);
    let own = BESIDE.iter().find(|(of, name, _)| (*of, *name) == (on, field)).map_or(0, |(_, _, cost)| *cost);
    root + page + everywhere + own
}

/// The lines about single fields, for the documentation.
#[cfg(test)]
pub(super) fn lines() -> Vec<(String, u64)> {
    let own = BESIDE.iter().map(|(on, field, cost)| (format!("`{on}.{field}`"), *cost));
    let everywhere = EVERYWHERE.iter().map(|(field, cost)| (format!("`{field}` of anything"), *cost));
    let kinds = [
        ("every mutation".to_owned(), MUTATION),
        ("every subscription".to_owned(), SUBSCRIPTION),
        ("every connection".to_owned(), CONNECTION),
    ];
    kinds.into_iter().chain(everywhere).chain(own).collect()
}

/// Every type and field that is named here.
#[cfg(test)]
pub(super) fn named() -> Vec<(&'static str, &'static str)> {
    LISTS.iter().chain(BESIDE).map(|(on, field, _)| (*on, *field)).collect()
}
