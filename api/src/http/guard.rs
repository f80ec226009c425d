//! What every request passes, whatever it asks for.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::App;
use super::negotiate::problem;

/// Refuses host names that are not this machine: a page whose name was re-pointed at 127.0.0.1 (DNS rebinding) sends
/// its own name. Without effect when other machines may reach the server.
pub(super) async fn host(State(app): State<App>, request: Request, next: Next) -> Response {
    if app.settings().allow_remote || host_of(&request).is_some_and(|host| is_loopback(&host)) {
        return next.run(request).await;
    }
    let message = "this server answers to localhost, 127.0.0.1 and [::1] only; \
                   VIGIE_ALLOW_REMOTE=true lets it answer to other names";
    problem(StatusCode::FORBIDDEN, "HOST_NOT_ALLOWED", message)
}

fn host_of(request: &Request) -> Option<String> {
    if let Some(authority) = request.uri().authority() {
        return Some(authority.as_str().to_owned());
    }
    let mut values = request.headers().get_all(header::HOST).iter();
    let (host, more) = (values.next()?, values.next());
    more.is_none().then(|| host.to_str().ok().map(str::to_owned))?
}

fn is_loopback(authority: &str) -> bool {
    let host = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => authority.split(':').next().unwrap_or_default(),
    };
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Whether a socket may be opened from where the request comes: browsers name the page's origin, and only pages of
/// this server may. Programs that are not browsers send none.
pub(super) fn same_origin(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let text = |value: &HeaderValue| value.to_str().ok().map(str::to_ascii_lowercase);
    let origin = text(origin);
    let authority = origin.as_deref().and_then(|origin| origin.split_once("://")).map(|(_, authority)| authority);
    let host = headers.get(header::HOST).and_then(text);
    authority.is_some() && authority == host.as_deref()
}

/// The page may load and reach what this server serves, nothing else; nobody may frame it or guess types.
pub(super) async fn security_headers(request: Request, next: Next) -> Response {
    const POLICY: &str = "default-src 'none'; script-src 'self'; worker-src 'self' blob:; style-src 'self' 'unsafe-inline'; \
                          img-src 'self' data:; font-src 'self' data:; connect-src 'self' ws: wss:; \
                          base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    let mut response = next.run(request).await;
    let fixed: [(HeaderName, &'static str); 5] = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
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
    use super::*;

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
            same_origin(&headers)
        };
        assert!(from("http://localhost:8080") && from("https://LOCALHOST:8080"));
        assert!(!from("http://localhost:8081") && !from("http://evil.example") && !from("null"));
        assert!(same_origin(&HeaderMap::new()));
    }
}
