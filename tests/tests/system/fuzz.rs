//! What schemathesis makes of the schema, asked of the built program for as long as somebody wishes: `make fuzz`.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::process::Command;

use crate::client::Server;
use crate::harness::{Place, text};

/// Who asks on a server with accounts: each role, where most hold it.
const ROLES: [&str; 7] =
    ["admin", "analyst", "auditor@LFW", "integrator@LFW", "operator@LFW", "supervisor@LFW", "viewer@LFW"];

/// For how long, in seconds.
fn seconds() -> u64 {
    std::env::var("VIGIE_FUZZ_SECONDS").map_or(60, |seconds| seconds.parse().expect("VIGIE_FUZZ_SECONDS is a number"))
}

/// Asks a server whatever comes to schemathesis' mind about all of the schema, at least once and again until the time is over;
/// `key` shows who asks, and `hidden` is what they may not hear. How many documents it made up.
async fn ask(server: &Server, seconds: u64, key: Option<&str>, hidden: &str) -> u64 {
    let until = Instant::now() + Duration::from_secs(seconds);
    // More of each field at a time reach further from the plain ones, with which it begins.
    let examples = (seconds / 6).clamp(5, 100);
    let mut asked = 0;
    loop {
        asked += ask_all(server, examples, key, hidden).await;
        if Instant::now() >= until {
            return asked;
        }
    }
}

/// The same once, with so many documents for each field of a root.
async fn ask_all(server: &Server, examples: u64, key: Option<&str>, hidden: &str) -> u64 {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let address = format!("http://{}/graphql", server.client.address());
    let mut schemathesis = Command::new(folder.join(".venv/bin/schemathesis"));
    schemathesis.args(["run", &address, "--max-examples", &examples.to_string()]);
    schemathesis.args(["--phases", "fuzzing", "--mode", "positive"]);
    schemathesis.args(["--checks", "nothing_breaks_and_nothing_leaks", "--continue-on-failure", "--no-shrink"]);
    schemathesis.args(["--request-timeout", "60", "--suppress-health-check", "all", "--warnings", "off"]);
    if let Some(key) = key {
        schemathesis.args(["--header", &format!("Authorization: Bearer {key}")]);
    }
    schemathesis.env("SCHEMATHESIS_HOOKS", "checks.py").env("VIGIE_FUZZ_HIDDEN", hidden);
    schemathesis.current_dir(&folder).stdin(Stdio::null()).kill_on_drop(true);
    let output = schemathesis.output().await.expect("run `make fuzz`, which installs schemathesis");
    let said = text(&output);
    assert!(output.status.success(), "{}: {said}", output.status);
    assert!(!said.contains("Skipped:"), "not every field was asked for: {said}");
    let made = said.lines().find_map(|line| line.trim().split_once(" generated, ")?.0.parse().ok());
    made.unwrap_or_else(|| panic!("nothing was asked: {said}"))
}

/// The program ends well, and has told of no panic.
async fn end(mut server: Server) {
    server.program.signal(rustix::process::Signal::INT);
    assert!(server.program.end().await.success());
    let log = server.program.said();
    assert!(!log.contains("panicked") && !log.contains("INTERNAL"), "{log}");
}

/// The program must answer every request, and with nothing that only it should know: `tests/fuzz/checks.py`.
#[tokio::test]
#[ignore = "takes as long as it is told to: make fuzz"]
async fn whatever_is_asked_nothing_breaks_and_nothing_leaks() {
    let place = Place::new().with("VIGIE_RATE", "0");
    let server = Server::serve(&place, &["--demo"]).await;
    let asked = ask(&server, seconds(), None, "").await;
    end(server).await;
    println!("on an open server: {asked} documents");
}

/// The same where people have roles: whoever has one at an airport hears nothing of the railway site besides.
#[tokio::test]
#[ignore = "takes as long as it is told to: make fuzz"]
async fn whatever_each_role_asks_nothing_breaks_and_nothing_of_other_sites_is_told() {
    let place = Place::new().with("VIGIE_RATE", "0").with("VIGIE_OPEN", "false");
    let server = Server::serve(&place, &["--demo"]).await;
    for role in ROLES {
        let said = place.succeed(["keys", "issue", "fuzz", "--role", role]).await;
        let key = said.lines().find_map(|line| line.strip_prefix("key  ")).unwrap_or_else(|| panic!("{said}"));
        let hidden = if role.contains('@') { "SANGATTE" } else { "" };
        let asked = ask(&server, seconds() / 7, Some(key), hidden).await;
        println!("{role}: {asked} documents");
    }
    end(server).await;
}
