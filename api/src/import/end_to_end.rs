//! Imports into a log on a real Postgres.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono_tz::Tz;
use sqlx::PgPool;
use vigie_commands::dead_letters;
use vigie_domain::Event;
use vigie_domain::airport::{Details, Flight, FlightId, Placement, Progress as Progressed};
use vigie_domain::kernel::{Fact, Stamp, View};
use vigie_domain::rail::{Limit, PassId, PassParts, SetLimits, Value};
use vigie_domain::support::{DefineSite, SiteDefined, SiteId, SiteKind, Zone};
use vigie_eventlog::{Log, Query, Read};
use vigie_integrations::airport::hkia::{self as feed, Feed, Item};
use vigie_integrations::feed_clock::FeedClock;

use super::hkia::Hkia;
use super::passes::Passes;
use super::*;

struct World {
    pool: PgPool,
    log: Log,
    executor: Executor,
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

async fn world() -> World {
    let pool = vigie_eventlog::testing::database().await;
    let log = Log::open(pool.clone()).await.unwrap();
    let executor = Executor::new(log.clone(), Arc::new(|| at("2026-02-01T00:00:00Z")));
    World { pool, log, executor }
}

fn hong_kong() -> SiteId {
    SiteId::new("HKG").unwrap()
}

impl World {
    async fn import<S: Source>(&self, source: &S, inputs: Vec<Input>) -> (Tally, Vec<SetAside>) {
        self.import_until(source, inputs, &CancellationToken::new()).await
    }

    async fn import_until<S: Source>(
        &self,
        source: &S,
        inputs: Vec<Input>,
        cancel: &CancellationToken,
    ) -> (Tally, Vec<SetAside>) {
        let mut aside = AsideSink::new(None).unwrap();
        let mut tally = Tally::default();
        // Each import has a beginning of its own: here the head of the log stands for the time.
        let started_at = DateTime::from_timestamp(self.log.head().await.unwrap() * 1_000 + 1, 0).unwrap();
        let quiet = |_: Progress<'_>| {};
        let letters = Letters::open(self.pool.clone(), source.feed()).await;
        let mut work = Work::new(self.executor.clone(), &mut aside, letters, cancel.clone(), &quiet, started_at);
        let before = self.log.head().await.unwrap();
        super::import(source, inputs, &mut work, &mut tally).await.unwrap();
        let grown = self.log.head().await.unwrap() - before;
        assert_eq!(tally.events, u64::try_from(grown).unwrap());
        let Tally { rows, new, changed, unchanged, stale, set_aside, .. } = tally;
        assert_eq!(rows, new + changed + unchanged + stale + set_aside);
        (tally, aside.finish().unwrap())
    }

    fn hkia(&self) -> Hkia {
        let clock = FeedClock::new(self.pool.clone(), hong_kong(), feed::SOURCE);
        Hkia { feed: hong_kong_feed(), clock }
    }

    async fn facts(&self) -> Vec<Fact> {
        let (mut facts, mut after) = (Vec::new(), 0);
        loop {
            let page = self.log.read(&Query::all(), Read::after(after)).await.unwrap();
            let Some(last) = page.last() else { return facts };
            after = last.position;
            facts.extend(page.into_iter().map(|recorded| Fact {
                event: Event::decode(&recorded.kind, recorded.version, recorded.data.get()).unwrap(),
                stamp: Stamp {
                    position: recorded.position,
                    id: recorded.id,
                    occurred_at: recorded.occurred_at,
                    recorded_at: recorded.recorded_at,
                    actor: recorded.metadata.actor,
                },
            }));
        }
    }

    async fn flights(&self) -> BTreeMap<FlightId, State> {
        let mut flights: BTreeMap<FlightId, Flight> = BTreeMap::new();
        for fact in self.facts().await {
            let tags = fact.event.tags();
            let flight = tags.iter().find_map(|tag| FlightId::new(tag.as_str().strip_prefix("flight:")?).ok());
            if let Some(flight) = flight {
                flights.entry(flight).or_default().evolve(&fact);
            }
        }
        let state = |flight: Flight| State {
            scheduled_at: flight.scheduled_at.unwrap(),
            details: flight.details,
            progress: flight.progress,
            placement: flight.placement,
        };
        flights.into_iter().map(|(id, flight)| (id, state(flight))).collect()
    }
}

/// What an import is to leave of a flight.
#[derive(Debug, Clone, PartialEq)]
struct State {
    scheduled_at: DateTime<Utc>,
    details: Details,
    progress: Progressed,
    placement: Placement,
}

fn hong_kong_feed() -> Feed {
    Feed { site: hong_kong(), zone: Tz::Asia__Hong_Kong, latest: at("2026-02-01T00:00:00Z") }
}

/// The captures of a folder of real data, or a line that says why the test has nothing to do.
fn captures(name: &str) -> Option<Vec<Input>> {
    let root = std::env::var_os("VIGIE_SHARED_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"), PathBuf::from);
    let folder = root.join("airport").join(name);
    if !folder.is_dir() {
        eprintln!("skipped: real data not found ({})", folder.display());
        return None;
    }
    Some(inputs::inputs(&[folder], &[".json"]).unwrap())
}

