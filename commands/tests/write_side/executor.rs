//! The executor on a real log.

use std::sync::Arc;

use uuid::Uuid;
use vigie_commands::{Executor, Failure, Order};
use vigie_domain::support::{DefineSite, SiteDefined, SiteId, SiteKind, Zone};
use vigie_eventlog::{Log, Query, Read, testing};

fn site(name: &str) -> DefineSite {
    DefineSite(SiteDefined {
        site: SiteId::new("LFW").unwrap(),
        name: name.into(),
        kind: SiteKind::Airport,
        zone: Zone::new("Africa/Lome").unwrap(),
        icao: None,
    })
}

fn order() -> Order {
    Order::new(Uuid::now_v7(), "operator:test")
}

async fn executor() -> Executor {
    let log = Log::open(testing::database().await).await.unwrap();
    #[expect(clippy::disallowed_methods, reason = "a test's commands happen when the test runs")]
    Executor::new(log, Arc::new(chrono::Utc::now))
}

#[tokio::test]
async fn an_accepted_command_is_recorded_with_who_and_why() {
    let executor = executor().await;
    let cause = Uuid::now_v7();
    let order = Order { causation_id: Some(cause), ..order() };
    let done = executor.execute(&site("Lomé"), order.clone()).await.unwrap();
    assert_eq!((done.position, done.appended, done.retries), (1, 1, 0));
    let events = executor.log().read(&Query::tag("site:LFW"), Read::after(0)).await.unwrap();
    let metadata = &events[0].metadata;
    assert_eq!(metadata.command_id, order.command_id);
    assert_eq!(metadata.correlation_id, order.command_id);
    assert_eq!(metadata.causation_id, Some(cause));
    assert_eq!((metadata.command.as_str(), metadata.actor.as_str()), ("support.define_site", "operator:test"));
}

#[tokio::test]
async fn a_wish_that_is_already_true_appends_nothing() {
    let executor = executor().await;
    executor.execute(&site("Lomé"), order()).await.unwrap();
    let again = executor.execute(&site("Lomé"), order()).await.unwrap();
    assert_eq!((again.position, again.appended), (1, 0));
}

#[tokio::test]
async fn a_command_sent_twice_gets_its_first_answer_whatever_happened_since() {
    let executor = executor().await;
    let first = order();
    executor.execute(&site("one"), first.clone()).await.unwrap();
    executor.execute(&site("two"), order()).await.unwrap();
    let again = executor.execute(&site("one"), first.clone()).await.unwrap();
    assert_eq!((again.position, again.appended), (1, 0));
    // Refused today, and accepted then: the first answer counts.
    let refused_now = executor.execute(&site(""), first).await.unwrap();
    assert_eq!(refused_now.position, 1);
    assert_eq!(executor.log().head().await.unwrap(), 2);
}

#[tokio::test]
async fn a_refusal_is_typed_and_appends_nothing() {
    let executor = executor().await;
    let failure = executor.execute(&site(" "), order()).await.unwrap_err();
    assert!(matches!(failure, Failure::Refused(vigie_domain::support::SiteRefusal::Name)), "{failure:?}");
    assert_eq!(executor.log().head().await.unwrap(), 0);
}

#[tokio::test]
async fn contenders_take_turns_and_each_decides_on_what_the_one_before_left() {
    let executor = executor().await;
    let contenders = (0..64).map(|n| {
        let executor = executor.clone();
        tokio::spawn(async move { executor.execute(&site(&format!("name {n}")), order()).await.unwrap() })
    });
    let mut retries = 0;
    for contender in contenders.collect::<Vec<_>>() {
        let done = contender.await.unwrap();
        assert_eq!(done.appended, 1);
        retries += done.retries;
    }
    assert_eq!(executor.log().head().await.unwrap(), 64);
    // Whoever is overtaken waits for its turn, so each is overtaken about once, not once by each of the others.
    assert!(retries <= 64 * 3, "{retries} retries");
}

#[tokio::test]
async fn two_processes_contend_and_all_succeed() {
    let pool = testing::database().await;
    let mut contenders = Vec::new();
    for _ in 0..2 {
        let log = Log::open(pool.clone()).await.unwrap();
        #[expect(clippy::disallowed_methods, reason = "a test's commands happen when the test runs")]
        let executor = Executor::new(log, Arc::new(chrono::Utc::now));
        for n in 0..16 {
            let executor = executor.clone();
            contenders.push(tokio::spawn(async move {
                let name = format!("{n} {}", Uuid::now_v7());
                executor.execute(&site(&name), order()).await.unwrap().appended
            }));
        }
    }
    let mut appended = 0;
    for contender in contenders {
        appended += contender.await.unwrap();
    }
    assert_eq!(appended, 32);
}
