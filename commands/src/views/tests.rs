use chrono::DateTime;
use serde_json::value::RawValue;
use uuid::Uuid;
use vigie_domain::kernel::View;
use vigie_domain::support::{SiteDefined, SiteId, SiteKind, Zone};
use vigie_eventlog::Metadata;

use super::*;

/// The names that sites were given.
#[derive(Default, Clone)]
struct Names(Vec<String>);

impl View for Names {
    type Key = u8;
    fn boundary(_: &u8) -> Query {
        Query::of(&["support.site_defined"], [])
    }
    fn evolve(&mut self, fact: &Fact) {
        if let Event::Support(vigie_domain::support::SupportEvent::SiteDefined(defined)) = &fact.event {
            self.0.push(defined.name.clone());
        }
    }
}

fn recorded(position: i64, name: &str) -> Recorded {
    let (site, zone) = (SiteId::new("LFW").unwrap(), Zone::new("Africa/Lome").unwrap());
    let event: Event = SiteDefined { site, name: name.into(), kind: SiteKind::Airport, zone, icao: None }.into();
    let encoded = event.encode();
    let metadata = Metadata {
        command_id: Uuid::nil(),
        command: "test".into(),
        correlation_id: Uuid::nil(),
        causation_id: None,
        actor: "operator:test".into(),
        traceparent: None,
    };
    Recorded {
        position,
        id: Uuid::nil(),
        kind: encoded.name.into(),
        version: encoded.version,
        site: "LFW".into(),
        tags: Vec::new(),
        data: RawValue::from_string(encoded.data).unwrap(),
        metadata,
        occurred_at: DateTime::UNIX_EPOCH,
        recorded_at: DateTime::UNIX_EPOCH,
    }
}

fn kept() -> Kept {
    Kept::new(World::new().guard::<Names>(&0).map(|_| ()).unwrap_err())
}

fn names(world: &World) -> Vec<String> {
    world.guard::<Names>(&0).unwrap().0.clone()
}

#[test]
fn a_world_keeps_the_view_that_it_was_shown_while_others_go_on() {
    let kept = kept();
    kept.folded().take_in([recorded(1, "one")].iter()).unwrap();
    let (mut before, mut after) = (World::new(), World::new());
    assert_eq!(kept.show(&mut before), (1, 1));
    kept.folded().take_in([recorded(2, "two")].iter()).unwrap();
    assert_eq!(kept.show(&mut after), (2, 2));
    assert_eq!(names(&before), ["one"]);
    assert_eq!(names(&after), ["one", "two"]);
    assert_eq!((before.take_guards()[0].after, after.take_guards()[0].after), (1, 2));
}

#[test]
fn a_view_that_nobody_looks_at_is_not_copied() {
    let kept = kept();
    let place = |kept: &Kept| Arc::as_ptr(&kept.folded().view).cast::<()>();
    let before = place(&kept);
    kept.show(&mut World::new());
    kept.folded().take_in([recorded(1, "one"), recorded(2, "two")].iter()).unwrap();
    assert_eq!(place(&kept), before);
}

#[test]
fn events_that_come_twice_are_folded_once() {
    let kept = kept();
    kept.folded().take_in([recorded(1, "one"), recorded(3, "three")].iter()).unwrap();
    kept.folded().take_in([recorded(1, "one"), recorded(3, "three"), recorded(4, "four")].iter()).unwrap();
    let mut world = World::new();
    kept.show(&mut world);
    assert_eq!(names(&world), ["one", "three", "four"]);
}

#[test]
fn an_event_that_cannot_be_read_stops_the_fold_before_it() {
    let kept = kept();
    let newer = Recorded { version: 9, ..recorded(2, "two") };
    let stopped = kept.folded().take_in([recorded(1, "one"), newer, recorded(3, "three")].iter()).unwrap_err();
    assert!(matches!(stopped, Unfolded::Unreadable { position: 2, .. }), "{stopped:?}");
    assert_eq!(kept.show(&mut World::new()), (1, 1));
}