/// What the newest capture that holds a flight says of it: the state that every order has to lead to.
fn newest(captures: &[Input]) -> BTreeMap<FlightId, State> {
    let mut newest: HashMap<FlightId, (DateTime<Utc>, State)> = HashMap::new();
    for capture in captures {
        let Input::File(path) = capture else { panic!("a file") };
        feed::read(File::open(path).unwrap(), &hong_kong_feed(), &mut |item| {
            let Item::Row(row) = item else { panic!("every row is understood: {item:?}") };
            let said = row.said;
            let state = State {
                scheduled_at: said.scheduled_at,
                details: said.details,
                progress: said.progress,
                placement: said.placement,
            };
            let known = newest.entry(row.flight).or_insert_with(|| (row.observed_at, state.clone()));
            if known.0 <= row.observed_at {
                *known = (row.observed_at, state);
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    }
    newest.into_iter().map(|(id, (_, state))| (id, state)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_week_is_taken_whole_and_the_second_time_adds_nothing() {
    let Some(week) = captures("hkia_daily_week") else { return };
    let world = world().await;
    sites::set_up_hong_kong(&world.executor, &hong_kong()).await.unwrap();
    let (first, asides) = world.import(&world.hkia(), week.clone()).await;
    eprintln!("first import of the week: {first:?}");
    assert_eq!((first.rows, first.new, first.set_aside), (8_171, 8_171, 0), "{asides:?}");
    assert_eq!(world.flights().await, newest(&week));
    let (second, _) = world.import(&world.hkia(), week).await;
    eprintln!("second import of the week: {second:?}");
    assert_eq!((second.rows, second.unchanged, second.events), (8_171, 8_171, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stale_capture_adds_nothing() {
    let Some(snapshots) = captures("hkia_snapshots") else { return };
    let world = world().await;
    sites::set_up_hong_kong(&world.executor, &hong_kong()).await.unwrap();
    let named = |part: &str| snapshots.iter().find(|input| input.name().contains(part)).unwrap().clone();
    world.import(&world.hkia(), vec![named("at_20260115T161345")]).await;
    let (stale, _) = world.import(&world.hkia(), vec![named("at_20260115T204022")]).await;
    eprintln!("stale capture: {stale:?}");
    assert_eq!((stale.events, stale.stale), (0, stale.rows));
}

#[tokio::test(flavor = "multi_thread")]
async fn captures_in_any_order_end_in_the_same_state_and_no_absence_is_a_cancellation() {
    let Some(snapshots) = captures("hkia_snapshots") else { return };
    let expected = newest(&snapshots);
    let backwards: Vec<Input> = snapshots.iter().rev().cloned().collect();
    let shuffled = |order: [usize; 9]| order.map(|place| snapshots[place].clone()).to_vec();
    let orders =
        [snapshots.clone(), backwards, shuffled([3, 0, 8, 1, 6, 2, 7, 5, 4]), shuffled([1, 5, 2, 0, 4, 8, 3, 7, 6])];
    let expected = &expected;
    let imports = orders.map(|order| async move {
        let world = world().await;
        sites::set_up_hong_kong(&world.executor, &hong_kong()).await.unwrap();
        let (tally, _) = world.import(&world.hkia(), order).await;
        eprintln!("captures in some order: {tally:?}");
        let found = world.flights().await;
        assert_eq!(found.len(), expected.len());
        for (id, state) in expected {
            assert_eq!(found.get(id), Some(state), "{id}");
        }
    });
    futures_util::future::join_all(imports).await;
}

#[tokio::test]
async fn a_confirmation_that_changed_nothing_still_makes_older_reports_stale() {
    let world = world().await;
    sites::set_up_hong_kong(&world.executor, &hong_kong()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let capture = |name: &str, observed: &str, status: &str| {
        let file = folder.path().join(name);
        let row = serde_json::json!({"date":"2025-12-20","time":"10:00","flight":[{"no":"HX 1","airline":"CRK"}],
            "origin_dest":["BKK"],"status":status,"gate_baggage":"","terminal":"","isArrival":true,"isCargo":false});
        let capture = serde_json::json!({"generatedAt":observed,"flights":[row]});
        std::fs::write(&file, capture.to_string()).unwrap();
        vec![Input::File(file)]
    };
    let first = capture("1.json", "2025-12-20T01:00:00Z", "Est at 10:20");
    let older = capture("2.json", "2025-12-20T02:00:00Z", "Est at 10:40");
    let newest = capture("3.json", "2025-12-20T03:00:00Z", "Est at 10:20");
    world.import(&world.hkia(), first).await;
    assert_eq!(world.import(&world.hkia(), newest).await.0.unchanged, 1);
    let (tally, _) = world.import(&world.hkia(), older).await;
    assert_eq!((tally.stale, tally.events), (1, 0));
}

#[tokio::test]
async fn an_import_for_a_site_that_is_not_set_up_is_refused_with_the_way_to_do_it() {
    let world = world().await;
    let refused = sites::airport(&world.log, &hong_kong()).await.unwrap_err();
    assert!(refused.to_string().contains("--setup"), "{refused}");
    sites::set_up_hong_kong(&world.executor, &hong_kong()).await.unwrap();
    sites::set_up_hong_kong(&world.executor, &hong_kong()).await.unwrap();
    assert_eq!(sites::airport(&world.log, &hong_kong()).await.unwrap().as_str(), "Asia/Hong_Kong");
    assert_eq!(world.log.head().await.unwrap(), 1);
    let other = SiteId::new("LFW").unwrap();
    assert!(sites::set_up_hong_kong(&world.executor, &other).await.is_err());
}

#[tokio::test]
async fn an_import_that_is_told_to_stop_takes_no_further_batch() {
    let world = world().await;
    let cancel = CancellationToken::new();
    cancel.cancel();
    let (tally, _) = world.import_until(&Passes, vec![Input::File("nowhere.jsonl".into())], &cancel).await;
    assert!(tally.interrupted);
    assert_eq!(tally.rows, 0);
}

async fn rail_site(world: &World) -> SiteId {
    let site = SiteId::new("SANGATTE").unwrap();
    let zone = Zone::new("Europe/Paris").unwrap();
    let defined = SiteDefined { site: site.clone(), name: "Sangatte".into(), kind: SiteKind::Rail, zone, icao: None };
    let order = |name: &str| Order::new(derived_uuid("test", name), "operator:test");
    world.executor.execute(&DefineSite(defined), order("site")).await.unwrap();
    let bound = |value| Some(Value::new(value).unwrap());
    let height = Limit {
        quantity: "height".into(),
        unit: "mm".into(),
        alarm_low: bound(180.0),
        warning_low: bound(190.0),
        warning_high: bound(240.0),
        alarm_high: bound(250.0),
    };
    let limits = SetLimits { site: site.clone(), valid_from: DateTime::UNIX_EPOCH, limits: vec![height] };
    world.executor.execute(&limits, order("limits")).await.unwrap();
    site
}

/// The lines of `passes` passes of `cars` cars each, one reading a car; the first car of each is out of limits.
fn pass_lines(passes: u32, cars: u16) -> Vec<String> {
    let mut lines = Vec::new();
    for pass in 0..passes {
        let header = |kind: &str| {
            serde_json::json!({"contract":1,"kind":kind,"pass":format!("P{pass}"),"site":"SANGATTE","track":"1",
                "passedAt":format!("2026-01-15T04:{pass:02}:00Z"),"train":"9012"})
        };
        for car in 1..=cars {
            let height = if car == 1 { 170.5 } else { 210.5 };
            let mut line = header("car");
            line["car"] = car.into();
            line["camera"] = "cam".into();
            line["springs"] = serde_json::json!([
                {"spring":"L1","quantity":"height","unit":"mm","value":height,"quality":"good"}]);
            lines.push(line.to_string());
        }
        let mut line = header("complete");
        line["cars"] = cars.into();
        lines.push(line.to_string());
    }
    lines
}

async fn pass_states(world: &World) -> BTreeMap<PassId, PassParts> {
    let mut passes: BTreeMap<PassId, PassParts> = BTreeMap::new();
    for fact in world.facts().await {
        let tags = fact.event.tags();
        let pass = tags.iter().find_map(|tag| PassId::new(tag.as_str().strip_prefix("pass:")?).ok());
        if let Some(pass) = pass {
            passes.entry(pass).or_default().evolve(&fact);
        }
    }
    passes
}

#[tokio::test(flavor = "multi_thread")]
async fn passes_out_of_order_and_repeated_end_in_the_same_state() {
    let (lines, folder) = (pass_lines(20, 6), tempfile::tempdir().unwrap());
    let write = |name: &str, lines: &[String]| {
        let file = folder.path().join(name);
        std::fs::write(&file, lines.join("\n")).unwrap();
        vec![Input::File(file)]
    };
    let straight = world().await;
    rail_site(&straight).await;
    let (tally, asides) = straight.import(&Passes, write("straight.jsonl", &lines)).await;
    // 20 passes: registered, declared and completed, six cars, one of them out of limits.
    assert_eq!((tally.rows, tally.new, tally.events), (140, 140, 20 * (3 + 6 + 1)), "{asides:?}");

    let mixed = world().await;
    rail_site(&mixed).await;
    // Every seventeenth line, round and round: passes are mixed, and the mark comes in any place.
    let mut order: Vec<String> = (0..lines.len()).map(|place| lines[place * 17 % lines.len()].clone()).collect();
    let again = order[..40].to_vec();
    order.extend(again);
    let (tally, _) = mixed.import(&Passes, write("mixed.jsonl", &order)).await;
    assert_eq!((tally.rows, tally.new, tally.unchanged, tally.events), (180, 140, 40, 200));
    assert_eq!(pass_states(&mixed).await.len(), 20);
    let cars = |states: BTreeMap<PassId, PassParts>| -> Vec<(PassId, Vec<u16>, Option<u16>)> {
        states.into_iter().map(|(id, parts)| (id, parts.cars.into_keys().collect(), parts.declared)).collect()
    };
    assert_eq!(cars(pass_states(&mixed).await), cars(pass_states(&straight).await));

    let (second, _) = mixed.import(&Passes, write("straight.jsonl", &lines)).await;
    assert_eq!((second.unchanged, second.events), (140, 0));
}

#[tokio::test]
async fn bad_and_refused_lines_are_set_aside_with_their_place_and_text() {
    let world = world().await;
    rail_site(&world).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("passes.jsonl");
    let mut lines = pass_lines(1, 2);
    let unknown = lines[0].replace("SANGATTE", "ELSEWHERE");
    lines.insert(1, "{\"contract\":1".to_owned());
    lines.insert(2, unknown.clone());
    std::fs::write(&file, lines.join("\n")).unwrap();
    let (tally, asides) = world.import(&Passes, vec![Input::File(file)]).await;
    assert_eq!((tally.rows, tally.new, tally.set_aside), (5, 3, 2));
    let places: Vec<_> = asides.iter().map(|aside| (aside.place, aside.row.as_str())).collect();
    assert_eq!(places, [(Some(2), "{\"contract\":1"), (Some(3), unknown.as_str())]);
    assert!(asides[1].reason.starts_with("SITE_UNKNOWN: "), "{}", asides[1].reason);
}

#[tokio::test]
async fn a_row_that_was_set_aside_is_a_dead_letter_until_an_import_takes_it() {
    let world = world().await;
    rail_site(&world).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("passes.jsonl");
    let elsewhere = pass_lines(1, 1)[0].replace("SANGATTE", "ELSEWHERE");
    std::fs::write(&file, format!("{elsewhere}\n{{\n")).unwrap();
    let inputs = || vec![Input::File(file.clone())];
    world.import(&Passes, inputs()).await;
    world.import(&Passes, inputs()).await;
    let letters = || async {
        let letters = dead_letters::list(&world.pool, &dead_letters::Filter::default(), 10, None).await.unwrap();
        let mut told: Vec<_> = letters.into_iter().map(|one| (one.code, one.attempts, one.state)).collect();
        told.sort_by_key(|(code, ..)| code.clone());
        told
    };
    let unknown = || Some("SITE_UNKNOWN".to_owned());
    let open = dead_letters::State::Open;
    assert_eq!(letters().await, [(None, 2, open), (unknown(), 2, open)]);

    let zone = Zone::new("Europe/Paris").unwrap();
    let site = SiteId::new("ELSEWHERE").unwrap();
    let site = SiteDefined { site, name: "Elsewhere".into(), kind: SiteKind::Rail, zone, icao: None };
    let order = Order::new(derived_uuid("test", "elsewhere"), "operator:test");
    world.executor.execute(&DefineSite(site), order).await.unwrap();
    let (tally, _) = world.import(&Passes, inputs()).await;
    assert_eq!((tally.new, tally.set_aside), (1, 1));
    assert_eq!(letters().await, [(None, 3, open), (unknown(), 2, dead_letters::State::Done)]);
}
