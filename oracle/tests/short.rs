//! The short form of the oracle: `make oracle` runs it for longer.

use std::process::Command;

/// Seconds of faults, at least; each kind comes once in any case.
const SECONDS: &str = "20";

#[test]
fn the_promises_of_the_log_hold_while_everything_around_it_breaks() {
    let output = Command::new(env!("CARGO_BIN_EXE_vigie-oracle")).args(["run", "--seconds", SECONDS]).output();
    let output = output.expect("the oracle can be started");
    let said = [String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)].concat();
    println!("{said}");
    assert!(output.status.success(), "{said}");
    // A run in which nothing was acknowledged, refused or broken would prove nothing.
    // Postgres is killed in one of two ways, as chance has it.
    let killed = ["postmasters killed", "every process of Postgres killed at once"];
    assert!(killed.iter().any(|kind| said.contains(kind)), "nothing of: {killed:?}\n{said}");
    for kind in [
        "acknowledged appends",
        "refused appends, each for a reason",
        "repeated commands, with their first answer",
        "alerts, each raised once",
        "connections broken between COMMIT and its answer",
        "processes killed",
        "processes stopped past every lease",
        "restarts from a restored backup",
    ] {
        assert!(said.contains(kind), "nothing of: {kind}\n{said}");
    }
}
