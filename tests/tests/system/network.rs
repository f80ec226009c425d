//! What keeps the program from meeting a network unprepared, and how it says so before.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::client::Server;
use crate::harness::{Place, text, until};

const REMOTE: [(&str, &str); 2] = [("VIGIE_LISTEN", "0.0.0.0:0"), ("VIGIE_ALLOW_REMOTE", "true")];

fn place(variables: &[(&str, &str)]) -> Place {
    variables.iter().fold(Place::new().with("VIGIE_OPEN", "false"), |place, (name, value)| place.with(name, value))
}

#[tokio::test]
async fn a_start_that_would_be_unsafe_is_refused_before_anything_is_begun() {
    let plain = ("VIGIE_ALLOW_PLAIN", "true");
    for (more, told) in [
        (&[][..], "VIGIE_LISTEN"),
        (&[("VIGIE_TLS_CERTIFICATE", "cert.pem")], "VIGIE_TLS_KEY"),
        (&[("VIGIE_TLS_CERTIFICATE", "no.pem"), ("VIGIE_TLS_KEY", "no.pem")], "no.pem cannot be read"),
        (&[plain, ("DATABASE_URL", "postgres://vigie:vigie@127.0.0.1:9/vigie")], "DATABASE_URL"),
        (&[plain, ("REDIS_URL", "redis://:redis@127.0.0.1:9")], "REDIS_URL"),
        (&[plain, ("REDIS_URL_FILE", "/nowhere/redis")], "REDIS_URL_FILE"),
    ] {
        let variables: Vec<_> = REMOTE.iter().chain(more).copied().collect();
        let place = place(&variables);
        let output = place.run(["serve"]).await;
        assert_eq!(output.status.code(), Some(1), "{variables:?}: {}", text(&output));
        assert!(text(&output).contains(told), "{variables:?}: {}", text(&output));
        assert!(!place.data().exists(), "{variables:?}: nothing is begun");
    }
}

/// What the doctor says of one thing, and all that it printed.
async fn doctor(place: &Place, name: &str) -> (Value, String) {
    let output = place.run(["doctor", "--json"]).await;
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let check = report["checks"].as_array().unwrap().iter().find(|check| check["name"] == name).cloned();
    (check.unwrap_or_else(|| panic!("{report:#}")), text(&output))
}

#[tokio::test]
async fn the_doctor_says_what_webhooks_cannot_be_delivered_with() {
    let place = Place::new();
    let none = place.path().join("none.pem");
    fs::write(&none, "no certificate\n").unwrap();
    for (file, told) in
        [("/nowhere/ca.pem", "VIGIE_WEBHOOK_CA cannot be read"), (none.to_str().unwrap(), "no certificate")]
    {
        let place = Place::new().with("VIGIE_WEBHOOK_CA", file);
        let (webhooks, said) = doctor(&place, "webhooks").await;
        assert!(webhooks["state"] == "failed" && said.contains(told), "{said}");
        let served = place.run(["serve"]).await;
        assert!(served.status.code() == Some(1) && text(&served).contains(told), "{}", text(&served));
    }

    let mut server = Server::start(&place).await;
    let made = place.succeed(["webhooks", "register", "https://receiver.example/hook"]).await;
    let endpoint = made.lines().find_map(|line| line.strip_prefix("endpoint")).unwrap().trim();
    until("the endpoint is known, and its secret opens", async || {
        let (keys, said) = doctor(&place, "webhook keys").await;
        assert_eq!(keys["state"], "fine", "{said}");
        keys["facts"]["enabled"] == 1
    })
    .await;
    server.program.signal(Signal::TERM);
    assert!(server.program.end().await.success(), "{}", server.program.said());
    let other = place.with("VIGIE_WEBHOOK_KEY", &format!("{}=", "A".repeat(43)));
    let (keys, said) = doctor(&other, "webhook keys").await;
    assert!(keys["state"] == "failed" && said.contains("sealed with the key"), "{said}");
    let refused = other.run(["webhooks", "register", "https://receiver.example/other"]).await;
    assert!(!refused.status.success() && text(&refused).contains("sealed with the key"), "{}", text(&refused));
    // Whoever has lost a key gives every endpoint new secrets.
    other.succeed(["webhooks", "rotate", endpoint, "--overlap-minutes", "0"]).await;
}

#[tokio::test]
async fn the_doctor_says_what_is_unsafe_and_no_secret() {
    let weak = place(&[("DATABASE_URL", "postgres://vigie:changeme@127.0.0.1:9/vigie")]);
    let (secrets, said) = doctor(&weak, "secrets").await;
    assert_eq!(secrets["state"], "doubtful");
    assert!(secrets["says"].as_str().unwrap().contains("DATABASE_URL") && !said.contains("changeme"), "{said}");

    let open = Place::new();
    let file = open.path().join("url");
    fs::write(&file, "postgres://vigie:9f1c2e7ab04d55e1c3@127.0.0.1:9/vigie\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let open = open.with("DATABASE_URL_FILE", file.to_str().unwrap());
    let (secrets, said) = doctor(&open, "secrets").await;
    assert_eq!(secrets["state"], "doubtful", "{said}");
    assert!(said.contains("every account of this machine can read") && !said.contains("9f1c2e7a"), "{said}");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(doctor(&open, "secrets").await.0["state"], "fine");

    let plain: Vec<_> =
        REMOTE.into_iter().chain([("VIGIE_ALLOW_PLAIN", "true"), ("REDIS_URL", "redis://127.0.0.1:9")]).collect();
    let plain = place(&plain).with("DATABASE_URL", "postgres://nobody@127.0.0.1:9/none");
    let (listen, said) = doctor(&plain, "listen").await;
    assert_eq!((&listen["state"], &listen["facts"]["plain"]), (&json!("doubtful"), &json!(true)), "{said}");
    assert_eq!(doctor(&plain, "names").await.0["state"], "doubtful");
}
