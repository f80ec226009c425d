//! Who sees what: two airports and two railway sites, of which a person knows one each.

mod archived;
mod asked;
mod boundary;
mod closed;
mod commands;
mod names;
mod roles;
mod running;
mod watched;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use vigie_commands::policies::Policies;
use vigie_commands::refusals::Refusals;
use vigie_commands::{Executor, Order};
use vigie_domain::kernel::Decision;
use vigie_domain::rail::{CarPart, PassHeader, PassId, PassPart, Quality, Reading, RecordPassPart, Value as Measured};
use vigie_eventlog::{Log, Query, testing};
use vigie_projections::{MODELS, Projections};

use super::held::Set;
use super::{Directory, Rights};
use crate::accounts::Accounts;
use crate::clock;
use crate::documents::Documents;
use crate::graphql::{ReadSchema, Services};
use crate::http::testing::caller;
use crate::http::{App, Caller, Life, recorder};
use crate::limits::Limits;
use crate::settings::Settings;
use crate::webhooks::Webhooks;

/// The person's own sites, and those of others; what stands at neither is called like this too.
const OWN: [&str; 2] = ["OWN", "OWNR"];
const OTHER: [&str; 2] = ["ELSE", "ELSER"];
/// In every text that is written at the sites of others.
const MARK: &str = "xyzzy";

/// A server, and what it serves.
struct Stage {
    app: App,
    services: Services,
    _policies: Policies,
}

/// Everything that a person may do at their sites, and nothing of the installation.
fn own_rights() -> Rights {
    OWN.iter().fold(Rights::default(), |rights, site| rights.with(Set::ALL, Some(site)))
}

fn everybody() -> Caller {
    caller("operator:all", None, &Rights::all())
}

impl Stage {
    /// With nothing in it, open.
    async fn empty() -> Self {
        Self::with(true).await
    }

    async fn with(open: bool) -> Self {
        let pool: PgPool = testing::database().await;
        let limits = Limits {
            rate: 0,
            cost: u64::MAX,
            fields: u64::MAX,
            depth: 60,
            tokens: 1_000_000,
            aliases: 1_000,
            ..Limits::default()
        };
        let key = Some("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".to_owned());
        let webhooks = crate::settings::Webhooks { key, ..Default::default() };
        let settings = Settings { limits, open, webhooks, ..Settings::defaults() };
        let log = Log::open(pool.clone()).await.unwrap();
        let refusals = Refusals::start(pool.clone(), settings.refusals, Arc::new(clock::now));
        let executor = Executor::new(log.clone(), Arc::new(clock::now)).recording(refusals);
        let projections = Projections::start(pool.clone(), log.clone(), CancellationToken::new()).await.unwrap();
        let policies = Policies::start(&executor, &pool, vigie_domain::policies::ALL, &clock::time());
        let directory = Directory::start(&log).await.unwrap();
        let accounts = Accounts::open(pool.clone(), executor.clone(), &settings).unwrap();
        let schema = ReadSchema::default();
        let webhooks = Webhooks::open(pool.clone(), executor.clone(), &settings, None).unwrap();
        let services = Services { pool, log, executor, projections, schema, accounts, directory, webhooks };
        let life = Life::default();
        life.set_started();
        let app = App::new(settings, Documents::default(), services.clone(), recorder().unwrap(), life);
        Self { app, services, _policies: policies }
    }

    /// With the same things at the sites of the person and of others.
    async fn full() -> Self {
        Self::empty().await.filled().await
    }

    async fn filled(self) -> Self {
        let stage = self;
        for ([airport, rail], mark) in [(OWN, "plain"), (OTHER, MARK)] {
            stage.airport(airport, mark).await;
            stage.rail(rail, mark).await;
        }
        stage.alerts(2).await;
        stage.caught_up().await;
        stage
    }

    /// Waits until so many alerts were raised.
    async fn alerts(&self, count: usize) {
        let mut alerts = self.services.log.follow(Query::kinds(["alerts.alert_raised"]), 0);
        let mut raised = 0;
        while raised < count {
            raised += alerts.next().await.unwrap().events.len();
        }
    }

