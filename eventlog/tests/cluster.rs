//! The private cluster, with real servers: started, shared, killed, moved, refused.
#![expect(clippy::unwrap_used, reason = "helpers of tests: a panic is the failed test")]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, geteuid, kill_process, test_kill_process};
use sqlx::{ConnectOptions, Connection};
use vigie_eventlog::cluster::{Cluster, ClusterError, Options, Throwaway};

/// A folder that the server's account can enter, whoever runs the tests; its clusters are durable only where it matters.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::Builder::new().prefix("vigie-cluster-").tempdir_in("/tmp").unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

async fn open(path: &Path) -> Cluster {
    Cluster::find_or_start(path, Options::throwaway()).await.unwrap()
}

async fn ask(cluster: &Cluster, question: &'static str) -> String {
    let mut connection = cluster.options().connect().await.unwrap();
    let answer = sqlx::query_scalar(question).fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    answer
}

fn runs(pid: i32) -> bool {
    let dead = fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "));
    test_kill_process(Pid::from_raw(pid).unwrap()).is_ok() && !dead
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < deadline, "not within 30 s: {what}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_default_is_durable_closed_to_the_network_and_utf8() {
    let data = folder();
    let cluster = Cluster::find_or_start(data.path(), Options::default()).await.unwrap();
    for (setting, value) in [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("data_checksums", "on"),
        ("listen_addresses", ""),
        ("unix_socket_permissions", "0700"),
        ("server_encoding", "UTF8"),
    ] {
        let mut connection = cluster.options().connect().await.unwrap();
        let is: String =
            sqlx::query_scalar("select current_setting($1)").bind(setting).fetch_one(&mut connection).await.unwrap();
        assert_eq!(is, value, "{setting}");
        connection.close().await.unwrap();
    }
    assert_eq!(ask(&cluster, "select upper('é') || current_database() || current_user").await, "Évigievigie");
    assert_eq!(fs::metadata(cluster.socket_dir()).unwrap().mode() & 0o777, 0o700);
    cluster.close().await.unwrap();
}

#[tokio::test]
async fn the_first_starts_it_the_second_finds_it_and_the_last_stops_it() {
    let data = folder();
    let first = open(data.path()).await;
    let second = open(data.path()).await;
    assert!(first.started_here() && !second.started_here());
    let pid = first.pid();
    assert_eq!(pid, second.pid());

    assert!(!first.close().await.unwrap(), "the second still uses it");
    assert_eq!(ask(&second, "select 'here'").await, "here");
    assert!(second.close().await.unwrap(), "nobody else uses it");
    until("the server ends", || !runs(pid)).await;
}

#[tokio::test]
async fn many_that_come_at_once_share_one_server() {
    let data = folder();
    let coming: Vec<_> = (0..8)
        .map(|_| {
            let path = data.path().to_owned();
            tokio::spawn(async move { open(&path).await })
        })
        .collect();
    let mut clusters = Vec::new();
    for one in coming {
        clusters.push(one.await.unwrap());
    }
    assert_eq!(clusters.iter().filter(|cluster| cluster.started_here()).count(), 1);
    let mut stopped = 0;
    for cluster in clusters {
        stopped += u32::from(cluster.close().await.unwrap());
    }
    assert_eq!(stopped, 1);
}

#[tokio::test]
async fn what_was_written_is_there_after_a_stop_and_after_a_kill() {
    let data = folder();
    let cluster = open(data.path()).await;
    let mut connection = cluster.options().connect().await.unwrap();
    sqlx::raw_sql("create table kept (what text); insert into kept values ('before the stop')")
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    cluster.close().await.unwrap();

    let killed = open(data.path()).await;
    assert_eq!(ask(&killed, "select what from kept").await, "before the stop");
    ask(&killed, "update kept set what = 'before the kill' returning what").await;
    let pid = killed.pid();
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();

    // At once: the killed server's backends may still be there.
    let again = open(data.path()).await;
    assert!(again.started_here() && again.pid() != pid);
    assert_eq!(ask(&again, "select what from kept").await, "before the kill");
    drop(killed);
    assert!(again.close().await.unwrap());
}

