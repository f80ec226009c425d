//! Decisions on what this process knows of, while another process appends: never on less than was committed before.

use vigie_commands::{Executor, Failure};
use vigie_domain::airport::{AirportRefusal, CloseStand, CodeLetter, DefineStand, StandDefined, StandId, StandKind};
use vigie_domain::kernel::{Note, spec};
use vigie_domain::support::{DefineSite, SiteDefined, SiteId, SiteKind, Zone};
use vigie_eventlog::testing;

use crate::common::{executor, give, order};

/// How many times the other process has to be ahead before a test is content.
const ENOUGH: usize = 10;

fn lome() -> SiteId {
    SiteId::new("LFW").unwrap()
}

fn site(name: &str) -> DefineSite {
    let (name, zone) = (name.to_owned(), Zone::new("Africa/Lome").unwrap());
    DefineSite(SiteDefined { site: lome(), name, kind: SiteKind::Airport, zone, icao: None })
}

fn stand(n: usize) -> StandId {
    StandId::at(&lome(), &format!("C{n:02}")).unwrap()
}

fn define(n: usize) -> DefineStand {
    let (kind, code) = (StandKind::Civil, CodeLetter::E);
    DefineStand(StandDefined { stand: stand(n), site: lome(), kind, code, jetway: true, distance_m: 10 })
}

fn close(n: usize) -> CloseStand {
    CloseStand { stand: stand(n), from: spec::noon(), to: None, reason: Note::new("works").unwrap() }
}

/// Whether the process has not yet heard of all that is committed.
async fn is_behind(executor: &Executor) -> bool {
    let seen = *executor.log().seen().borrow();
    seen < executor.log().head().await.unwrap()
}

#[tokio::test]
async fn an_accepted_command_finds_out_and_succeeds_at_the_second_attempt() {
    let pool = testing::database().await;
    let (here, elsewhere) = (executor(&pool).await, executor(&pool).await);
    give(&here, site("start")).await;
    let mut behind = 0;
    for n in 0.. {
        give(&elsewhere, site(&format!("elsewhere {n}"))).await;
        behind += usize::from(is_behind(&here).await);
        let done = here.execute(&site(&format!("here {n}")), order()).await.unwrap();
        assert_eq!(done.appended, 1);
        assert!(done.retries <= 1, "{} retries, and nobody else appended", done.retries);
        if behind >= ENOUGH {
            return;
        }
    }
}

#[tokio::test]
async fn a_wish_is_already_true_when_another_process_has_seen_to_it_before() {
    let pool = testing::database().await;
    let (here, elsewhere) = (executor(&pool).await, executor(&pool).await);
    let mut behind = 0;
    for n in 0.. {
        let there = elsewhere.execute(&site(&format!("name {n}")), order()).await.unwrap();
        behind += usize::from(is_behind(&here).await);
        let done = here.execute(&site(&format!("name {n}")), order()).await.unwrap();
        assert_eq!((done.appended, done.position), (0, there.position));
        if behind >= ENOUGH {
            return;
        }
    }
}

#[tokio::test]
async fn a_wish_is_not_already_true_when_another_process_has_changed_that_before() {
    let pool = testing::database().await;
    let (here, elsewhere) = (executor(&pool).await, executor(&pool).await);
    give(&here, site("ours")).await;
    let mut behind = 0;
    for n in 0.. {
        give(&elsewhere, site(&format!("theirs {n}"))).await;
        behind += usize::from(is_behind(&here).await);
        // What this process knows of says that the name is `ours` still.
        let done = here.execute(&site("ours"), order()).await.unwrap();
        assert_eq!(done.appended, 1);
        if behind >= ENOUGH {
            return;
        }
    }
}

#[tokio::test]
async fn nothing_is_refused_that_another_process_has_made_possible_before() {
    let pool = testing::database().await;
    let (here, elsewhere) = (executor(&pool).await, executor(&pool).await);
    give(&elsewhere, site("Lomé")).await;
    let mut behind = 0;
    for n in 1.. {
        let refused = here.execute(&close(n), order()).await.unwrap_err();
        assert!(matches!(refused, Failure::Refused(AirportRefusal::StandUnknown { .. })), "{refused:?}");
        give(&elsewhere, define(n)).await;
        behind += usize::from(is_behind(&here).await);
        assert_eq!(here.execute(&close(n), order()).await.unwrap().appended, 1);
        if behind >= ENOUGH {
            return;
        }
    }
}

#[tokio::test]
async fn a_view_that_was_left_alone_for_long_is_brought_up_to_date_from_the_database() {
    let pool = testing::database().await;
    let here = executor(&pool).await;
    give(&here, site("Lomé")).await;
    give(&here, define(1)).await;
    give(&here, close(1)).await;
    // More than the tail keeps in memory, and one of them is about the stand.
    give(
        &here,
        vigie_domain::airport::ReopenStand {
            stand: stand(1),
            from: spec::noon(),
            to: None,
            note: Note::new("done").unwrap(),
        },
    )
    .await;
    for n in 0..5_000 {
        here.execute(&site(&format!("name {n}")), order()).await.unwrap();
    }
    let again = here.execute(&close(1), order()).await.unwrap();
    assert_eq!((again.appended, again.retries), (1, 0));
}
