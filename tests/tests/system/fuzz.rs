//! What schemathesis makes of the schema, asked of the built program for as long as somebody wishes: `make fuzz`.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use crate::client::Server;
use crate::harness::{Place, text};

/// The program must answer every request, and with nothing that only it should know: `tests/fuzz/checks.py`.
#[tokio::test]
#[ignore = "takes as long as it is told to: make fuzz"]
async fn whatever_is_asked_nothing_breaks_and_nothing_leaks() {
    let place = Place::new().with("VIGIE_RATE", "0");
    let mut server = Server::serve(&place, &["--demo"]).await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let seconds = std::env::var("VIGIE_FUZZ_SECONDS").unwrap_or_else(|_| "60".to_owned());
    let address = format!("http://{}/graphql", server.client.address());
    let mut schemathesis = Command::new(folder.join(".venv/bin/schemathesis"));
    schemathesis.args(["run", &address, "--max-time", &seconds, "--phases", "fuzzing", "--mode", "positive"]);
    schemathesis.args(["--checks", "nothing_breaks_and_nothing_leaks", "--continue-on-failure", "--no-shrink"]);
    schemathesis.args(["--request-timeout", "60", "--suppress-health-check", "all", "--warnings", "off"]);
    schemathesis.env("SCHEMATHESIS_HOOKS", "checks.py").current_dir(&folder).stdin(Stdio::null()).kill_on_drop(true);
    let output = schemathesis.output().await.expect("run `make fuzz`, which installs schemathesis");
    let said = text(&output);
    println!("{said}");
    assert!(output.status.success(), "{}", output.status);
    assert!(said.contains("passed") && said.contains("generated"), "nothing was asked");
    server.program.signal(rustix::process::Signal::INT);
    assert!(server.program.end().await.success());
    let log = server.program.said();
    assert!(!log.contains("panicked") && !log.contains("INTERNAL"), "{log}");
}
