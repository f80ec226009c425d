//! The network's edge: TLS, names, proxies, headers.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, StatusCode, header};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use vigie_api::http::{Tls, TlsFiles};
use vigie_api::settings::{Edge, Settings};

use crate::harness::{PATIENCE, Server};
use crate::socket::Socket;

/// A certificate and its key in files.
struct Certified {
    folder: tempfile::TempDir,
    trusted: RootCertStore,
}

impl Certified {
    fn new() -> Self {
        let mut certified = Self { folder: tempfile::tempdir().unwrap(), trusted: RootCertStore::empty() };
        certified.renew();
        certified
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn files(&self) -> TlsFiles {
        TlsFiles { certificate: self.path("cert.pem"), key: self.path("key.pem") }
    }

    /// Puts another certificate in the place of the one that there is; what it is.
    fn renew(&mut self) -> CertificateDer<'static> {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        for (name, text) in [("key.pem", signing_key.serialize_pem()), ("cert.pem", cert.pem())] {
            let written = self.path("new");
            std::fs::write(&written, text).unwrap();
            std::fs::rename(written, self.path(name)).unwrap();
        }
        self.trusted.add(cert.der().clone()).unwrap();
        cert.der().clone()
    }

    async fn connect(&self, address: SocketAddr) -> TlsStream<TcpStream> {
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(self.trusted.clone())
            .with_no_client_auth();
        let stream = TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
    }
}

/// The answer to a plain text request, as it comes.
async fn ask(stream: &mut (impl AsyncReadExt + AsyncWriteExt + Unpin), path: &str, host: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

fn named(host: &str) -> Settings {
    Settings { edge: Edge { hosts: vec![host.to_owned()], ..Edge::default() }, ..Settings::open() }
}

#[tokio::test]
async fn tls_is_served_and_browsers_are_told_to_keep_to_it() {
    let certified = Certified::new();
    let server = Server::with(named("vigie.example")).await;
    let (address, _) = server.serve_over(Some(Tls::start(certified.files()).unwrap())).await;
    let answer = ask(&mut certified.connect(address).await, "/graphql?query=%7Bhead%7D", "vigie.example").await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with(r#"{"data":{"head":0}}"#), "{answer}");
    assert!(answer.contains("strict-transport-security: max-age=31536000"), "{answer}");
    let local = ask(&mut certified.connect(address).await, "/graphql?query=%7Bhead%7D", "localhost").await;
    assert!(local.starts_with("HTTP/1.1 200") && !local.contains("strict-transport"), "{local}");
    // Who does not speak TLS gets no answer that could be taken for one.
    let mut plain = TcpStream::connect(address).await.unwrap();
    plain.write_all(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    // The server may close before it has read everything, which looks like a reset.
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
}

#[tokio::test]
async fn a_new_certificate_is_used_and_open_connections_stay() {
    let mut certified = Certified::new();
    let server = Server::start().await;
    let (address, _) = server.serve_over(Some(Tls::start(certified.files()).unwrap())).await;
    let mut request = format!("wss://{address}/graphql").into_client_request().unwrap();
    request.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, "graphql-transport-ws".parse().unwrap());
    request.headers_mut().insert(header::ORIGIN, format!("https://{address}").parse().unwrap());
    let (socket, _) = client_async(request, certified.connect(address).await).await.unwrap();
    let mut socket = Socket::introduced(Socket::over(socket)).await;

    // Half of a new pair is no reason to stop serving, nor is nonsense.
    std::fs::write(certified.path("cert.pem"), "not a certificate").unwrap();
    let renewed = certified.renew();
    let changed = async {
        loop {
            let stream = certified.connect(address).await;
            if stream.get_ref().1.peer_certificates() == Some(std::slice::from_ref(&renewed)) {
                break;
            }
        }
    };
    tokio::time::timeout(PATIENCE, changed).await.expect("the new certificate is used in time");
    socket.subscribe("1", "{ head }").await;
    assert_eq!(socket.data("1").await, json!({ "head": 0 }));
}

#[tokio::test]
async fn files_that_are_no_certificate_stop_the_start() {
    let certified = Certified::new();
    let other = Certified::new();
    let mixed = TlsFiles { key: other.path("key.pem"), ..certified.files() };
    let swapped = TlsFiles { certificate: certified.path("key.pem"), key: certified.path("cert.pem") };
    let missing = TlsFiles { key: certified.path("none.pem"), ..certified.files() };
    for (files, problem) in
        [(mixed, "cannot be used together"), (swapped, "holds no certificate"), (missing, "none.pem cannot be read")]
    {
        let error = Tls::start(files).err().expect("they cannot be used").to_string();
        assert!(error.contains(problem), "{error}");
    }
}

/// A request as it comes from a peer, with headers.
async fn from(server: &Server, peer: &str, headers: &[(&'static str, &str)]) -> (StatusCode, HeaderMap) {
    let mut request = Request::get("/graphql?query=%7Bhead%7D").body(Body::empty()).unwrap();
    request.extensions_mut().insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 1)));
    for (name, value) in headers {
        request.headers_mut().append(*name, value.parse().unwrap());
    }
    let answer = server.send(request).await;
    (answer.status(), answer.headers().clone())
}

#[tokio::test]
async fn only_names_that_the_server_was_given_are_answered() {
    let server = Server::with(named("vigie.example")).await;
    for (host, status) in [("vigie.example", 200), ("[::1]:8080", 200), ("evil.example", 403), ("10.1.2.3", 403)] {
        assert_eq!(from(&server, "127.0.0.1", &[("host", host)]).await.0, status, "{host}");
    }
    let edge = Edge { allow_remote: true, ..Edge::default() };
    let remote = Server::with(Settings { edge, ..Settings::open() }).await;
    for (host, status) in [("10.1.2.3:8080", 200), ("[2001:db8::1]", 200), ("vigie.example", 403)] {
        assert_eq!(from(&remote, "127.0.0.1", &[("host", host)]).await.0, status, "{host}");
    }
}

#[tokio::test]
async fn other_machines_come_over_tls_which_only_listed_proxies_may_vouch_for() {
    let mut settings = Settings::open();
    settings.limits.trusted_proxies = vec!["10.0.0.1".parse().unwrap()];
    let server = Server::with(settings.clone()).await;
    let https = ("x-forwarded-proto", "https");
    for (peer, headers, status) in [
        ("127.0.0.1", &[][..], 200),
        ("10.0.0.1", &[https, ("x-forwarded-for", "1.2.3.4")], 200),
        ("10.0.0.1", &[("x-forwarded-for", "1.2.3.4")], 403),
        ("10.0.0.1", &[("x-forwarded-for", "1.2.3.4"), ("x-forwarded-proto", "http")], 403),
        ("10.0.0.2", &[https, ("x-forwarded-for", "127.0.0.1")], 403),
        ("10.0.0.2", &[("forwarded", "for=127.0.0.1;proto=https")], 403),
    ] {
        assert_eq!(from(&server, peer, headers).await.0, status, "{peer} {headers:?}");
    }
    settings.edge.allow_plain = true;
    let plain = Server::with(settings).await;
    assert_eq!(from(&plain, "10.0.0.2", &[]).await.0, 200);
}

#[tokio::test]
async fn every_answer_says_what_browsers_may_do_with_it() {
    let server = Server::start().await;
    for path in ["/", "/graphql", "/graphql/ui/none", "/health", "/metrics", "/export/none", "/nowhere"] {
        let answer = server.send(Request::get(path).body(Body::empty()).unwrap()).await;
        let headers = answer.headers();
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(headers[name], value, "{path}");
        }
        assert!(headers.contains_key(header::CACHE_CONTROL) && !headers.contains_key(header::SERVER), "{path}");
    }
    let (refused, headers) = from(&server, "127.0.0.1", &[("host", "evil.example")]).await;
    assert_eq!((refused, headers["x-frame-options"].as_bytes()), (StatusCode::FORBIDDEN, &b"DENY"[..]));
}

