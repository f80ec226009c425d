//! Whatever the events and however they are cut into batches, the stored rows are the fold of all of them.

use proptest::prelude::*;
use vigie_domain::Event;
use vigie_domain::airport::AllocationHit;

use super::consumers::{assert_verified, names, start};
use crate::airport::{AllocationRow, Allocations, FlightRow, Flights, StandRow, Stands};
use crate::alerts::{AlertRow, Alerts};
use crate::audit::{Audit, AuditRow, FieldsRow};
use crate::rail::{CarRow, PassRow, Passes, SpringRow};
use crate::samples::*;
use crate::spec::{Given, given, in_memory};
use crate::{Model, ReadModel, Row};

/// Any events on two stands, two flights, one pass and three alerts that exist already.
pub(super) fn event() -> impl Strategy<Value = Event> {
    let name = prop::sample::select(vec!["C03", "C04"]);
    let number = prop::sample::select(vec![860_u32, 862]);
    let cause = 0_u32..3;
    let hit = |number: u32| AllocationHit {
        allocation: allocation_id(number),
        flight: arrival(number),
        interval: hours(1, 2),
    };
    prop_oneof![
        (name.clone(), 1_u32..500).prop_map(|(name, distance)| stand(name, distance)),
        (name.clone(), 0_i64..9, 1_i64..9, number.clone()).prop_map(move |(name, from, length, n)| closed(
            name,
            hours(from, length),
            vec![hit(n)]
        )),
        (name.clone(), 0_i64..9, 1_i64..9, number.clone()).prop_map(move |(name, from, length, n)| reopened(
            name,
            hours(from, length),
            vec![hit(n)]
        )),
        (number.clone(), 1_i64..300).prop_map(|(n, minutes)| estimated(&arrival(n), minutes)),
        (number.clone(), name.clone()).prop_map(|(n, to)| moved(n, "C03", to, &arrival(n))),
        (number.clone(), name.clone()).prop_map(|(n, stand)| freed(n, stand, &arrival(n))),
        (number, name).prop_map(|(n, stand)| cancelled(n, stand, &arrival(n))),
        (1_u16..4, 200.0..300.0_f64).prop_map(|(place, height)| car("p1", place, &[height, 250.0])),
        (1_u16..4, 200.0..300.0_f64).prop_map(|(place, height)| out_of_limits("p1", place, height)),
        cause.clone().prop_map(|cause| acknowledged(cause, spring("p1"))),
        cause.clone().prop_map(|cause| resolved(cause, spring("p1"))),
        cause.prop_map(|cause| raised(cause, spring("p1"))),
        Just(confirmed("p1", vec![])),
    ]
}

pub(super) fn beginning() -> Vec<Event> {
    let mut events = vec![site("Lomé"), stand("C03", 80), stand("C04", 90), pass("p1")];
    for number in [860, 862] {
        events.extend([flight(&arrival(number)), allocated(number, "C03", &arrival(number), None)]);
    }
    events.extend((1..4).map(|place| car("p1", place, &[250.0])));
    events.extend((0..3).map(|cause| raised(cause, spring("p1"))));
    events
}

async fn assert_fold<M: ReadModel, R: Row + std::fmt::Debug>(given: &Given) {
    let model = Model::of::<M>();
    let events = given.events(&model.query()).await;
    assert_eq!(given.stored::<R>().await, in_memory::<R>(&model, &events));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 30, ..ProptestConfig::default() })]
    #[test]
    fn stored_rows_are_the_fold_of_all_events(batches in prop::collection::vec(prop::collection::vec(event(), 1..8), 1..12)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let given = given(beginning()).await;
            let (running, shutdown) = start(&given).await;
            let mut last = 0;
            for batch in batches {
                last = given.and(batch).await;
            }
            running.wait_for(&names(), last, std::time::Duration::from_secs(20)).await.unwrap();
            assert_fold::<Stands, StandRow>(&given).await;
            assert_fold::<Flights, FlightRow>(&given).await;
            assert_fold::<Allocations, AllocationRow>(&given).await;
            assert_fold::<Alerts, AlertRow>(&given).await;
            assert_fold::<Passes, PassRow>(&given).await;
            assert_fold::<Passes, CarRow>(&given).await;
            assert_fold::<Passes, SpringRow>(&given).await;
            assert_fold::<Audit, AuditRow>(&given).await;
            assert_fold::<Audit, FieldsRow>(&given).await;
            assert_verified(&given, &names()).await;
            shutdown.cancel();
            running.stopped().await;
        });
    }
}
