//! Lists by day: a day of a site has its midnights, also when clocks change on it.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;
use vigie_commands::{Executor, Order};
use vigie_domain::airport::{CodeLetter, DefineStand, StandDefined, StandId, StandKind};
use vigie_domain::alerts::{AlertKind, RaiseAlert, Severity, Subject};
use vigie_domain::rail::{PassHeader, PassId, PassPart, RecordPassPart};
use vigie_domain::support::{DefineSite, SiteId, SiteKind};

use crate::harness::{Server, site};

/// In Paris, the last minute before a day, its first and its last, and the first after it; and the stand that is free.
type Edges = [(&'static str, &'static str); 4];
/// 23 hours.
const SPRING: (&str, Edges) = (
    "2026-03-29",
    [
        ("2026-03-28T22:59:00Z", "B"),
        ("2026-03-28T23:00:00Z", "A"),
        ("2026-03-29T21:59:00Z", "A"),
        ("2026-03-29T22:00:00Z", "B"),
    ],
);
/// 25 hours.
const AUTUMN: (&str, Edges) = (
    "2026-10-25",
    [
        ("2026-10-24T21:59:00Z", "B"),
        ("2026-10-24T22:00:00Z", "A"),
        ("2026-10-25T22:59:00Z", "A"),
        ("2026-10-25T23:00:00Z", "B"),
    ],
);