#[tokio::test]
async fn so_many_connections_are_open_and_no_more() {
    let edge = Edge { connections: 10, address_connections: 2, ..Edge::default() };
    let server = Server::with(Settings { edge, ..Settings::open() }).await;
    let certified = Certified::new();
    let (plain, _) = server.serve().await;
    let asking = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let answered = async |stream: &mut TcpStream| {
        stream.write_all(asking).await.unwrap();
        let mut head = [0; 12];
        stream.read_exact(&mut head).await.unwrap();
        String::from_utf8_lossy(&head).into_owned()
    };
    // A WebSocket counts as long as it is open.
    let socket = Socket::ready(plain).await;
    let mut second = TcpStream::connect(plain).await.unwrap();
    assert_eq!(answered(&mut second).await, "HTTP/1.1 200");
    let mut third = TcpStream::connect(plain).await.unwrap();
    third.write_all(asking).await.unwrap();
    let mut said = String::new();
    tokio::time::timeout(PATIENCE, third.read_to_string(&mut said)).await.unwrap().unwrap();
    assert!(said.starts_with("HTTP/1.1 503") && said.contains("retry-after: 5"), "{said}");
    assert!(said.contains("TOO_MANY_CONNECTIONS"), "{said}");
    // One goes, and another may come.
    drop(socket);
    loop {
        let mut next = TcpStream::connect(plain).await.unwrap();
        if answered(&mut next).await == "HTTP/1.1 200" {
            break;
        }
    }
    let (encrypted, _) = server.serve_over(Some(Tls::start(certified.files()).unwrap())).await;
    let mut held = Vec::new();
    for _ in 0..2 {
        held.push(TcpStream::connect(encrypted).await.unwrap());
    }
    let mut third = TcpStream::connect(encrypted).await.unwrap();
    let mut said = Vec::new();
    // Closed or reset: either way nothing is said.
    let _ = tokio::time::timeout(PATIENCE, third.read_to_end(&mut said)).await.unwrap();
    assert_eq!(said, b"");
}

#[tokio::test]
async fn who_sends_no_request_is_not_waited_for() {
    let edge = Edge { head: Duration::from_secs(1), ..Edge::default() };
    let server = Server::with(Settings { edge, ..Settings::open() }).await;
    let certified = Certified::new();
    let (plain, _) = server.serve().await;
    let (encrypted, _) = server.serve_over(Some(Tls::start(certified.files()).unwrap())).await;
    for (address, begun) in [(plain, "GET /health/live HTTP/1.1\r\nHost: local"), (encrypted, "\x16\x03\x01")] {
        let mut slow = TcpStream::connect(address).await.unwrap();
        slow.write_all(begun.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // Closed or reset: either way it is over.
        let ended = tokio::time::timeout(PATIENCE, slow.read_to_end(&mut answer)).await;
        assert!(ended.is_ok() && !answer.starts_with(b"HTTP/1.1 200"), "{answer:?}");
    }
}
