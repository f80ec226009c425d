//! Stopping: what runs ends, nothing new begins, and the drain time bounds it.

use std::time::Duration;

use sqlx::Connection;
use sqlx::postgres::PgConnection;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use vigie_api::settings::Settings;

use crate::harness::{PATIENCE, Server};
use crate::socket::Socket;

/// Keeps every reader of the stands waiting until it is closed.
async fn block(server: &Server) -> PgConnection {
    let mut blocker = PgConnection::connect_with(&server.services.pool.connect_options()).await.unwrap();
    sqlx::query("begin").execute(&mut blocker).await.unwrap();
    sqlx::query("lock table read.stands in access exclusive mode").execute(&mut blocker).await.unwrap();
    blocker
}

/// Returns once `count` readers wait for the blocker.
async fn waiting(blocker: &mut PgConnection, count: i64) {
    let waiting = "select count(*) from pg_locks where relation = 'read.stands'::regclass and not granted";
    let found = async {
        while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut *blocker).await.unwrap() < count {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, found).await.expect("the readers come in time");
}

async fn ask(address: std::net::SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET /graphql?query=%7Bstands%7BtotalCount%7D%7D HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

#[tokio::test]
async fn what_runs_ends_and_nothing_new_begins() {
    let server = Server::start().await;
    let (address, served) = server.serve().await;
    let mut blocker = block(&server).await;
    let mut request = ask(address).await;
    let mut socket = Socket::ready(address).await;
    socket.subscribe("1", "{ stands { totalCount } }").await;
    waiting(&mut blocker, 2).await;
    server.life.stop();
    blocker.close().await.unwrap();
    let mut answer = String::new();
    request.read_to_string(&mut answer).await.unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with(r#"{"data":{"stands":{"totalCount":0}}}"#),
        "{answer}"
    );
    assert_eq!(socket.data("1").await["stands"]["totalCount"], 0);
    assert_eq!(socket.closed().await, 1012);
    tokio::time::timeout(PATIENCE, served).await.expect("serving ends").unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn the_drain_time_bounds_the_wait() {
    let server = Server::with(Settings { drain: Duration::from_millis(100), ..Settings::open() }).await;
    let (address, served) = server.serve().await;
    let mut blocker = block(&server).await;
    let _request = ask(address).await;
    waiting(&mut blocker, 1).await;
    server.life.stop();
    tokio::time::timeout(PATIENCE, served).await.expect("serving ends although a request runs").unwrap();
}
