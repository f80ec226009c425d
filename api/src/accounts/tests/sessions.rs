//! Cookies, refresh tokens and signing out.

use std::net::IpAddr;

use chrono::TimeDelta;
use vigie_domain::identity::{DeactivateUser, EndReason, ReactivateUser, SignInMethod};

use super::*;
use crate::accounts::sessions::Provider;
use crate::http::Arrival;
use crate::limits::Address;

impl House {
    /// Signs in as a browser does; the cookie.
    async fn browser(&self) -> String {
        let answer = self.post("/auth/sign-in", json!({ "username": "admin", "password": PASSWORD })).await;
        let set = answer.headers[header::SET_COOKIE].to_str().unwrap().to_owned();
        assert!(set.contains("; HttpOnly") && set.contains("; SameSite=Strict") && set.contains("; Path=/"), "{set}");
        assert!(answer.body.get("refreshToken").is_none() && answer.body.get("accessToken").is_none());
        answer.cookie()
    }

    async fn refresh(&self, token: &str) -> Answer {
        self.post("/auth/refresh", json!({ "refreshToken": token })).await
    }
}

#[tokio::test]
async fn a_browser_holds_a_cookie_until_it_signs_out() {
    let house = House::new().await;
    let user = house.admin().await;
    let cookie = house.browser().await;
    assert_eq!(house.me(header::COOKIE, &cookie).await.body["actor"], format!("user:{user}"));
    let leave =
        Request::post("/auth/sign-out").header(header::COOKIE, &cookie).header(header::ORIGIN, "http://localhost");
    let left = house.send(leave, None).await;
    assert_eq!(left.status, StatusCode::NO_CONTENT);
    assert!(left.headers[header::SET_COOKIE].to_str().unwrap().contains("Max-Age=0"));
    assert_eq!(house.me(header::COOKIE, &cookie).await.code(), "UNAUTHENTICATED");
    assert_eq!(house.events().await.last().unwrap(), "identity.signed_out");
}

#[tokio::test]
async fn a_cookie_counts_for_changes_and_sockets_from_pages_of_this_server_only() {
    let house = House::new().await;
    house.admin().await;
    let cookie = house.browser().await;
    let parts = |method: Method, extra: &[(header::HeaderName, &str)]| {
        let mut request = Request::builder().method(method).uri("/graphql").header(header::COOKIE, &cookie);
        request = request.header(header::HOST, "localhost");
        for (name, value) in extra {
            request = request.header(name, *value);
        }
        request.body(()).unwrap().into_parts().0
    };
    let (own, other) = ((header::ORIGIN, "http://localhost"), (header::ORIGIN, "http://evil.example"));
    let socket = (header::UPGRADE, "websocket");
    for (method, extra, fine) in [
        (Method::GET, vec![], true),
        (Method::POST, vec![], false),
        (Method::POST, vec![other.clone()], false),
        (Method::POST, vec![own.clone()], true),
        (Method::PUT, vec![], false),
        (Method::DELETE, vec![other.clone()], false),
        (Method::GET, vec![socket.clone()], false),
        (Method::GET, vec![socket.clone(), other], false),
        (Method::GET, vec![socket, own], true),
    ] {
        let known = {
            let parts = parts(method.clone(), &extra);
            house.accounts.authenticate(&parts, &Arrival::of(&parts.extensions, &parts.headers, &[])).await
        };
        assert_eq!(known.is_ok(), fine, "{method} {extra:?}");
        assert!(fine || matches!(known, Err(Unauthenticated::Origin)), "{known:?}");
    }
}

#[tokio::test]
async fn a_refresh_token_gives_the_next_ones_and_a_second_use_ends_the_session() {
    let house = House::new().await;
    house.admin().await;
    let (_, first) = tokens(&house.sign_in("admin", PASSWORD).await);
    let next = house.refresh(&first).await;
    assert_eq!(next.status, StatusCode::OK);
    let (access, second) = tokens(&next);
    assert_ne!(first, second);
    assert_eq!(house.bearer(&access).await.status, StatusCode::OK);
    let again = house.refresh(&first).await;
    assert_eq!(again.code(), "SIGN_IN_REFUSED", "somebody else has it too");
    assert!(again.message().starts_with("the refresh token is not valid"), "{}", again.message());
    assert_eq!(house.refresh(&second).await.code(), "SIGN_IN_REFUSED", "and which of the two is right nobody knows");
    assert_eq!(house.events().await.last().unwrap(), "identity.session_ended");
}

#[tokio::test]
async fn of_two_that_refresh_with_one_token_at_the_same_time_one_at_most_goes_on() {
    let house = House::new().await;
    let other = house.beside().await;
    house.admin().await;
    let (_, token) = tokens(&house.sign_in("admin", PASSWORD).await);
    let (one, two) = tokio::join!(house.refresh(&token), other.refresh(&token));
    let fine = [&one, &two].into_iter().filter(|answer| answer.status == StatusCode::OK).count();
    assert_eq!(fine, 1);
    assert_eq!(house.events().await.last().unwrap(), "identity.session_ended");
}

