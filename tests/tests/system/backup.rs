//! The drill of docs/operations.md: backed up while the log grows, restored elsewhere, checked, gone on with.

use std::fs;
use std::path::PathBuf;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::client::Server;
use crate::harness::{Place, Running, until};
use crate::import::capture;

/// A place whose Postgres runs until it is let go, so that commands need not start it.
pub(crate) struct Open {
    pub(crate) place: Place,
    holding: Running,
}

impl Open {
    pub(crate) async fn new(place: Place) -> Self {
        let mut holding = place.start(["postgres", "run", "--", "sh", "-c", "echo ready; read line; exit 0"]);
        holding.says("its Postgres runs", |said| said.contains("ready").then_some(())).await;
        Self { place, holding }
    }

    /// Runs a program of Postgres on it.
    pub(crate) async fn postgres(&self, command: &[&str]) -> String {
        self.place.succeed(["postgres", "run", "--"].iter().chain(command)).await
    }

    pub(crate) async fn let_go(mut self) {
        self.holding.hang_up();
        assert!(self.holding.end().await.success(), "{}", self.holding.said());
    }

    /// What `vigie log check` says of a sound log.
    async fn checked(&self) -> i64 {
        let report: Value = serde_json::from_str(&self.place.succeed(["log", "check", "--json"]).await).unwrap();
        assert_eq!((&report["found"], &report["head"]), (&json!(0), &report["events"]));
        report["head"].as_i64().unwrap()
    }
}

/// A file with the flights of a day.
fn day(place: &Place, date: &str, flights: u32) -> String {
    let file = place.path().join(format!("{date}.json"));
    fs::write(&file, capture(date, flights).to_string()).unwrap();
    file.to_str().unwrap().to_owned()
}

/// A served log that has events and gets more: how many there were at least, and the import that brings more.
async fn growing() -> (Place, Server, Running, i64) {
    let place = Place::new();
    let server = Server::start(&place).await;
    place.succeed(["import", "hkia", "--setup", &day(&place, "2026-01-15", 50)]).await;
    let head = async || server.client.graphql("{ head }", json!({})).await.unwrap()["head"].as_i64().unwrap();
    let before = head().await;
    let importing = place.start(["import", "hkia", &day(&place, "2026-01-16", 1_400)]);
    until("the import is under way", async || head().await > before).await;
    (place, server, importing, before)
}

async fn stop(mut server: Server) {
    server.program.signal(Signal::TERM);
    assert!(server.program.end().await.success(), "{}", server.program.said());
}

/// A restored system is what the log was at some time during the backup, and goes on from there.
async fn assert_restored(restored: &Open, source: &Open, at_least: i64) {
    let place = &restored.place;
    let head = restored.checked().await;
    assert!(head >= at_least, "{head} events of at least {at_least}");
    let files = [restored, source].map(|open| open.place.path().join("log.jsonl"));
    place.succeed(["log", "export", "--output", files[0].to_str().unwrap()]).await;
    let until = format!("--until={head}");
    source.place.succeed(["log", "export", &until, "--output", files[1].to_str().unwrap()]).await;
    assert!(fs::read(&files[0]).unwrap() == fs::read(&files[1]).unwrap(), "the log is what it was, to the byte");

    let status: Value = serde_json::from_str(&place.succeed(["projections", "status", "--json"]).await).unwrap();
    let names = status.as_array().unwrap().iter().map(|model| model["name"].as_str().unwrap());
    let rebuild: Vec<&str> = ["projections", "rebuild"].into_iter().chain(names).collect();
    place.succeed(rebuild).await;
    place.succeed(["projections", "verify"]).await;

    place.succeed(["import", "hkia", &day(place, "2026-01-17", 5)]).await;
    let after = head.to_string();
    let next = place.succeed(["events", "list", "--json", "--limit=1", "--after", &after]).await;
    let next: Value = serde_json::from_str(&next).unwrap();
    assert_eq!(next["position"], json!(head + 1));
    assert!(restored.checked().await > head);
}

#[tokio::test]
async fn a_dump_taken_while_the_log_grows_is_restored_into_another_cluster() {
    let (place, server, mut importing, before) = growing().await;
    let source = Open::new(place).await;
    let file = |name: &str| source.place.path().join(name).to_str().unwrap().to_owned();
    let (dump, roles) = (file("vigie.dump"), file("roles.sql"));
    source.postgres(&["pg_dumpall", "--roles-only", "--file", &roles]).await;
    source.postgres(&["pg_dump", "--format=custom", "--file", &dump]).await;
    assert!(importing.end().await.success(), "{}", importing.said());
    stop(server).await;

    let target = Open::new(Place::new()).await;
    // Says that the owner is there already, and goes on.
    target.postgres(&["psql", "--quiet", "--file", &roles]).await;
    target.postgres(&["pg_restore", "--exit-on-error", "--dbname=vigie", &dump]).await;
    assert_restored(&target, &source, before).await;
    target.let_go().await;
    source.let_go().await;
}

#[tokio::test]
async fn a_base_backup_taken_while_the_log_grows_starts_elsewhere() {
    let (place, server, mut importing, before) = growing().await;
    let source = Open::new(place).await;
    let target = Place::new();
    fs::create_dir(target.data()).unwrap();
    let cluster: PathBuf = target.data().join("postgres");
    let folder = cluster.to_str().unwrap();
    source.postgres(&["pg_basebackup", "--pgdata", folder, "--wal-method=stream", "--checkpoint=fast"]).await;
    source.postgres(&["pg_verifybackup", folder]).await;
    let own = format!("--reference={}", source.place.data().join("postgres").display());
    source.postgres(&["chown", "--recursive", &own, folder]).await;
    assert!(importing.end().await.success(), "{}", importing.said());
    stop(server).await;

    let target = Open::new(target).await;
    assert_restored(&target, &source, before).await;
    target.let_go().await;
    source.let_go().await;
}
