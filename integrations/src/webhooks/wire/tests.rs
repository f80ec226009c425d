//! The sender against a real receiver, which behaves and misbehaves.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::resolver::Names;
use super::*;
use crate::webhooks::testing::{Behaviour, Certificate, Flaw, Gate, Receiver, Reply};

/// Longer than anything here takes, also on a machine with much to do.
const PATIENCE: Duration = Duration::from_secs(60);
/// The time after which a receiver that does not answer is given up.
const SHORT: Duration = Duration::from_millis(300);

fn now() -> DateTime<Utc> {
    "2026-01-01T10:00:00Z".parse().unwrap()
}

/// What may reach receivers of this machine.
fn here() -> Settings {
    let rules = AddressRules { allowed: vec!["127.0.0.0/8".parse().unwrap()], plain_http: true };
    Settings { rules, certificates: None }
}

fn trusting(certificate: &Certificate) -> Settings {
    Settings { certificates: Some(certificate.pem().as_bytes().to_vec()), ..here() }
}

/// Names that each have one list of addresses after the other, and then the last one; and how often one was looked up.
fn names(lists: &[&[&str]]) -> (Names, Arc<AtomicUsize>) {
    let parse = |list: &&[&str]| list.iter().map(|address| address.parse().unwrap()).collect();
    let lists: Vec<Vec<IpAddr>> = lists.iter().map(parse).collect();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let names: Names = Arc::new(move |_| {
        let nth = count.fetch_add(1, Ordering::SeqCst).min(lists.len() - 1);
        let found = lists[nth].clone();
        Box::pin(async move { Ok(found) })
    });
    (names, asked)
}

fn request(url: &str) -> Request {
    Request {
        target: Target::parse(url).unwrap(),
        id: Uuid::from_u128(1),
        at: now(),
        body: r#"{"type":"webhooks.test"}"#.into(),
        secrets: [SigningSecret::draw(Scheme::Hmac)].into(),
        headers: Arc::default(),
        timeout: PATIENCE,
    }
}

async fn send(url: &str) -> Attempt {
    Sender::new(&here()).unwrap().send(&request(url)).await
}

fn failure(attempt: &Attempt) -> FailureKind {
    attempt.outcome.as_ref().expect_err("it fails").kind
}

fn answer(attempt: &Attempt) -> &Answer {
    attempt.outcome.as_ref().expect("there is an answer")
}

#[tokio::test]
async fn a_delivery_is_a_signed_post_of_the_body() {
    let receiver = Receiver::start(|_| Behaviour::Answer(Reply::status(201).body("taken"))).await;
    let headers = CustomHeaders::new([("X-Tenant", "north")]).unwrap();
    let url = format!("{}?token=abcdef", receiver.url());
    let request = Request { headers: Arc::new(headers), ..request(&url) };
    let attempt = Sender::new(&here()).unwrap().send(&request).await;
    assert_eq!((attempt.verdict(), attempt.status()), (Verdict::Delivered, Some(201)));
    assert_eq!((answer(&attempt).body.as_str(), answer(&attempt).cut), ("taken", false));
    let received = &receiver.received()[0];
    assert_eq!((received.path.as_str(), &*received.body), ("/hook?token=abcdef", &*request.body));
    assert_eq!((received.id(), received.header("webhook-timestamp")), (request.id, Some("1767261600")));
    let signature = secret::signatures(&request.secrets, request.id, now().timestamp(), &request.body);
    assert_eq!(received.header("webhook-signature"), Some(signature.as_str()));
    assert_eq!(
        (received.header("x-tenant"), received.header("content-type")),
        (Some("north"), Some("application/json"))
    );
    assert_eq!(received.header("accept-encoding"), None);
}

#[tokio::test]
async fn connections_are_used_again() {
    let receiver = Receiver::start(|_| Behaviour::fine()).await;
    let sender = Sender::new(&here()).unwrap();
    for _ in 0..10 {
        assert_eq!(sender.send(&request(&receiver.url())).await.verdict(), Verdict::Delivered);
    }
    assert_eq!((receiver.count(), receiver.connections()), (10, 1));
}

