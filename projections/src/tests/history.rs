//! What rows were before: at every position, rows and their history are the fold of the log until there.

use proptest::prelude::*;
use sqlx::AssertSqlSafe;

use super::consumers::{assert_verified, names, start};
use super::replay::{beginning, event};
use crate::airport::{AllocationRow, Allocations, FlightRow, Flights, StandRow, Stands};
use crate::alerts::{AlertRow, Alerts};
use crate::rail::{CarRow, PassRow, Passes, SpringRow};
use crate::spec::{Given, given, in_memory};
use crate::support::{SiteRow, Sites};
use crate::{Model, ReadModel, Row};

/// The rows of a table as they were at `position`, in the order of their keys.
async fn as_of<R: Row>(given: &Given, position: i64) -> Vec<R> {
    let table = R::TABLE;
    let sql = format!(
        "select row_to_json(t)::text from read.{table} t where position <= $1 union all \
         select (to_jsonb(h) - '{{until,epoch}}'::text[])::text from read.{table}_history h where position <= $1 and until > $1"
    );
    let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(sql)).bind(position).fetch_all(&given.pool).await.unwrap();
    let mut rows: Vec<R> = rows.iter().map(|row| serde_json::from_str(row).unwrap()).collect();
    rows.sort_by_key(Row::key);
    rows
}

async fn assert_as_of<M: ReadModel, R: Row + std::fmt::Debug>(given: &Given, head: i64) {
    let model = Model::of::<M>();
    let events = given.events(&model.query()).await;
    for position in 0..=head {
        let until = events.partition_point(|event| event.position <= position);
        let expected = in_memory::<R>(&model, &events[..until]);
        assert_eq!(as_of::<R>(given, position).await, expected, "{} at {position}", R::TABLE);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, max_shrink_iters: 20, ..ProptestConfig::default() })]
    #[test]
    fn rows_and_their_history_are_the_fold_until_any_position(
        batches in prop::collection::vec(prop::collection::vec(event(), 1..8), 1..8)
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let given = given(beginning()).await;
            let (running, shutdown) = start(&given).await;
            let mut last = 0;
            for batch in batches {
                last = given.and(batch).await;
            }
            running.wait_for(&names(), last, std::time::Duration::from_secs(60)).await.unwrap();
            assert_as_of::<Sites, SiteRow>(&given, last).await;
            assert_as_of::<Stands, StandRow>(&given, last).await;
            assert_as_of::<Flights, FlightRow>(&given, last).await;
            assert_as_of::<Allocations, AllocationRow>(&given, last).await;
            assert_as_of::<Alerts, AlertRow>(&given, last).await;
            assert_as_of::<Passes, PassRow>(&given, last).await;
            assert_as_of::<Passes, CarRow>(&given, last).await;
            assert_as_of::<Passes, SpringRow>(&given, last).await;
            assert_verified(&given, &names()).await;
            shutdown.cancel();
            running.stopped().await;
        });
    }
}