    async fn airport(&self, site: &str, mark: &str) {
        let site_input =
            json!({ "site": site, "name": mark, "kind": "AIRPORT", "zone": "Africa/Lome", "icao": "DXXX" });
        self.done("defineSite", "DefineSiteInput", site_input).await;
        for stand in ["S1", "S2"] {
            let stand = format!("{site}/{stand}");
            let input = json!({ "stand": stand, "kind": "CIVIL", "code": "E", "jetway": true, "distanceM": 100 });
            self.done("defineStand", "DefineStandInput", input).await;
        }
        let flight = self.flight(site, "100", "2026-01-15T10:00:00Z").await;
        let input =
            json!({ "flight": flight, "note": mark, "from": "2026-01-15T10:00:00Z", "to": "2026-01-15T11:00:00Z" });
        self.done("allocateStand", "AllocateStandInput", input).await;
        let input = json!({ "site": site, "url": "https://receiver.example/hook", "description": mark, "filter": {} });
        self.done("registerWebhook", "RegisterWebhookInput", input).await;
        let input = json!({ "stand": format!("{site}/S2"), "from": "2026-01-16T10:00:00Z", "reason": mark });
        self.done("closeStand", "CloseStandInput", input).await;
        // A refusal, which is kept.
        let input = json!({ "flight": flight, "stand": format!("{site}/S9"), "note": mark });
        let refused =
            self.ask(&everybody(), &mutation("allocateStand", "AllocateStandInput"), json!({ "input": input })).await;
        assert!(refused["data"]["allocateStand"]["code"].is_string(), "{refused}");
    }

    async fn flight(&self, site: &str, number: &str, time: &str) -> String {
        let leg = json!({ "site": site, "carrier": "AF", "number": number, "date": &time[..10],
            "direction": "ARRIVAL", "airport": "CDG" });
        let input = json!({ "leg": leg, "scheduledAt": time, "aircraftType": "A320" });
        self.done("reportFlight", "ReportFlightInput", input).await;
        format!("{site}/AF{number}/{}/A/CDG", &time[..10])
    }

    async fn rail(&self, site: &str, mark: &str) {
        let input = json!({ "site": site, "name": mark, "kind": "RAIL", "zone": "Europe/Paris" });
        self.done("defineSite", "DefineSiteInput", input).await;
        let limits = json!([{ "quantity": "height", "unit": "mm", "alarmLow": 200, "warningLow": 220 }]);
        let input = json!({ "site": site, "validFrom": "2026-01-01T00:00:00Z", "limits": limits });
        self.done("setLimits", "SetLimitsInput", input).await;
        self.pass(site, mark, "P1").await;
    }

    /// A train that passes with a spring out of its limits, of which an alert will tell.
    async fn pass(&self, site: &str, mark: &str, name: &str) {
        let reading = Reading {
            spring: "L1".to_owned(),
            quantity: "height".to_owned(),
            unit: "mm".to_owned(),
            value: Measured::new(190.0).unwrap(),
            quality: Quality::Good,
        };
        let car = CarPart { car: 1, vehicle: Some(mark.to_owned()), camera: mark.to_owned(), readings: vec![reading] };
        for part in [PassPart::Car(car), PassPart::Complete { cars: 1 }] {
            let header = PassHeader {
                pass: PassId::new(&format!("{site}/{name}")).unwrap(),
                track: "1".to_owned(),
                passed_at: "2026-01-15T04:12:00Z".parse().unwrap(),
                train: Some(mark.to_owned()),
            };
            self.command(RecordPassPart { header, part }).await;
        }
    }

    async fn command<D: Decision>(&self, command: D) -> D::Answer {
        match self.services.executor.execute(&command, Order::new(Uuid::now_v7(), "operator:all")).await {
            Ok(done) => done.answer,
            Err(failure) => panic!("{}: {failure:?}", D::NAME),
        }
    }

    async fn ask(&self, caller: &Caller, query: &str, variables: Value) -> Value {
        self.app.ask(caller, query, &variables).await
    }

    /// Carries a mutation out as somebody who may everything.
    async fn done(&self, name: &str, kind: &str, input: Value) {
        let answer = self.ask(&everybody(), &mutation(name, kind), json!({ "input": input })).await;
        assert!(answer["data"][name]["__typename"].as_str().is_some_and(|kind| kind.ends_with("Payload")), "{answer}");
    }

    async fn caught_up(&self) -> i64 {
        let head = self.services.log.head().await.unwrap();
        let names: Vec<&str> = MODELS.iter().map(|model| model.name).collect();
        self.services.projections.wait_for(&names, head, Duration::from_secs(60)).await.unwrap();
        head
    }

    /// The only value of the first column of a query.
    async fn texts(&self, query: &'static str) -> Vec<String> {
        sqlx::query_scalar(query).fetch_all(&self.services.pool).await.unwrap()
    }
}

fn mutation(name: &str, kind: &str) -> String {
    format!("mutation($input: {kind}!) {{ {name}(input: $input) {{ __typename ... on Refusal {{ code message }} }} }}")
}