#[tokio::test]
async fn a_stale_pid_file_whose_number_another_process_has_is_cleared() {
    let data = folder();
    open(data.path()).await.close().await.unwrap();
    let file = data.path().join("postgres/postmaster.pid");
    let cluster = data.path().join("postgres");
    let stale = format!("{}\n{}\n1\n5432\n{}/socket\n\n", std::process::id(), cluster.display(), data.path().display());
    fs::write(&file, stale).unwrap();
    let owner = fs::metadata(&cluster).unwrap();
    chown(&file, Some(owner.uid()), Some(owner.gid())).unwrap();
    let again = open(data.path()).await;
    assert!(again.started_here());
    again.close().await.unwrap();
}

#[tokio::test]
async fn a_cluster_that_is_dropped_stops_and_can_be_opened_at_once() {
    let data = folder();
    let dropped = open(data.path()).await;
    let pid = dropped.pid();
    drop(dropped);
    let again = open(data.path()).await;
    assert_ne!(again.pid(), pid);
    until("the dropped server ends", || !runs(pid)).await;
    again.close().await.unwrap();
}

#[tokio::test]
async fn finding_starts_nothing() {
    let data = folder();
    assert!(Cluster::find(data.path(), Options::throwaway()).await.unwrap().is_none());
    assert!(Cluster::find(&data.path().join("none"), Options::throwaway()).await.unwrap().is_none());
    assert!(!data.path().join("none").exists());
    let running = open(data.path()).await;
    let found = Cluster::find(data.path(), Options::throwaway()).await.unwrap().unwrap();
    assert_eq!(found.pid(), running.pid());
    assert!(!running.close().await.unwrap());
    assert!(found.close().await.unwrap());
    assert!(Cluster::find(data.path(), Options::throwaway()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_long_path_gets_a_short_socket_elsewhere_that_goes_with_the_server() {
    let data = folder();
    let long = data.path().join("a folder, with a \"name\" that is much too long".repeat(3));
    let cluster = open(&long).await;
    let socket = cluster.socket_dir().to_owned();
    assert!(!socket.starts_with(&long) && socket.as_os_str().len() < 80, "{}", socket.display());
    assert_eq!(fs::metadata(&socket).unwrap().mode() & 0o777, 0o700);
    assert_eq!(ask(&cluster, "select 'in'").await, "in");
    let second = open(&long).await;
    assert_eq!(second.socket_dir(), socket);
    second.close().await.unwrap();
    cluster.close().await.unwrap();
    assert!(!socket.exists());
}

#[tokio::test]
async fn the_url_says_the_same_as_the_options_whatever_the_path() {
    let data = folder();
    let cluster = open(&data.path().join("é & ü, ?x=1")).await;
    let options: sqlx::postgres::PgConnectOptions = cluster.url().parse().unwrap();
    let mut connection = options.connect().await.unwrap();
    let name: String = sqlx::query_scalar("select current_database()").fetch_one(&mut connection).await.unwrap();
    assert_eq!(name, "vigie");
    connection.close().await.unwrap();
    cluster.close().await.unwrap();
}

#[tokio::test]
async fn a_cluster_of_another_version_is_refused_with_both_versions() {
    let data = folder();
    open(data.path()).await.close().await.unwrap();
    fs::write(data.path().join("postgres/PG_VERSION"), "9\n").unwrap();
    let refused = Cluster::find_or_start(data.path(), Options::throwaway()).await.unwrap_err();
    assert!(
        matches!(&refused, ClusterError::OtherVersion { cluster: 9, servers, .. } if !servers.is_empty()),
        "{refused}"
    );
}

#[tokio::test]
async fn without_a_server_it_says_what_to_install() {
    let data = folder();
    let options = Options { binaries: Some(data.path().to_owned()), ..Options::throwaway() };
    let refused = Cluster::find_or_start(data.path(), options).await.unwrap_err().to_string();
    assert!(
        refused.contains("apt-get install postgresql") && refused.contains("has no PostgreSQL server"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_server_that_does_not_start_is_quoted() {
    let data = folder();
    open(data.path()).await.close().await.unwrap();
    fs::write(data.path().join("postgres/postgresql.conf"), "no_such_setting = 1\n").unwrap();
    let refused = Cluster::find_or_start(data.path(), Options::throwaway()).await.unwrap_err().to_string();
    assert!(refused.contains("no_such_setting"), "{refused}");
}

#[tokio::test]
async fn a_data_folder_that_cannot_be_made_is_named() {
    let data = folder();
    fs::write(data.path().join("file"), "").unwrap();
    let below = data.path().join("file/data");
    let refused = Cluster::find_or_start(&below, Options::throwaway()).await.unwrap_err().to_string();
    assert!(refused.contains("cannot make") && refused.contains("file/data"), "{refused}");
}

#[tokio::test]
async fn a_half_made_cluster_is_made_anew() {
    let data = folder();
    fs::create_dir(data.path().join("postgres.new")).unwrap();
    fs::write(data.path().join("postgres.new/PG_VERSION"), "15\n").unwrap();
    let cluster = open(data.path()).await;
    assert!(!data.path().join("postgres.new").exists());
    cluster.close().await.unwrap();
}

#[tokio::test]
async fn a_throwaway_goes_with_its_folder() {
    let throwaway = Throwaway::start().await.unwrap();
    let folder = throwaway.cluster().data_dir().to_owned();
    assert_eq!(ask(throwaway.cluster(), "select current_setting('fsync')").await, "off");
    throwaway.close().await.unwrap();
    assert!(!folder.exists());
}

#[tokio::test]
async fn root_gives_the_cluster_to_another_account_and_keeps_it_there() {
    if !geteuid().is_root() {
        eprintln!("skipped: only root can show what happens as root");
        return;
    }
    let data = folder();
    let cluster = open(data.path()).await;
    let owner = fs::metadata(data.path().join("postgres")).unwrap().uid();
    assert_ne!(owner, 0);
    assert_eq!(fs::metadata(format!("/proc/{}", cluster.pid())).unwrap().uid(), owner);
    cluster.close().await.unwrap();

    let closed = data.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
    let refused = Cluster::find_or_start(&closed.join("data"), Options::throwaway()).await.unwrap_err();
    assert!(matches!(refused, ClusterError::CannotEnter { .. }), "{refused}");
    assert!(refused.to_string().contains("VIGIE_DATA"));

    chown(data.path().join("postgres"), Some(0), Some(0)).unwrap();
    let refused = Cluster::find_or_start(data.path(), Options::throwaway()).await.unwrap_err();
    assert!(matches!(refused, ClusterError::OwnedByRoot { .. }), "{refused}");
}

/// The account that the tests become when root runs them.
const NOBODY: u32 = 65534;

#[test]
fn an_ordinary_user_can_do_all_this_too() {
    if !geteuid().is_root() {
        eprintln!("skipped: this run is an ordinary user's already");
        return;
    }
    // A copy where the account can reach it: the checkout may be closed to it.
    let place = folder();
    chown(place.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    let program: PathBuf = place.path().join("tests");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let mut again = Command::new(&program);
    again.uid(NOBODY).gid(NOBODY).current_dir("/").env("HOME", place.path()).env("TMPDIR", "/tmp");
    let output = again.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("test result: ok"), "{said}");
}

#[tokio::test]
async fn an_ordinary_user_may_not_take_anothers_cluster() {
    if geteuid().is_root() {
        eprintln!("skipped: root may; the ordinary user's run shows it");
        return;
    }
    let data = folder();
    // A folder of root, by a link, stands for a cluster of theirs.
    std::os::unix::fs::symlink("/", data.path().join("postgres")).unwrap();
    let refused = Cluster::find_or_start(data.path(), Options::throwaway()).await.unwrap_err();
    assert!(matches!(refused, ClusterError::OtherOwner { owner: 0, .. }), "{refused}");
}
