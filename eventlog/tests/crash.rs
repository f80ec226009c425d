//! The server is killed while appends are under way: what was acknowledged is there, once.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rustix::process::{Pid, Signal, kill_process};
use sqlx::postgres::PgPoolOptions;
use tokio::task::JoinHandle;
use uuid::Uuid;
use vigie_eventlog::cluster::{Cluster, Options};
use vigie_eventlog::{Append, Log, MIGRATOR, Metadata, NewEvent, Query, Read};

const CALLERS: usize = 16;
const KILLS: usize = 2;

fn append(caller: usize, n: usize) -> Append {
    let command_id = Uuid::now_v7();
    let event = NewEvent {
        kind: "test.written".into(),
        version: 1,
        site: "LFW".into(),
        tags: vec![format!("caller:{caller}")],
        data: format!(r#"{{"n":{n}}}"#),
        occurred_at: chrono::DateTime::UNIX_EPOCH,
    };
    let metadata = Metadata {
        command_id,
        command: "test.write".into(),
        correlation_id: command_id,
        causation_id: None,
        actor: "operator:test".into(),
        traceparent: None,
    };
    Append { events: vec![event.clone(), event], metadata, conditions: Vec::new(), answer: None }
}

/// Appends until it is over; the command of each acknowledged append and its position.
fn caller(log: Log, caller: usize, told: Arc<AtomicUsize>, over: Arc<AtomicBool>) -> JoinHandle<HashMap<Uuid, i64>> {
    tokio::spawn(async move {
        let mut acknowledged = HashMap::new();
        for n in 0.. {
            if over.load(Ordering::Acquire) {
                break;
            }
            let append = append(caller, n);
            let command = append.metadata.command_id;
            // A caller may send it again: the command id makes that safe.
            let appended = loop {
                match log.append(append.clone()).await {
                    Ok(appended) => break appended,
                    Err(error) => tracing::debug!(%error, "sending it again"),
                }
            };
            acknowledged.insert(command, appended.first);
            told.fetch_add(1, Ordering::Release);
        }
        acknowledged
    })
}

async fn until(told: &AtomicUsize, count: usize) {
    while told.load(Ordering::Acquire) < count {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_loses_no_acknowledged_event_and_doubles_none() {
    let folder = tempfile::Builder::new().prefix("vigie-crash-").tempdir_in("/tmp").unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let mut cluster = Cluster::find_or_start(folder.path(), Options::default()).await.unwrap();
    let pool = PgPoolOptions::new().max_connections(8).connect_with(cluster.options()).await.unwrap();
    MIGRATOR.run(&pool).await.unwrap();
    let log = Log::open(pool).await.unwrap();

    let (told, over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let callers: Vec<_> = (0..CALLERS).map(|n| caller(log.clone(), n, told.clone(), over.clone())).collect();
    let mut follower = log.follow(Query::all(), 0);
    for _ in 0..KILLS {
        until(&told, told.load(Ordering::Acquire) + 200).await;
        kill_process(Pid::from_raw(cluster.pid()).unwrap(), Signal::KILL).unwrap();
        cluster = Cluster::find_or_start(folder.path(), Options::default()).await.unwrap();
    }
    until(&told, told.load(Ordering::Acquire) + 200).await;
    over.store(true, Ordering::Release);

    let mut acknowledged = HashMap::new();
    for caller in callers {
        acknowledged.extend(caller.await.unwrap());
    }
    let mut stored: HashMap<Uuid, Vec<i64>> = HashMap::new();
    let (mut last, head) = (0, log.head().await.unwrap());
    while last < head {
        for event in log.read(&Query::all(), Read::after(last)).await.unwrap() {
            assert_eq!(event.position, last + 1, "a gap");
            last = event.position;
            stored.entry(event.metadata.command_id).or_default().push(event.position);
        }
    }
    for (command, first) in &acknowledged {
        assert_eq!(stored.get(command), Some(&vec![*first, *first + 1]), "{command}");
    }
    assert_eq!(stored.len(), acknowledged.len(), "every append was acknowledged in the end");

    let mut seen = 0;
    while seen < head {
        for event in follower.next().await.unwrap().events {
            assert_eq!(event.position, seen + 1, "a follower missed or repeated an event");
            seen = event.position;
        }
    }
    println!("{KILLS} kills, {} acknowledged appends, {head} events", acknowledged.len());
    log.close().await;
    cluster.close().await.unwrap();
}
