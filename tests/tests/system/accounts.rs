//! People on the command line and over HTTP, from the first administrator to an erasure.

use std::process::Stdio;

use serde_json::json;
use tokio::io::AsyncWriteExt;

use crate::backup::Open;
use crate::browser::person;
use crate::client::Server;
use crate::harness::{Place, within};

/// A place whose server has accounts, and whose Postgres runs.
async fn place() -> Open {
    Open::new(Place::new().with("VIGIE_OPEN", "false")).await
}

/// What stands behind a word at the beginning of a line.
fn after(said: &str, word: &str) -> String {
    let line = said.lines().find_map(|line| line.strip_prefix(word)).unwrap_or_else(|| panic!("no {word} in {said}"));
    line.trim().to_owned()
}

impl Open {
    async fn vigie<const N: usize>(&self, arguments: [&str; N]) -> String {
        self.place.succeed(arguments).await
    }

    /// What a command that fails says of it.
    async fn fails<const N: usize>(&self, arguments: [&str; N]) -> String {
        let output = self.place.run(arguments).await;
        assert!(!output.status.success(), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// The first line of standard input is the password.
    async fn set_password(&self, username: &str, password: &str) {
        let mut command = self.place.command(["users", "set-password", username]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(format!("{password}\n").as_bytes()).await.unwrap();
        drop(stdin);
        let output = within("the password is set", child.wait_with_output()).await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    async fn sql(&self, statement: &str) -> String {
        let psql = ["psql", "--quiet", "--tuples-only", "--no-align", "--command", statement];
        self.postgres(&psql).await.trim().to_owned()
    }
}

#[tokio::test]
async fn the_first_administrator_signs_in_with_a_password_that_is_shown_once() {
    let open = place().await;
    let said = open.vigie(["users", "bootstrap", "chief"]).await;
    let password = after(&said, "password");
    assert!(open.fails(["users", "bootstrap", "other"]).await.contains("an administrator already"));
    let server = Server::start(&open.place).await;
    let body = json!({ "username": "chief", "password": password, "session": "tokens" });
    let (status, answer) = server.client.post("/auth/sign-in", body).await.unwrap();
    assert_eq!(status, 200, "{answer:#}");
    assert!(answer["accessToken"].is_string());
    let (status, page) = server.client.get("/sign-in").await.unwrap();
    assert!(status == 200 && page.contains("<form"), "{page}");
    assert!(open.vigie(["users", "list"]).await.contains("chief"));
    // Whom the log knows by an id alone is asked for by name.
    let signed_in = open.vigie(["audit", "--actor", "chief", "--type", "identity.signed_in"]).await;
    assert_eq!(signed_in.lines().count(), 1, "{signed_in}");
    drop(server);
    open.let_go().await;
}

#[tokio::test]
async fn a_person_signs_in_and_out_in_a_browser() {
    let open = place().await;
    let password = after(&open.vigie(["users", "bootstrap", "chief"]).await, "password");
    open.vigie(["users", "create", "ramp.lead", "--role", "viewer"]).await;
    let server = Server::start(&open.place).await;
    let address = format!("http://{}", server.client.address());
    let link = open.vigie(["users", "link", "ramp.lead", "--server", &address]).await;
    person(&["local.mjs", &address, "chief", &password, link.trim()]).await;
    drop(server);
    open.let_go().await;
}

#[tokio::test]
async fn people_and_keys_are_managed_on_the_command_line() {
    let open = place().await;
    open.vigie(["users", "bootstrap"]).await;
    open.vigie(["demo", "--site-only"]).await;
    open.vigie(["users", "create", "ramp.lead", "--role", "operator@LFW", "--role", "viewer"]).await;
    open.vigie(["users", "revoke", "ramp.lead", "viewer"]).await;
    open.vigie(["users", "grant", "ramp.lead", "supervisor@SANGATTE"]).await;
    assert!(open.vigie(["users", "grant", "ramp.lead", "supervisor@SANGATTE"]).await.contains("already"));
    assert!(open.fails(["users", "grant", "ramp.lead", "supervisor@HKG"]).await.contains("site HKG is not set up"));
    assert!(open.fails(["users", "grant", "ramp.lead", "captain"]).await.contains("not a valid role"));
    assert!(open.fails(["users", "deactivate", "admin"]).await.contains("the last active administrator"));
    assert!(open.fails(["users", "create", "\u{430}dmin"]).await.contains("a username is 1 to 64 of"));
    assert!(open.fails(["users", "create", "other", "--email", "nobody"]).await.contains("with one @ between them"));
    open.vigie(["users", "deactivate", "ramp.lead"]).await;
    let line = |list: &str| list.lines().find(|line| line.contains("ramp.lead")).unwrap().to_owned();
    let listed = line(&open.vigie(["users", "list"]).await);
    assert!(listed.contains("deactivated") && listed.ends_with("operator@LFW, supervisor@SANGATTE"), "{listed}");
    open.vigie(["users", "reactivate", "ramp.lead"]).await;
    let link = open.vigie(["users", "link", "ramp.lead", "--server", "https://ops.example/"]).await;
    assert!(link.starts_with("https://ops.example/sign-in#link=vgl_"), "{link}");

    let said = open.vigie(["keys", "issue", "gate displays", "--role", "viewer@LFW"]).await;
    assert!(after(&said, "key").starts_with("vgk_"));
    assert!(open.vigie(["keys", "list"]).await.contains("gate displays"));
    open.vigie(["keys", "revoke", &after(&said, "id")]).await;
    assert!(!open.vigie(["keys", "list"]).await.contains("gate displays"));
    assert!(open.vigie(["keys", "rotate", "--revoke"]).await.contains("0 signing keys"));
    open.let_go().await;
}

/// Words that stand nowhere but in what is known of one person.
const PERSONAL: [&str; 4] = ["quokka.marker", "Quokka Markersson", "quokka@marker.example", "marker-note"];

#[tokio::test]
async fn nothing_of_an_erased_person_is_in_a_dump_and_the_log_is_as_it_was() {
    let open = place().await;
    open.vigie(["users", "bootstrap"]).await;
    let [username, name, email, note] = PERSONAL;
    let create =
        ["users", "create", username, "--full-name", name, "--email", email, "--note", note, "--role", "viewer"];
    let id = open.vigie(create).await.trim().to_owned();
    open.set_password(username, "stands and trains").await;
    let server = Server::start(&open.place).await;
    for password in ["wrong password", "stands and trains"] {
        let body = json!({ "username": username, "password": password, "session": "tokens" });
        let (status, _) = server.client.post("/auth/sign-in", body).await.unwrap();
        assert_eq!(status, if password.starts_with("wrong") { 401 } else { 200 });
    }
    open.vigie(["users", "link", username]).await;
    open.vigie(["keys", "issue", "tablet of quokka.marker", "--role", "viewer"]).await;
    let dump = async || open.postgres(&["pg_dump"]).await.to_lowercase();
    let before = dump().await;
    for word in [username, name, email, note, &id] {
        assert!(before.contains(&word.to_lowercase()), "{word} was never there");
    }
    let head = open.sql("select max(position) from event").await;
    let digest = format!("select md5(string_agg(e::text, '' order by position)) from event e where position <= {head}");
    let was = open.sql(&digest).await;

    open.vigie(["users", "erase", username, "--yes"]).await;
    let after = dump().await;
    for word in PERSONAL {
        assert!(!after.contains(&word.to_lowercase()), "{word} is still there");
    }
    assert!(after.contains(&id), "the history stays");
    assert_eq!(open.sql(&digest).await, was);
    assert!(open.sql("select count(*) from sign_in_attempt").await == "0");
    let body = json!({ "username": username, "password": "stands and trains" });
    assert_eq!(server.client.post("/auth/sign-in", body).await.unwrap().0, 401);
    assert!(open.fails(["users", "grant", &id, "viewer"]).await.contains("was erased"));
    drop(server);
    open.let_go().await;
}