const LISTS: &str = "query($day: NaiveDate!, $position: Position!) {
    then: at(position: $position) {
        flights(filter: { site: \"PARIS\", day: $day }) { totalCount nodes { at: scheduledAt } }
        allocations(filter: { site: \"PARIS\", day: $day }) { totalCount nodes { at: from } }
        passes(filter: { site: \"CALAIS\", day: $day }) { totalCount nodes { at: passedAt } }
        alerts(filter: { site: \"CALAIS\", day: $day }) { totalCount nodes { at: raisedAt } } }
    flights(filter: { site: \"PARIS\", day: $day }) { totalCount nodes { at: scheduledAt } }
    allocations(filter: { site: \"PARIS\", day: $day }) { totalCount nodes { at: from } }
    passes(filter: { site: \"CALAIS\", day: $day }) { totalCount nodes { at: passedAt } }
    alerts(filter: { site: \"CALAIS\", day: $day }) { totalCount nodes { at: raisedAt } } }";

const NAMES: [&str; 4] = ["flights", "allocations", "passes", "alerts"];

/// An airport with two stands and a railway, whose days are those of Paris.
async fn paris() -> Server {
    let server = Server::start().await;
    in_zone(&server, "Europe/Paris").await;
    for name in ["PARIS/A", "PARIS/B"] {
        let stand = StandId::new(name).unwrap();
        let (kind, code, jetway, distance_m) = (StandKind::Civil, CodeLetter::E, true, 100);
        server.command(DefineStand(StandDefined { site: stand.site(), stand, kind, code, jetway, distance_m })).await;
    }
    server
}

async fn in_zone(server: &Server, zone: &str) {
    server.command(DefineSite(site("PARIS", SiteKind::Airport, zone))).await;
    server.command(DefineSite(site("CALAIS", SiteKind::Rail, zone))).await;
}

/// A flight, its stay, a train and an alert at each of the times.
async fn fill(server: &Server, edges: Edges) {
    for (n, (time, stand)) in edges.into_iter().enumerate() {
        let number = format!("{}{n}", &time[5..7]);
        let flight = report(server, &number, time).await;
        let input = json!({ "flight": flight, "stand": format!("PARIS/{stand}"), "from": time,
            "to": at(time) + chrono::TimeDelta::minutes(30) });
        let query = "mutation($input: AllocateStandInput!) { allocateStand(input: $input) {
            __typename ... on Refusal { code message } } }";
        let done = server.data(query, json!({ "input": input })).await;
        assert_eq!(done["allocateStand"]["__typename"], "AllocateStandPayload", "{done}");
        train(server, &number, time).await;
        alert(server, &number, time).await;
    }
}

fn at(time: &str) -> DateTime<Utc> {
    time.parse().unwrap()
}

async fn report(server: &Server, number: &str, time: &str) -> String {
    let date = at(time).with_timezone(&chrono_tz::Europe::Paris).date_naive();
    let query = "mutation($input: ReportFlightInput!) { reportFlight(input: $input) {
        ... on FlightPayload { flight { id } } ... on Refusal { code message } } }";
    let leg = json!({ "site": "PARIS", "carrier": "AF", "number": number, "date": date, "direction": "ARRIVAL",
        "airport": "LFW" });
    let input = json!({ "leg": leg, "scheduledAt": time, "aircraftType": "A333" });
    let data = server.data(query, json!({ "input": input })).await;
    data["reportFlight"]["flight"]["id"].as_str().unwrap_or_else(|| panic!("{data:#}")).to_owned()
}

async fn train(server: &Server, number: &str, time: &str) {
    let pass = PassId::new(&format!("CALAIS/P{number}")).unwrap();
    let header = PassHeader { pass, track: "1".to_owned(), passed_at: at(time), train: None };
    server.command(RecordPassPart { header, part: PassPart::Header }).await;
}

/// Alerts are raised when their command comes: by a clock that stands at that time.
async fn alert(server: &Server, number: &str, time: &str) {
    let now = at(time);
    let executor = Executor::new(server.services.log.clone(), Arc::new(move || now));
    let subject = Subject::Spring {
        pass: PassId::new(&format!("CALAIS/P{number}")).unwrap(),
        car: 1,
        spring: "L1".to_owned(),
        quantity: "height".to_owned(),
    };
    let raise = RaiseAlert {
        site: SiteId::new("CALAIS").unwrap(),
        kind: AlertKind::SpringOutOfLimits,
        severity: Severity::Info,
        subject,
        message: "at the edge of a day".to_owned(),
        cause: Uuid::now_v7(),
        cause_key: number.to_owned(),
    };
    executor.execute(&raise, Order::new(Uuid::now_v7(), "operator:test")).await.unwrap();
}

/// The times in a list, in order.
fn times(list: &Value) -> Vec<DateTime<Utc>> {
    let mut times: Vec<_> =
        list["nodes"].as_array().unwrap().iter().map(|node| at(node["at"].as_str().unwrap())).collect();
    times.sort_unstable();
    assert_eq!(list["totalCount"], times.len());
    times
}

#[tokio::test]
async fn a_day_with_a_change_of_clocks_has_its_first_and_its_last_minute_and_no_other() {
    let server = paris().await;
    for (day, edges) in [SPRING, AUTUMN] {
        fill(&server, edges).await;
        let position = server.caught_up().await;
        let data = server.data(LISTS, json!({ "day": day, "position": position })).await;
        for name in NAMES {
            let expected = [at(edges[1].0), at(edges[2].0)];
            assert_eq!(times(&data[name]), expected, "{name} on {day}");
            assert_eq!(times(&data["then"][name]), expected, "{name} on {day}, as they were");
        }
    }
}

#[tokio::test]
async fn in_the_past_a_day_follows_the_zone_that_its_site_had_then() {
    let server = paris().await;
    fill(&server, SPRING.1).await;
    let position = server.caught_up().await;
    // Tokyo's 29 March goes from 15:00 to 15:00 UTC.
    in_zone(&server, "Asia/Tokyo").await;
    server.caught_up().await;
    let data = server.data(LISTS, json!({ "day": SPRING.0, "position": position })).await;
    for name in NAMES {
        let [before, first, last, _] = SPRING.1.map(|(time, _)| at(time));
        assert_eq!(times(&data["then"][name]), [first, last], "{name}, as they were");
        assert_eq!(times(&data[name]), [before, first], "{name}, as they are");
    }
}

#[tokio::test]
async fn a_day_needs_its_site_and_stands_alone() {
    let server = paris().await;
    server.caught_up().await;
    for (filter, argument, says) in [
        (json!({ "day": "2026-03-29" }), "filter.day", "needs a site"),
        (json!({ "day": "2026-03-29", "site": "PARIS", "from": "2026-03-29T00:00:00Z" }), "filter.day", "instead of"),
        (json!({ "day": "2026-03-29", "site": "PARIS", "to": "2026-03-29T00:00:00Z" }), "filter.day", "instead of"),
        (json!({ "day": "2026-03-29", "site": "NOWHERE" }), "filter.site", "is not set up"),
    ] {
        for (list, kind) in
            [("flights", "Flight"), ("allocations", "Allocation"), ("passes", "Pass"), ("alerts", "Alert")]
        {
            let query = format!("query($filter: {kind}Filter) {{ {list}(filter: $filter) {{ totalCount }} }}");
            let answer = server.answer(&query, json!({ "filter": filter })).await;
            let error = &answer["errors"][0];
            assert_eq!(error["extensions"], json!({ "code": "BAD_INPUT", "argument": argument }), "{list}: {answer}");
            assert!(error["message"].as_str().unwrap().contains(says), "{list}: {answer}");
        }
    }
}