#[tokio::test]
async fn whoever_does_not_answer_in_time_is_given_up() {
    let gated = Behaviour::Gated(Gate::default(), Reply::status(200));
    for behaviour in [Behaviour::Silent, gated] {
        let receiver = Receiver::start(move |_| behaviour.clone()).await;
        let request = Request { timeout: SHORT, ..request(&receiver.url()) };
        let attempt = Sender::new(&here()).unwrap().send(&request).await;
        assert_eq!(failure(&attempt), FailureKind::Timeout);
        assert!(attempt.latency >= SHORT);
    }
}

#[tokio::test]
async fn who_is_slow_but_in_time_has_it() {
    let gate = Gate::default();
    let gated = Behaviour::Gated(gate.clone(), Reply::status(200));
    let receiver = Receiver::start(move |_| gated.clone()).await;
    let (sender, request) = (Sender::new(&here()).unwrap(), request(&receiver.url()));
    let (attempt, ()) = tokio::join!(sender.send(&request), async {
        receiver.has(1).await;
        gate.open(1);
    });
    assert_eq!(failure_or_status(&attempt), Ok(200));
}

fn failure_or_status(attempt: &Attempt) -> Result<u16, FailureKind> {
    attempt.outcome.as_ref().map(|answer| answer.status).map_err(|failure| failure.kind)
}

#[tokio::test]
async fn whoever_is_silent_before_the_encryption_is_given_up_too() {
    // It takes the connection and says nothing.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let request = Request { timeout: SHORT, ..request(&url) };
    assert_eq!(failure(&Sender::new(&here()).unwrap().send(&request).await), FailureKind::Timeout);
}

#[tokio::test]
async fn connections_that_end_or_speak_something_else_fail() {
    let garbage = Behaviour::Bytes(b"SSH-2.0-OpenSSH_9.6\r\n".to_vec());
    let half = Behaviour::Bytes(b"HTTP/1.1 200 OK\r\ncontent-".to_vec());
    for (behaviour, kind) in [
        (Behaviour::Close, FailureKind::Closed),
        (Behaviour::Reset, FailureKind::Closed),
        (half, FailureKind::Closed),
        (garbage, FailureKind::Protocol),
    ] {
        let shown = format!("{behaviour:?}");
        let receiver = Receiver::start(move |_| behaviour.clone()).await;
        let attempt = send(&receiver.url()).await;
        assert_eq!(failure(&attempt), kind, "{shown}: {attempt:?}");
        assert_eq!(receiver.count(), 1, "it is not sent again by itself");
    }
}

#[tokio::test]
async fn where_nobody_listens_there_is_no_connection() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let attempt = send(&format!("http://127.0.0.1:{port}/")).await;
    assert_eq!(failure(&attempt), FailureKind::Connect, "{attempt:?}");
}

#[tokio::test]
async fn of_a_huge_answer_little_is_read_and_the_status_counts() {
    let receiver = Receiver::start(|_| Behaviour::Endless(200)).await;
    let attempt = send(&receiver.url()).await;
    assert_eq!(attempt.verdict(), Verdict::Delivered);
    assert_eq!((answer(&attempt).body.len(), answer(&attempt).cut), (LARGEST_ANSWER, true));

    receiver.behave(|_| Behaviour::HeadOnly(500));
    let attempt = send(&receiver.url()).await;
    assert_eq!((attempt.status(), answer(&attempt).body.as_str(), answer(&attempt).cut), (Some(500), "", true));

    receiver.behave(|_| Behaviour::Answer(Reply::status(200).header("x-long", &"a".repeat(30_000))));
    let attempt = send(&receiver.url()).await;
    assert_eq!((attempt.verdict(), answer(&attempt).head.len()), (Verdict::Delivered, 4_000));

    receiver.behave(|_| Behaviour::Answer(Reply::status(200).body(b"a\0b\xff".to_vec())));
    assert_eq!(answer(&send(&receiver.url()).await).body, "a\u{fffd}b\u{fffd}");
}

#[tokio::test]
async fn nothing_is_unpacked() {
    // It says that it is compressed, as what fills the memory when it is unpacked would.
    let packed = Reply::status(200).header("content-encoding", "gzip").body("not unpacked");
    let receiver = Receiver::start(move |_| Behaviour::Answer(packed.clone())).await;
    assert_eq!(answer(&send(&receiver.url()).await).body, "not unpacked");
}

