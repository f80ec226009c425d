//! Breaks a promise on purpose. Only in the oracle's own build, to show that it notices.

/// Whether this is the sabotage that was chosen at the start of the process.
pub(crate) fn is(name: &str) -> bool {
    std::env::var("VIGIE_SABOTAGE").is_ok_and(|chosen| chosen == name)
}
