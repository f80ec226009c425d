//! A server on a database of its own.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode, header};
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use uuid::Uuid;
use vigie_api::accounts::Accounts;
use vigie_api::clock;
use vigie_api::documents::Documents;
use vigie_api::graphql::{ReadSchema, Services};
use vigie_api::http::{App, Life, Tls, recorder, router, serve};
use vigie_api::limits::Limits;
use vigie_api::rights::Directory;
use vigie_api::settings::Settings;
use vigie_api::webhooks::Webhooks;
use vigie_commands::policies::Policies;
use vigie_commands::refusals::Refusals;
use vigie_commands::{Executor, Order};
use vigie_domain::airport::{CodeLetter, DefineStand, StandDefined, StandId, StandKind};
use vigie_domain::kernel::Decision;
use vigie_domain::support::{DefineSite, SiteDefined, SiteId, SiteKind, Zone};
use vigie_eventlog::{Log, testing};
use vigie_projections::{MODELS, Projections};

pub(crate) struct Server {
    pub(crate) services: Services,
    pub(crate) life: Life,
    app: App,
    router: Router,
    _policies: Option<Policies>,
}

/// How long anything may take before the test has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

impl Server {
    /// With no limit on how much is spent in a time: some tests ask faster than anybody would.
    pub(crate) async fn start() -> Self {
        let limits = Limits { rate: 0, ..Limits::default() };
        Self::with(Settings { limits, ..Settings::open() }).await
    }

    pub(crate) async fn with(settings: Settings) -> Self {
        Self::on(testing::database().await, settings).await
    }

    /// Another process on the same database.
    pub(crate) async fn beside(&self) -> Self {
        Self::on(self.services.pool.clone(), Settings::open()).await
    }

    /// On a database that is there already.
    pub(crate) async fn on(pool: PgPool, settings: Settings) -> Self {
        let log = Log::open(pool.clone()).await.unwrap();
        let refusals = Refusals::start(pool.clone(), settings.refusals, Arc::new(clock::now));
        let executor = Executor::new(log.clone(), Arc::new(clock::now)).recording(refusals);
        let projections = Projections::start(pool.clone(), log.clone(), CancellationToken::new()).await.unwrap();
        let policies = Policies::start(&executor, &pool, vigie_domain::policies::ALL, &vigie_api::clock::time());
        let accounts = Accounts::open(pool.clone(), executor.clone(), &settings).unwrap();
        let directory = if settings.open { Directory::of_nobody() } else { Directory::start(&log).await.unwrap() };
        let webhooks = Webhooks::open(pool.clone(), executor.clone(), &settings, None).unwrap();
        let services =
            Services { pool, log, executor, projections, schema: ReadSchema::default(), accounts, directory, webhooks };
        let life = Life::default();
        life.set_started();
        let documents = Documents::of(&settings.protocols).unwrap();
        let app = App::new(settings, documents, services.clone(), recorder().unwrap(), life.clone());
        Self { services, life, router: router(app.clone()), app, _policies: Some(policies) }
    }

    /// A server beside this one that shows what a replay has built into a schema.
    pub(crate) async fn standing(&self, schema: &str) -> Self {
        let Services { pool, log, executor, accounts, directory, webhooks, .. } = self.services.clone();
        let built = vigie_projections::complete(&pool, schema).await.unwrap().position;
        let projections = Projections::standing(pool.clone(), &log, built);
        let schema = ReadSchema::new(schema).unwrap().built_until(built);
        let services = Services { pool, log, executor, projections, schema, accounts, directory, webhooks };
        let life = Life::default();
        life.set_started();
        let app = App::new(Settings::open(), Documents::default(), services.clone(), recorder().unwrap(), life.clone());
        Self { services, life, router: router(app.clone()), app, _policies: None }
    }

    /// Serves on a port of its own; the address.
    pub(crate) async fn listen(&self) -> std::net::SocketAddr {
        self.serve().await.0
    }

    /// The same, and its end.
    pub(crate) async fn serve(&self) -> (std::net::SocketAddr, JoinHandle<()>) {
        self.serve_over(None).await
    }