#[tokio::test]
async fn redirects_are_failures_and_not_followed() {
    let inner = Receiver::start(|_| Behaviour::fine()).await;
    for location in [inner.url(), "http://127.0.0.1/".to_owned(), "file:///etc/passwd".to_owned()] {
        let receiver = Receiver::start(move |_| Behaviour::redirect(&location)).await;
        let attempt = send(&receiver.url()).await;
        assert_eq!((attempt.verdict(), attempt.status()), (Verdict::Failed, Some(302)));
        assert!(answer(&attempt).head.contains("location: "), "{attempt:?}");
    }
    assert_eq!(inner.count(), 0);
}

#[tokio::test]
async fn a_receiver_may_ask_for_time() {
    let receiver = Receiver::start(|_| Behaviour::too_many("120")).await;
    let attempt = send(&receiver.url()).await;
    assert_eq!((attempt.verdict(), attempt.retry_after()), (Verdict::Throttled, Some(Duration::from_secs(120))));
    receiver.behave(|_| Behaviour::too_many("Thu, 01 Jan 2026 10:01:00 GMT"));
    assert_eq!(send(&receiver.url()).await.retry_after(), Some(Duration::from_secs(60)));
    receiver.behave(|_| Behaviour::status(410));
    assert_eq!(send(&receiver.url()).await.verdict(), Verdict::Gone);
}

#[tokio::test]
async fn who_flaps_is_told_as_it_is() {
    let receiver = Receiver::start(|_| Behaviour::fine()).await;
    let sender = Sender::new(&here()).unwrap();
    let turn = AtomicUsize::new(0);
    receiver.behave(move |_| match turn.fetch_add(1, Ordering::SeqCst) % 3 {
        0 => Behaviour::status(503),
        1 => Behaviour::Reset,
        _ => Behaviour::fine(),
    });
    let mut told = Vec::new();
    for _ in 0..6 {
        told.push(failure_or_status(&sender.send(&request(&receiver.url())).await));
    }
    assert_eq!(told, [Ok(503), Err(FailureKind::Closed), Ok(200), Ok(503), Err(FailureKind::Closed), Ok(200)]);
}

#[tokio::test]
async fn only_certificates_that_are_trusted_valid_and_of_that_name_will_do() {
    let good = Certificate::new();
    let receiver = Receiver::encrypted(&good, |_| Behaviour::fine()).await;
    let attempt = Sender::new(&trusting(&good)).unwrap().send(&request(&receiver.url())).await;
    assert_eq!(failure_or_status(&attempt), Ok(200), "{attempt:?}");
    // Somebody else's, that nobody has vouched for.
    assert_eq!(failure(&send(&receiver.url()).await), FailureKind::Tls);
    for flaw in [Flaw::Expired, Flaw::OtherName] {
        let bad = Certificate::flawed(flaw);
        let receiver = Receiver::encrypted(&bad, |_| Behaviour::fine()).await;
        let attempt = Sender::new(&trusting(&bad)).unwrap().send(&request(&receiver.url())).await;
        assert_eq!(failure(&attempt), FailureKind::Tls, "{flaw:?}: {attempt:?}");
        assert_eq!(receiver.count(), 0);
    }
}

#[tokio::test]
async fn what_speaks_no_tls_gets_nothing() {
    let plain = Receiver::start(|_| Behaviour::fine()).await;
    let attempt = send(&plain.url().replacen("http:", "https:", 1)).await;
    assert_eq!(failure(&attempt), FailureKind::Tls, "{attempt:?}");
    assert_eq!(plain.count(), 0);
}

#[tokio::test]
async fn nothing_is_sent_to_addresses_that_are_refused() {
    let receiver = Receiver::start(|_| Behaviour::fine()).await;
    let port = receiver.address().port();
    let strict = Settings { rules: AddressRules { plain_http: true, ..AddressRules::default() }, certificates: None };
    let sender = Sender::new(&strict).unwrap();
    for host in ["127.0.0.1", "localhost", "127.1", "2130706433", "[::ffff:127.0.0.1]", "[::1]", "0.0.0.0"] {
        let attempt = sender.send(&request(&format!("http://{host}:{port}/"))).await;
        assert_eq!(failure(&attempt), FailureKind::Refused, "{host}: {attempt:?}");
    }
    let https = Settings { rules: AddressRules { plain_http: false, ..here().rules }, certificates: None };
    let attempt = Sender::new(&https).unwrap().send(&request(&receiver.url())).await;
    assert_eq!(failure(&attempt), FailureKind::Refused, "{attempt:?}");
    assert_eq!((receiver.count(), receiver.connections()), (0, 0));
}

