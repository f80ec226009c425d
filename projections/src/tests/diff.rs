//! Whatever happened: what changed between two positions, put onto the state at the first, gives the state at the second.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Map, Value};
use sqlx::{AssertSqlSafe, PgConnection, PgPool};

use super::consumers::{names, start};
use super::replay::{beginning, event};
use crate::diff::{DiffError, KINDS, Kind, RowDiff, Span, diff, touched};
use crate::samples::*;
use crate::spec::{Given, given};

const TABLES: [(&str, &[&str]); 10] = [
    ("sites", &["site"]),
    ("turnaround_rules", &["site", "aircraft_type"]),
    ("spring_limits", &["site", "version"]),
    ("stands", &["stand"]),
    ("flights", &["flight"]),
    ("allocations", &["allocation"]),
    ("alerts", &["alert"]),
    ("passes", &["pass"]),
    ("cars", &["pass", "car"]),
    ("springs", &["pass", "car", "spring", "quantity"]),
];

/// Rows by table and key.
type State = BTreeMap<(String, String), Map<String, Value>>;

fn place(table: &str, key: &[&str], row: &Map<String, Value>) -> (String, String) {
    (table.to_owned(), key.iter().map(|column| row[*column].to_string()).collect::<Vec<_>>().join(" "))
}

/// What the tables held at a position, without what says when rows changed.
async fn state_at(position: i64, pool: &PgPool) -> State {
    let mut state = State::new();
    for (table, key) in TABLES {
        let sql = format!(
            "select to_jsonb(t) - '{{position,changed_at}}'::text[] from read.{table} t where position <= $1
             union all select to_jsonb(h) - '{{position,changed_at,until,epoch}}'::text[] from read.{table}_history h
             where position <= $1 and until > $1"
        );
        let rows: Vec<Value> = sqlx::query_scalar(AssertSqlSafe(sql)).bind(position).fetch_all(pool).await.unwrap();
        for row in rows {
            let Value::Object(row) = row else { panic!("{row}") };
            assert!(state.insert(place(table, key, &row), row).is_none(), "one version of each row holds");
        }
    }
    state
}

/// Everything that changed, thing by thing, a few ids at a time.
async fn all_changes(span: Span, connection: &mut PgConnection) -> Vec<RowDiff> {
    let mut changes = Vec::new();
    for kind in KINDS {
        for site in ["LFW", "SANGATTE"] {
            let mut after: Option<String> = None;
            loop {
                let ids = touched("read", kind, site, span, (after.as_deref(), 2), connection).await.unwrap();
                let Some(last) = ids.last() else { break };
                after = Some(last.clone());
                changes.extend(diff("read", kind, &ids, span, connection).await.unwrap());
            }
        }
    }
    changes
}

fn put_onto(state: &mut State, changes: &[RowDiff]) {
    for change in changes {
        let key: Vec<&str> = TABLES.iter().find(|(table, _)| *table == change.table).unwrap().1.to_vec();
        let row = state.entry(place(change.table, &key, &change.key)).or_default();
        assert_eq!(row.is_empty(), !change.was_there, "{change:?}");
        for field in &change.fields {
            assert_eq!(row.get(&field.field).unwrap_or(&Value::Null), &field.before, "{change:?}");
            assert!(field.events.iter().all(|event| change.events.contains(event)), "{change:?}");
            row.insert(field.field.clone(), field.after.clone());
        }
    }
}

/// Without what is null: a row that has just appeared does not name what it does not have.
fn known(state: State) -> State {
    let known = |row: Map<String, Value>| row.into_iter().filter(|(_, value)| !value.is_null()).collect();
    state.into_iter().map(|(place, row)| (place, known(row))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 20, ..ProptestConfig::default() })]
    #[test]
    fn the_changes_put_onto_what_was_give_what_is(
        batches in prop::collection::vec(prop::collection::vec(event(), 1..8), 1..8),
        cuts in prop::collection::vec((0.0..=1.0_f64, 0.0..=1.0_f64), 6),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let given = given(beginning()).await;
            let last = folded(&given, batches).await;
            let mut connection = given.pool.acquire().await.unwrap();
            for (one, other) in cuts {
                #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a few hundred events")]
                let at = |share: f64| (share * last as f64) as i64;
                let span = Span { from: at(one.min(other)), to: at(one.max(other)) };
                let mut state = state_at(span.from, &given.pool).await;
                put_onto(&mut state, &all_changes(span, &mut connection).await);
                assert_eq!(known(state), known(state_at(span.to, &given.pool).await), "{span:?}");
            }
        });
    }
}

/// Folds these batches; the position of the last event.
async fn folded(given: &Given, batches: Vec<Vec<vigie_domain::Event>>) -> i64 {
    let (running, shutdown) = start(given).await;
    let mut last = given.log.head().await.unwrap();
    for batch in batches {
        last = given.and(batch).await;
    }
    running.wait_for(&names(), last, std::time::Duration::from_secs(60)).await.unwrap();
    shutdown.cancel();
    running.stopped().await;
    last
}

fn one(changes: &[RowDiff]) -> &RowDiff {
    assert_eq!(changes.len(), 1, "{changes:#?}");
    &changes[0]
}

#[tokio::test]
async fn a_field_that_changed_and_changed_back_is_told_with_its_events() {
    let given = given([site("Lomé"), stand("C03", 80)]).await;
    folded(&given, vec![vec![stand("C03", 95)], vec![stand("C03", 80)], vec![stand("C04", 80)]]).await;
    let mut connection = given.pool.acquire().await.unwrap();
    let stands = Kind::of("stand").unwrap();
    let span = Span { from: 2, to: 5 };
    let ids = touched("read", stands, "LFW", span, (None, 10), &mut connection).await.unwrap();
    assert_eq!(ids, ["LFW/C03", "LFW/C04"]);
    let changes = diff("read", stands, &ids[..1], span, &mut connection).await.unwrap();
    let change = one(&changes);
    assert_eq!((change.thing.as_str(), change.was_there, &change.events), ("stand:LFW/C03", true, &vec![3, 4]));
    let [field] = change.fields.as_slice() else { panic!("{change:#?}") };
    assert_eq!((field.field.as_str(), &field.before, &field.after), ("distance_m", &Value::from(80), &Value::from(80)));
    assert_eq!(field.events, [3, 4]);
}

#[tokio::test]
async fn between_a_position_and_itself_nothing_changes() {
    let given = given([site("Lomé"), stand("C03", 80)]).await;
    folded(&given, vec![vec![stand("C03", 95)]]).await;
    let mut connection = given.pool.acquire().await.unwrap();
    assert_eq!(all_changes(Span { from: 3, to: 3 }, &mut connection).await, []);
}

#[tokio::test]
async fn a_failing_database_is_told_as_such() {
    let given = given([site("Lomé")]).await;
    let mut connection = given.pool.acquire().await.unwrap();
    let stands = Kind::of("stand").unwrap();
    let error =
        diff("nowhere", stands, &["LFW/C03".into()], Span { from: 0, to: 1 }, &mut connection).await.unwrap_err();
    assert!(matches!(error, DiffError::Database(_)), "{error:?}");
}
