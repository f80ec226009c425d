//! What schemathesis makes of the schema, asked of the built program for as long as somebody wishes: `make fuzz`.

use std::path::Path;
use std::process::Stdio;

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

/// Asks a server whatever comes to schemathesis' mind; `key` shows who asks, and `hidden` is what they may not hear.
async fn ask(server: &Server, seconds: u64, key: Option<&str>, hidden: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let address = format!("http://{}/graphql", server.client.address());
    let mut schemathesis = Command::new(folder.join(".venv/bin/schemathesis"));
    schemathesis.args([
        "run",
        &address,
        "--max-time",
        &seconds.to_string(),
        "--phases",
        "fuzzing",
        "--mode",
        "positive",
    ]);
    schemathesis.args(["--checks", "nothing_breaks_and_nothing_leaks", "--continue-on-failure", "--no-shrink"]);
    schemathesis.args(["--request-timeout", "60", "--suppress-health-check", "all", "--warnings", "off"]);
    if let Some(key) = key {
        schemathesis.args(["--header", &format!("Authorization: Bearer {key}")]);
    }
    schemathesis.env("SCHEMATHESIS_HOOKS", "checks.py").env("VIGIE_FUZZ_HIDDEN", hidden);
    schemathesis.current_dir(&folder).stdin(Stdio::null()).kill_on_drop(true);
    let output = schemathesis.output().await.expect("run `make fuzz`, which installs schemathesis");
    let said = text(&output);
    println!("{said}");
    assert!(output.status.success(), "{}", output.status);
    assert!(said.contains("passed") && said.contains("generated"), "nothing was asked");
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
    ask(&server, seconds(), None, "").await;
    end(server).await;
}

/// The same where people have roles: whoever has one at an airport hears nothing of the railway site besides.
#[tokio::test]
#[ignore = "takes as long as it is told to: make fuzz"]
async fn whatever_each_role_asks_nothing_breaks_and_nothing_of_other_sites_is_told() {
    let place = Place::new().with("VIGIE_RATE", "0").with("VIGIE_OPEN", "false");
    let server = Server::serve(&place, &["--demo"]).await;
    for role in ROLES {
        println!("{role}");
        let said = place.succeed(["keys", "issue", "fuzz", "--role", role]).await;
        let key = said.lines().find_map(|line| line.strip_prefix("key  ")).unwrap_or_else(|| panic!("{said}"));
        let hidden = if role.contains('@') { "SANGATTE" } else { "" };
        ask(&server, (seconds() / 7).max(10), Some(key), hidden).await;
    }
    end(server).await;
}