#[tokio::test]
async fn a_name_that_changes_its_address_reaches_nothing_inside() {
    let receiver = Receiver::start(|_| Behaviour::Close).await;
    let url = format!("http://rebinding.example:{}/", receiver.address().port());
    // At the first look an address that is admitted, at the second one inside.
    let (names, asked) = names(&[&["127.0.0.1"], &["10.0.0.1"]]);
    let sender = Sender::with_names(&here(), names).unwrap();
    assert_eq!(failure(&sender.send(&request(&url)).await), FailureKind::Closed);
    assert_eq!((receiver.count(), asked.load(Ordering::SeqCst)), (1, 1), "one look-up, and that address");
    let attempt = sender.send(&request(&url)).await;
    assert_eq!(failure(&attempt), FailureKind::Refused, "{attempt:?}");
    assert_eq!((receiver.connections(), asked.load(Ordering::SeqCst)), (1, 2));
}

#[tokio::test]
async fn of_several_addresses_only_those_that_are_admitted_are_tried() {
    let receiver = Receiver::start(|_| Behaviour::fine()).await;
    let url = format!("http://several.example:{}/", receiver.address().port());
    let (names, _) = names(&[&["10.0.0.1", "::1", "127.0.0.1", "169.254.169.254"]]);
    let attempt = Sender::with_names(&here(), names).unwrap().send(&request(&url)).await;
    assert_eq!(failure_or_status(&attempt), Ok(200), "{attempt:?}");
}

#[tokio::test]
async fn a_name_without_address_is_told_apart() {
    let (names, _) = names(&[&[]]);
    let sender = Sender::with_names(&here(), names).unwrap();
    let attempt = sender.send(&request("https://nowhere.example/")).await;
    assert_eq!(failure(&attempt), FailureKind::Name, "{attempt:?}");
    let unknown: Names = Arc::new(|_| Box::pin(async { Err(std::io::Error::other("unknown")) }));
    let attempt = Sender::with_names(&here(), unknown).unwrap().send(&request("https://nowhere.example/")).await;
    assert_eq!(failure(&attempt), FailureKind::Name, "{attempt:?}");
}

#[tokio::test]
async fn a_name_that_is_never_answered_is_given_up_in_time() {
    let hanging: Names = Arc::new(|_| Box::pin(std::future::pending()));
    let sender = Sender::with_names(&here(), hanging).unwrap();
    let request = Request { timeout: SHORT, ..request("https://nowhere.example/") };
    assert_eq!(failure(&sender.send(&request).await), FailureKind::Timeout);
}

#[tokio::test]
async fn an_answer_that_repeats_secrets_is_kept_without_them() {
    let receiver = Receiver::start(|received| {
        let all: String = received.headers.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
        let reply = Reply::status(500).body(format!("{all}{}", received.path));
        let value = received.header("authorization").unwrap_or_default().to_owned();
        Behaviour::Answer(reply.header("x-echo", &value).header("set-cookie", "session=1"))
    })
    .await;
    let headers = CustomHeaders::new([("Authorization", "Bearer 5f3c9a52")]).unwrap();
    let request = Request { headers: Arc::new(headers), ..request(&format!("{}?token=abcdef", receiver.url())) };
    let attempt = Sender::new(&here()).unwrap().send(&request).await;
    let told = format!("{attempt:?}");
    assert!(told.contains("authorization=[secret]") && told.contains("x-echo: [secret]"), "{told}");
    assert!(!told.contains("5f3c9a52") && !told.contains("abcdef") && !told.contains("session"), "{told}");
}

#[tokio::test]
async fn what_fails_is_told_without_the_secret_part_of_its_url() {
    let receiver = Receiver::start(|_| Behaviour::Close).await;
    let attempt = send(&format!("{}?token=abcdef", receiver.url())).await;
    assert!(!format!("{attempt:?}").contains("abcdef"), "{attempt:?}");
}
