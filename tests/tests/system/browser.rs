//! The page at /graphql in a real browser.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use crate::client::Server;
use crate::harness::{Place, text, within};

/// Does what a script says in Chromium, which must end well.
pub(crate) async fn person(arguments: &[&str]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser");
    assert!(
        folder.join("node_modules").exists(),
        "run `make test`, which installs what this test drives Chromium with"
    );
    let mut person = Command::new("node");
    person.args(arguments).current_dir(folder);
    let output = within("the browser ends", person.stdin(Stdio::null()).kill_on_drop(true).output()).await.unwrap();
    assert!(output.status.success(), "{}", text(&output));
}

#[tokio::test]
async fn a_person_runs_a_query_and_sees_a_subscription_move() {
    let place = Place::new();
    let server = Server::start(&place).await;
    place.succeed(["demo", "--site-only"]).await;
    person(&["graphiql.mjs", &format!("http://{}", server.client.address())]).await;
}