#[tokio::test]
async fn a_program_signs_out_with_its_refresh_token() {
    let house = House::new().await;
    house.admin().await;
    let (_, token) = tokens(&house.sign_in("admin", PASSWORD).await);
    let left = house.post("/auth/sign-out", json!({ "refreshToken": token })).await;
    assert_eq!(left.status, StatusCode::NO_CONTENT);
    assert_eq!(house.refresh(&token).await.code(), "SIGN_IN_REFUSED");
    assert_eq!(house.events().await.last().unwrap(), "identity.signed_out");
}

#[tokio::test]
async fn a_session_ends_after_its_time_and_when_nothing_is_done_with_it() {
    let house = House::new().await;
    house.admin().await;
    for column in ["ends_at", "seen_at"] {
        let (cookie, (_, token)) = (house.browser().await, tokens(&house.sign_in("admin", PASSWORD).await));
        let long_ago = clock::now() - TimeDelta::days(1);
        let sql =
            if column == "ends_at" { "update session set ends_at = $1" } else { "update session set seen_at = $1" };
        sqlx::query(sql).bind(long_ago).execute(&house.pool).await.unwrap();
        assert_eq!(house.me(header::COOKIE, &cookie).await.code(), "UNAUTHENTICATED", "{column}");
        assert_eq!(house.refresh(&token).await.code(), "SIGN_IN_REFUSED", "{column}");
    }
}

#[tokio::test]
async fn a_session_that_another_system_opened_ends_after_its_own_time_and_others_go_on() {
    let house = House::new().await;
    let user = house.admin().await;
    let (own, address) = (house.browser().await, Address::from(IpAddr::from([127, 0, 0, 1])));
    let open = async |lasts: TimeDelta| {
        let provider = Provider { issuer: "https://id.example".to_owned(), session: None, lasts };
        let opened = house.accounts.open_session(user, SignInMethod::Oidc, Holds::Cookie, Some(&provider), address);
        opened.await.unwrap()
    };
    let short = open(TimeDelta::milliseconds(1_500)).await;
    let cookie = format!("vigie={}", short.secret.show());
    while house.me(header::COOKIE, &cookie).await.status == StatusCode::OK {
        assert!(clock::now() < short.ends_at + TimeDelta::minutes(1), "it does not end");
    }
    assert_eq!(house.me(header::COOKIE, &cookie).await.code(), "UNAUTHENTICATED");
    assert!(clock::now() >= short.ends_at, "it ended before its time");
    assert_eq!(house.me(header::COOKIE, &own).await.status, StatusCode::OK);
    // However long the other system's word counts, a session lasts no longer than any.
    let longest = open(TimeDelta::days(30)).await;
    assert!(longest.ends_at <= clock::now() + Choices::default().session);
}

#[tokio::test]
async fn a_session_that_is_used_is_not_idle() {
    let house = House::new().await;
    house.admin().await;
    let cookie = house.browser().await;
    sqlx::query!("update session set seen_at = seen_at - interval '3 hours'").execute(&house.pool).await.unwrap();
    assert_eq!(house.me(header::COOKIE, &cookie).await.status, StatusCode::OK);
    let seen = sqlx::query_scalar!("select seen_at from session").fetch_one(&house.pool).await.unwrap();
    assert!(clock::now() - seen < TimeDelta::minutes(1));
}

#[tokio::test]
async fn a_session_that_an_administrator_ends_is_over_for_its_cookie_and_its_refresh_token() {
    let house = House::new().await;
    let user = house.admin().await;
    let (cookie, (_, token)) = (house.browser().await, tokens(&house.sign_in("admin", PASSWORD).await));
    assert_eq!(house.me(header::COOKIE, &cookie).await.status, StatusCode::OK);
    for session in super::super::sessions::of(&house.pool, user).await.unwrap() {
        house.accounts.end(session, EndReason::Administrator, order()).await.unwrap();
    }
    assert_eq!(house.me(header::COOKIE, &cookie).await.code(), "UNAUTHENTICATED");
    assert_eq!(house.refresh(&token).await.code(), "SIGN_IN_REFUSED");
}

#[tokio::test]
async fn who_is_deactivated_is_told_nothing_more_whatever_they_hold() {
    let house = House::new().await;
    house.admin().await;
    let user = house.user("second", []).await;
    let (access, refresh) = tokens(&house.sign_in("second", PASSWORD).await);
    let cookie = house.post("/auth/sign-in", json!({ "username": "second", "password": PASSWORD })).await.cookie();
    assert_eq!(house.bearer(&access).await.status, StatusCode::OK);
    // The log alone says so, as when a server was killed before it had ended the sessions.
    house.accounts.carry_out(&DeactivateUser { user }, order()).await.unwrap();
    assert_eq!(house.bearer(&access).await.code(), "UNAUTHENTICATED");
    assert_eq!(house.me(header::COOKIE, &cookie).await.code(), "UNAUTHENTICATED");
    assert_eq!(house.refresh(&refresh).await.code(), "UNAUTHENTICATED");
    house.accounts.carry_out(&ReactivateUser { user }, order()).await.unwrap();
    assert_eq!(house.bearer(&access).await.code(), "UNAUTHENTICATED", "what was theirs before does not come back");
    assert_eq!(house.me(header::COOKIE, &cookie).await.code(), "UNAUTHENTICATED");
    assert_eq!(house.refresh(&refresh).await.code(), "UNAUTHENTICATED");
    let (access, _) = tokens(&house.sign_in("second", PASSWORD).await);
    assert_eq!(house.bearer(&access).await.status, StatusCode::OK);
}
