//! Accounts on a real database, through the HTTP surface of a server that has them.

mod demo;
mod graphql;
mod keys;
mod sessions;
mod sign_in;
mod tokens;
mod users;

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use uuid::Uuid;
use vigie_commands::refusals::Refusals;
use vigie_commands::{Clock, Executor, Order};
use vigie_domain::identity::{Grant, Role, UserId};
use vigie_eventlog::{Log, testing};
use vigie_projections::Projections;

use super::*;
use crate::clock;
use crate::documents::Documents;
use crate::graphql::{ReadSchema, Services};
use crate::http::{App, Life, recorder, router};
use crate::rights::Directory;
use crate::settings::{Accounts as Choices, Settings};
use crate::webhooks::Webhooks;

/// A password that nobody guesses, and everybody here has.
const PASSWORD: &str = "stands and trains";

/// A server with accounts, on a database of its own.
struct House {
    accounts: Accounts,
    pool: PgPool,
    log: Log,
    directory: Directory,
    router: Router,
}

/// What a request was answered.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    fn code(&self) -> &str {
        self.body["errors"][0]["extensions"]["code"].as_str().unwrap_or_default()
    }

    fn message(&self) -> &str {
        self.body["errors"][0]["message"].as_str().unwrap_or_default()
    }

    /// The cookie that it sets, as a browser sends it back.
    fn cookie(&self) -> String {
        let set = self.headers[header::SET_COOKIE].to_str().unwrap();
        set.split(';').next().unwrap().to_owned()
    }
}

fn settings(choices: Choices) -> Settings {
    // Little memory, so that the tests are quick.
    let accounts = Choices { password_kib: 8_192, password_passes: 1, ..choices };
    Settings { open: false, accounts, ..Settings::defaults() }
}

impl House {
    async fn new() -> Self {
        Self::with(Choices::default()).await
    }

    async fn with(choices: Choices) -> Self {
        Self::on(testing::database().await, choices).await
    }

    fn webhooks(&self) -> Webhooks {
        let executor = self.accounts.executor().clone();
        Webhooks::open(self.pool.clone(), executor, &Settings::open(), None).unwrap()
    }

    /// Another process on the same database.
    async fn beside(&self) -> Self {
        Self::on(self.pool.clone(), Choices::default()).await
    }

    async fn on(pool: PgPool, choices: Choices) -> Self {
        Self::of(pool, settings(choices)).await
    }

    async fn of(pool: PgPool, settings: Settings) -> Self {
        let log = Log::open(pool.clone()).await.unwrap();
        let time: Clock = Arc::new(clock::now);
        let refusals = Refusals::start(pool.clone(), settings.refusals, Arc::clone(&time));
        let executor = Executor::new(log.clone(), time).recording(refusals);
        let projections = Projections::start(pool.clone(), log.clone(), CancellationToken::new()).await.unwrap();
        let accounts = Accounts::open(pool.clone(), executor.clone(), &settings).unwrap();
        let directory = Directory::start(&log).await.unwrap();
        let webhooks = Webhooks::open(pool.clone(), executor.clone(), &settings, None).unwrap();
        let services = Services {
            pool: pool.clone(),
            log: log.clone(),
            executor,
            projections,
            schema: ReadSchema::default(),
            accounts: accounts.clone(),
            directory: directory.clone(),
            webhooks,
        };
        let app = App::new(settings, Documents::default(), services, recorder().unwrap(), Life::default());
        Self { accounts, pool, log, directory, router: router(app) }
    }

    /// A user with these roles and the password of everybody here.
    async fn user(&self, username: &str, grants: impl IntoIterator<Item = Grant>) -> UserId {
        let details = Details {
            username: Username::new(username).unwrap(),
            full_name: format!("{username} of the house"),
            email: None,
            note: String::new(),
        };
        let new = NewUser { details, grants: grants.into_iter().collect::<BTreeSet<_>>(), first: false };
        let user = self.accounts.create_user(new, order()).await.unwrap().answer;
        self.accounts.set_password(user, PASSWORD, Subject::Open, order()).await.unwrap();
        user
    }

    async fn admin(&self) -> UserId {
        self.user("admin", [Grant::everywhere(Role::Admin)]).await
    }

    async fn send(&self, request: axum::http::request::Builder, body: Option<Value>) -> Answer {
        // The server is to know what was done so far.
        self.directory.reached(self.log.head().await.unwrap()).await;
        let request = request.header(header::HOST, "localhost").header(header::CONTENT_TYPE, "application/json");
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let response = self.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        Answer { status, headers, body: serde_json::from_slice(&bytes).unwrap_or_default() }
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Request::post(path), Some(body)).await
    }

    async fn sign_in(&self, username: &str, password: &str) -> Answer {
        self.post("/auth/sign-in", json!({ "username": username, "password": password, "session": "tokens" })).await
    }

    /// What `/auth/me` says to who shows this.
    async fn me(&self, name: header::HeaderName, shown: &str) -> Answer {
        self.send(Request::get("/auth/me").header(name, shown), None).await
    }

    async fn bearer(&self, token: &str) -> Answer {
        self.me(header::AUTHORIZATION, &format!("Bearer {token}")).await
    }

    /// The types of the events of a kind of name, in their order.
    async fn events(&self) -> Vec<String> {
        let all = sqlx::query_scalar!("select kind from event where kind like 'identity.%' order by position");
        all.fetch_all(&self.pool).await.unwrap()
    }

    /// Why sign-ins failed, oldest first, and whether it is known whose account it was.
    async fn attempts(&self) -> Vec<(String, bool)> {
        let mut attempts = attempts::newest(&self.pool, None, 100).await.unwrap();
        attempts.reverse();
        attempts.into_iter().map(|attempt| (attempt.reason, attempt.user_id.is_some())).collect()
    }
}

fn order() -> Order {
    Order::new(Uuid::now_v7(), "operator:test")
}

fn tokens(answer: &Answer) -> (String, String) {
    let text = |name: &str| answer.body[name].as_str().unwrap_or_else(|| panic!("{:#}", answer.body)).to_owned();
    (text("accessToken"), text("refreshToken"))
}
