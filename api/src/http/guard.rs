//! What every request passes, whatever it asks for.

use std::net::IpAddr;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::App;
use super::arrival::Arrival;
use super::negotiate::problem;
use crate::settings::Edge;

/// Notes how a request came, for everything behind, and refuses those that nobody should have sent.
///
/// A host name that nobody has given to this server is one that somebody has pointed at it: the page of another name
/// whose address was re-pointed here (DNS rebinding) sends its own name. An address cannot be re-pointed. What comes
/// from another machine must be encrypted.
pub(super) async fn entrance(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let settings = app.settings();
    let arrival = Arrival::of(request.extensions(), request.headers(), &settings.limits.trusted_proxies);
    let host = host_of(&request);
    let response = if !host.as_deref().is_some_and(|host| answers_to(&settings.edge, host)) {
        problem(StatusCode::FORBIDDEN, "HOST_NOT_ALLOWED", refused_host(&settings.edge))
    } else if !arrival.encrypted && !arrival.local && !settings.edge.allow_plain && !is_probe(&request) {
        let message = "this server is reached over TLS only; a proxy in front is named in VIGIE_TRUSTED_PROXIES and \
                       sends X-Forwarded-Proto";
        problem(StatusCode::FORBIDDEN, "TLS_REQUIRED", message)
    } else {
        request.extensions_mut().insert(arrival);
        next.run(request).await
    };
    let loopback = host.as_deref().is_none_or(is_loopback);
    if arrival.encrypted && !loopback { with_hsts(response, settings.edge.hsts) } else { response }
}

/// Browsers keep to TLS at this name. Not at `localhost`, which is a different program's name tomorrow.
fn with_hsts(mut response: Response, age: Duration) -> Response {
    if !age.is_zero() {
        let value = HeaderValue::from_str(&format!("max-age={}", age.as_secs()));
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, value.expect("digits are a header's text"));
    }
    response
}

/// Supervisors ask without TLS; what they are told is no secret.
fn is_probe(request: &Request) -> bool {
    matches!(request.uri().path(), "/health/live" | "/health/ready" | "/health/startup")
}

fn refused_host(edge: &Edge) -> &'static str {
    match edge.allow_remote {
        true => "this server does not answer to this host name; VIGIE_HOSTS lists those that it answers to",
        false => {
            "this server answers to localhost, 127.0.0.1 and [::1], and to the names in VIGIE_HOSTS; \
             VIGIE_ALLOW_REMOTE=true lets it answer to other addresses"
        }
    }
}

fn answers_to(edge: &Edge, authority: &str) -> bool {
    let host = name_of(authority);
    is_loopback(authority)
        || edge.hosts.contains(&host)
        || edge.allow_remote && host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
}

/// A request's authority without port, in lower case.
fn name_of(authority: &str) -> String {
    let host = match authority.split_once(']') {
        Some((address, _)) => address.trim_start_matches('['),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host.trim_end_matches('.').to_ascii_lowercase()
}

fn is_loopback(authority: &str) -> bool {
    let host = name_of(authority);
    host == "localhost" || host.ends_with(".localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn host_of(request: &Request) -> Option<String> {
    if let Some(authority) = request.uri().authority() {
        return Some(authority.as_str().to_owned());
    }
    let mut values = request.headers().get_all(header::HOST).iter();
    let (host, more) = (values.next()?, values.next());
    more.is_none().then(|| host.to_str().ok().map(str::to_owned))?
}

/// Whether a browser sends a request for a page of this server, and says so.
pub(crate) fn names_this_server(headers: &HeaderMap, arrival: &Arrival) -> bool {
    headers.contains_key(header::ORIGIN) && same_origin(headers, arrival)
}

/// Whether a request comes from a page of this server: browsers name the page's origin, with its scheme. Programs that
/// are not browsers send none.
pub(crate) fn same_origin(headers: &HeaderMap, arrival: &Arrival) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let Some(origin) = origins.next() else { return true };
    let text = |value: &HeaderValue| value.to_str().ok().map(str::to_ascii_lowercase);
    let host = headers.get(header::HOST).and_then(text);
    let ours = host.map(|host| format!("{}://{host}", arrival.scheme()));
    origins.next().is_none() && ours.is_some() && text(origin) == ours
}

/// The page may load and reach what this server serves, nothing else; nobody may frame it or guess types.
pub(super) async fn security_headers(request: Request, next: Next) -> Response {
    const POLICY: &str = "default-src 'none'; script-src 'self'; worker-src 'self' blob:; style-src 'self' 'unsafe-inline'; \
                          img-src 'self' data:; font-src 'self' data:; connect-src 'self' ws: wss:; \
                          base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    let mut response = next.run(request).await;
    let fixed: [(HeaderName, &'static str); 6] = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Ends a request that takes longer than the setting allows. What it was doing is dropped; an append that was under
/// way may still happen, and the same command id tells.
pub(super) async fn time_limit(State(app): State<App>, request: Request, next: Next) -> Response {
    let limit = app.settings().request_timeout;
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let message = format!("not done within {} s (VIGIE_REQUEST_SECONDS)", limit.as_secs());
            let retry = [(header::RETRY_AFTER, "1")];
            (retry, problem(StatusCode::GATEWAY_TIMEOUT, "TIMEOUT", &message)).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Extensions;

    use super::*;

    #[test]
    fn a_name_that_nobody_gave_to_this_server_is_not_its_own() {
        let listed = Edge { hosts: vec!["vigie.example".to_owned()], ..Edge::default() };
        let remote = Edge { allow_remote: true, ..listed.clone() };
        for host in ["vigie.example", "VIGIE.example:8443", "localhost", "[::1]:1", "vigie.example."] {
            assert!(answers_to(&listed, host) && answers_to(&remote, host), "{host}");
        }
        for host in ["10.0.0.1:80", "[2001:db8::1]:80"] {
            assert!(!answers_to(&listed, host) && answers_to(&remote, host), "{host}");
        }
        for host in
            ["", "example", "evil.example", "vigie.example.evil.example", "10.0.0.1.evil.example", "x.vigie.example"]
        {
            assert!(!answers_to(&listed, host) && !answers_to(&remote, host), "{host}");
        }
    }

    #[test]
    fn only_names_of_this_machine_are_loopback() {
        for host in
            ["localhost", "LOCALHOST:8080", "127.0.0.1:1", "127.9.9.9", "[::1]:8080", "vigie.localhost", "localhost."]
        {
            assert!(is_loopback(host), "{host}");
        }
        for host in
            ["", "example.com", "localhost.example.com", "10.0.0.1", "[2001:db8::1]:80", "127.0.0.1.example.com"]
        {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn an_origin_must_be_the_host_itself() {
        let from = |origin: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static("localhost:8080"));
            headers.insert(header::ORIGIN, HeaderValue::from_str(origin).unwrap());
            let plain = Arrival::of(&Extensions::new(), &headers, &[]);
            [plain, Arrival { encrypted: true, ..plain }].map(|arrival| same_origin(&headers, &arrival))
        };
        assert_eq!([from("http://localhost:8080"), from("https://LOCALHOST:8080")], [[true, false], [false, true]]);
        for other in
            ["http://localhost:8081", "http://evil.example", "null", "", "localhost:8080", "http://localhost:8080/"]
        {
            assert_eq!(from(other), [false, false], "{other}");
        }
        let arrival = Arrival::of(&Extensions::new(), &HeaderMap::new(), &[]);
        assert!(same_origin(&HeaderMap::new(), &arrival));
    }
}
