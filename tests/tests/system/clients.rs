//! The usual GraphQL clients and compilers against the built program.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use crate::client::Server;
use crate::harness::{Place, text, within};

pub(crate) fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients");
    let installed = folder.join("node_modules").exists() && folder.join(".venv/installed").exists();
    assert!(installed, "run `make test`, which installs the clients (scripts/clients.sh)");
    folder
}

/// Runs a script to its end, which must be a good one; what it printed.
pub(crate) async fn script(program: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder()).stdin(Stdio::null()).kill_on_drop(true);
    let output = within("the script ends", command.output()).await.unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", text(&output));
    text(&output)
}

/// A server with the demo's sites, and its address.
async fn server(place: &Place) -> (Server, String) {
    let server = Server::start(place).await;
    place.succeed(["demo", "--site-only"]).await;
    let address = format!("http://{}", server.client.address());
    (server, address)
}

#[tokio::test]
async fn every_audit_of_graphql_over_http_passes() {
    let place = Place::new();
    let (_server, address) = server(&place).await;
    let said = script("node", &["audits.mjs", &address]).await;
    assert!(said.contains("61 of 61 audits pass"), "{said}");
}

#[tokio::test]
async fn clients_query_command_and_watch() {
    let place = Place::new();
    let (_server, address) = server(&place).await;
    for name in ["websocket.mjs", "sse.mjs", "apollo.mjs", "urql.mjs"] {
        script("node", &[name, &address]).await;
    }
    script(".venv/bin/python", &["client.py", &address]).await;
}

#[tokio::test]
async fn what_compilers_persist_is_all_that_runs_in_allow_list_mode() {
    let place = Place::new();
    let documents = place.path().join("documents");
    let documents = documents.to_str().unwrap();
    script("node", &["compilers.mjs", documents]).await;
    assert_eq!(place.succeed(["schema", "check", "--documents", documents]).await, "5 documents, nothing is broken\n");
    let place = place.with("VIGIE_DOCUMENTS", documents).with("VIGIE_DOCUMENTS_ONLY", "true");
    // One that the schema has broken is told of at the start, and keeps nobody else from running.
    std::fs::write(place.path().join("documents/gone.graphql"), "{ nonsense }").unwrap();
    let (server, address) = server(&place).await;
    let said = server.program.said();
    assert!(said.contains("a persisted document cannot run") && said.contains("gone.graphql:1:3"), "{said}");
    script("node", &["persisted.mjs", &address, documents]).await;
}
