//! `vigie postgres`, and what several processes make of one data folder.

use rustix::process::{Signal, test_kill_process};

use crate::harness::{Place, text, until};

#[tokio::test]
async fn a_command_gets_a_throwaway_server_and_its_exit_code_is_passed_on() {
    let place = Place::new();
    let script =
        r#"test -S "$PGHOST/.s.PGSQL.$PGPORT" && test -n "$VIGIE_TEST_DATABASE_URL" && echo "at $PGHOST" && exit 7"#;
    let output = place.run(["postgres", "run", "--throwaway", "--", "sh", "-c", script]).await;
    assert_eq!(output.status.code(), Some(7), "{}", text(&output));
    let said = String::from_utf8(output.stdout).unwrap();
    let socket = said.trim().strip_prefix("at ").unwrap();
    assert!(!std::path::Path::new(socket).exists(), "{socket} should have gone with the server");
    assert!(!place.data().exists(), "the data folder is not touched");
}

#[tokio::test]
async fn a_command_that_is_ended_by_a_signal_says_so_as_a_shell_does() {
    let place = Place::new();
    let mut running =
        place.start(["postgres", "run", "--throwaway", "--", "sh", "-c", "echo ready; exec tail -f /dev/null"]);
    running.says("the command runs", |said| said.contains("ready").then_some(())).await;
    running.signal(Signal::TERM);
    assert_eq!(running.end().await.code(), Some(128 + 15));
}

#[tokio::test]
async fn a_command_that_does_not_exist_leaves_no_server() {
    let place = Place::new();
    let output = place.run(["postgres", "run", "--", "no-such-command"]).await;
    assert!(!output.status.success() && text(&output).contains("no-such-command"), "{}", text(&output));
    assert!(place.postgres().is_none());
}

#[tokio::test]
async fn two_processes_share_the_server_and_the_last_one_stops_it() {
    let place = Place::new();
    let none = place.run(["postgres", "url"]).await;
    assert!(!none.status.success() && text(&none).contains("no server runs"), "{}", text(&none));

    let mut first = place.start(["postgres", "run", "--", "sh", "-c", "echo ready; read line; exit 0"]);
    first.says("the command runs", |said| said.contains("ready").then_some(())).await;
    let server = place.postgres().unwrap();
    let url = place.succeed(["postgres", "url"]).await;
    assert!(url.starts_with("postgres://vigie@localhost"), "{url}");
    let second = place.succeed(["postgres", "run", "--", "sh", "-c", "echo $DATABASE_URL"]).await;
    assert_eq!(second, url);
    assert_eq!(place.postgres(), Some(server), "who came second has left it running");

    // The terminal's Ctrl-C is the command's affair, not the server's.
    first.signal(Signal::INT);
    first.hang_up();
    assert!(first.end().await.success(), "{}", first.said());
    assert!(place.postgres().is_none());
}

#[tokio::test]
async fn a_server_whose_only_user_was_killed_is_found_and_stopped_by_the_next() {
    let place = Place::new();
    let mut killed = place.start(["postgres", "run", "--", "sh", "-c", "echo ready; read line"]);
    killed.says("the command runs", |said| said.contains("ready").then_some(())).await;
    killed.signal(Signal::KILL);
    killed.end().await;
    let server = place.postgres().expect("it goes on");
    place.succeed(["postgres", "run", "--", "true"]).await;
    assert!(place.postgres().is_none());
    until("the server ends", async || test_kill_process(server).is_err()).await;
}