    /// The same over TLS.
    pub(crate) async fn serve_over(&self, tls: Option<Tls>) -> (std::net::SocketAddr, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        (address, tokio::spawn(serve(self.app.clone(), listener, tls)))
    }

    /// Sends a request as it is, with a host that is this machine.
    pub(crate) async fn send(&self, mut request: Request<Body>) -> Response<Body> {
        request.headers_mut().entry(header::HOST).or_insert_with(|| "localhost".parse().unwrap());
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, String) {
        text(self.send(Request::get(path).body(Body::empty()).unwrap()).await).await
    }

    /// An operation that may fail: the whole answer.
    pub(crate) async fn answer(&self, query: &str, variables: Value) -> Value {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let request = Request::post("/graphql").header(header::CONTENT_TYPE, "application/json");
        let (_, text) = text(self.send(request.body(Body::from(body)).unwrap()).await).await;
        serde_json::from_str(&text).unwrap()
    }

    /// The data of an operation that has no errors.
    #[track_caller]
    pub(crate) fn data(&self, query: &str, variables: Value) -> impl Future<Output = Value> {
        let query = query.to_owned();
        let caller = std::panic::Location::caller();
        async move {
            let mut answer = self.answer(&query, variables).await;
            assert!(answer.get("errors").is_none(), "at {caller}: {answer:#}");
            answer["data"].take()
        }
    }

    /// Carries a command out, as an operator would.
    pub(crate) async fn command<D: Decision>(&self, command: D) -> D::Answer {
        let order = Order::new(Uuid::now_v7(), "operator:test");
        match self.services.executor.execute(&command, order).await {
            Ok(done) => done.answer,
            Err(failure) => panic!("{}: {failure:?}", D::NAME),
        }
    }

    /// Waits until the read models have the whole log; its end.
    pub(crate) async fn caught_up(&self) -> i64 {
        let head = self.services.log.head().await.unwrap();
        let names: Vec<&str> = MODELS.iter().map(|model| model.name).collect();
        self.services.projections.wait_for(&names, head, PATIENCE).await.unwrap();
        head
    }

    pub(crate) async fn airport(&self, stands: &[(&str, StandKind, CodeLetter)]) {
        self.command(DefineSite(site("LFW", SiteKind::Airport, "Africa/Lome"))).await;
        for (distance_m, (name, kind, code)) in (100..).zip(stands) {
            let stand = StandId::new(&format!("LFW/{name}")).unwrap();
            let (kind, code) = (*kind, *code);
            let defined = StandDefined { site: stand.site(), stand, kind, code, jetway: true, distance_m };
            self.command(DefineStand(defined)).await;
        }
        self.caught_up().await;
    }

    /// Reports an arrival scheduled at `time` (RFC 3339) flown by a type; its id.
    pub(crate) async fn arrival(&self, number: &str, time: &str, aircraft_type: &str) -> String {
        let query = "mutation($input: ReportFlightInput!) { reportFlight(input: $input) {
            ... on FlightPayload { flight { id } } ... on Refusal { code message } } }";
        let leg = json!({ "site": "LFW", "carrier": "AF", "number": number, "date": &time[..10],
            "direction": "ARRIVAL", "airport": "CDG" });
        let input = json!({ "leg": leg, "scheduledAt": time, "aircraftType": aircraft_type });
        let data = self.data(query, json!({ "input": input })).await;
        data["reportFlight"]["flight"]["id"].as_str().unwrap_or_else(|| panic!("{data:#}")).to_owned()
    }
}

pub(crate) fn site(id: &str, kind: SiteKind, zone: &str) -> SiteDefined {
    SiteDefined {
        site: SiteId::new(id).unwrap(),
        name: id.to_owned(),
        kind,
        zone: Zone::new(zone).unwrap(),
        icao: (kind == SiteKind::Airport).then(|| "DXXX".to_owned()),
    }
}

pub(crate) async fn text(response: Response<Body>) -> (StatusCode, String) {
    let status = response.status();
    let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8_lossy(&bytes).into_owned())
}
