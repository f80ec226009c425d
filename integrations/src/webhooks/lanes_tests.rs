use uuid::Uuid;
use vigie_eventlog::Metadata;

use super::*;

fn item(seq: i64) -> Item {
    let metadata = Metadata {
        command_id: Uuid::nil(),
        command: "test.write".to_owned(),
        correlation_id: Uuid::nil(),
        causation_id: None,
        actor: "operator:test".to_owned(),
        traceparent: None,
    };
    let event = Recorded {
        position: seq,
        id: Uuid::from_u128(seq.unsigned_abs().into()),
        kind: "test.written".to_owned(),
        version: 1,
        site: String::new(),
        tags: Vec::new(),
        data: serde_json::value::RawValue::from_string("{}".to_owned()).unwrap(),
        metadata,
        occurred_at: DateTime::UNIX_EPOCH,
        recorded_at: DateTime::UNIX_EPOCH,
    };
    let (event, queued_at) = (Arc::new(event), DateTime::UNIX_EPOCH);
    Item { seq, replay: 0, event, attempts: 0, queued_at, stored: false, letter: None }
}

/// Puts an item into the lane of its keys.
fn enter(lanes: &mut Lanes, seq: i64, keys: &[&str]) -> Joined {
    let keys: Vec<Box<str>> = keys.iter().map(|key| (*key).into()).collect();
    let joined = lanes.join(&keys, seq);
    lanes.push(joined.lane, item(seq));
    joined
}

/// Starts everything that can go; the tickets and numbers.
fn start_all(lanes: &mut Lanes) -> Vec<(u64, i64)> {
    std::iter::from_fn(|| lanes.start(8).map(|(ticket, item)| (ticket, item.seq))).collect()
}

fn seqs(started: &[(u64, i64)]) -> Vec<i64> {
    started.iter().map(|(_, seq)| *seq).collect()
}

/// Comes back delivered.
fn deliver(lanes: &mut Lanes, ticket: u64) {
    let (lane, _) = lanes.finish(ticket).unwrap();
    lanes.wake(lane);
    lanes.drop_if_idle(lane, 0);
}

#[test]
fn one_key_goes_one_after_the_other_and_others_beside_it() {
    let mut lanes = Lanes::default();
    for (seq, key) in [(1, "a"), (2, "a"), (3, "b"), (4, "a")] {
        enter(&mut lanes, seq, &[key]);
    }
    let started = start_all(&mut lanes);
    assert_eq!(seqs(&started), [1, 3]);
    deliver(&mut lanes, started[0].0);
    let next = start_all(&mut lanes);
    assert_eq!(seqs(&next), [2]);
    deliver(&mut lanes, started[1].0);
    assert_eq!(lanes.of_key("b"), None, "a lane in which nothing is takes no room");
}

#[test]
fn an_event_of_two_keys_waits_for_both_and_both_wait_for_it() {
    let mut lanes = Lanes::default();
    enter(&mut lanes, 1, &["a"]);
    enter(&mut lanes, 2, &["b"]);
    let started = start_all(&mut lanes);
    assert_eq!(seqs(&started), [1, 2]);
    enter(&mut lanes, 3, &["a", "b"]);
    enter(&mut lanes, 4, &["b"]);
    assert!(start_all(&mut lanes).is_empty());
    deliver(&mut lanes, started[0].0);
    assert!(start_all(&mut lanes).is_empty(), "the other one is on its way still");
    deliver(&mut lanes, started[1].0);
    let both = start_all(&mut lanes);
    assert_eq!(seqs(&both), [3]);
    deliver(&mut lanes, both[0].0);
    assert_eq!(seqs(&start_all(&mut lanes)), [4]);
}

#[test]
fn a_lane_that_is_stored_gives_everything_out_in_order_and_what_is_on_its_way_too() {
    let mut lanes = Lanes::default();
    for seq in 1..=4 {
        enter(&mut lanes, seq, &["a"]);
    }
    let (ticket, _) = lanes.start(8).unwrap();
    let lane = lanes.of_key("a").unwrap();
    let rows: Vec<i64> = lanes.store(lane).iter().map(|item| item.seq).collect();
    assert_eq!(rows, [1, 2, 3, 4]);
    let (back, item) = lanes.finish(ticket).unwrap();
    assert!(back == lane && item.stored);
    assert!(lanes.store(lane).is_empty(), "nothing gets two rows");
    assert!(lanes.start(8).is_none());
}

#[test]
fn a_stored_lane_that_is_tied_to_another_makes_both_stored() {
    let mut lanes = Lanes::default();
    lanes.know(1, ["a".into()]);
    enter(&mut lanes, 10, &["b"]);
    let keys: Vec<Box<str>> = vec!["a".into(), "b".into(), "c".into()];
    let joined = lanes.join(&keys, 11);
    assert_eq!(joined, Joined { lane: 1, from: vec![], grown: true });
    assert!(lanes.get(1).unwrap().stored);
    assert_eq!(lanes.store(1).iter().map(|item| item.seq).collect::<Vec<_>>(), [10]);
    lanes.know(2, ["d".into()]);
    let joined = lanes.join(&["c".into(), "d".into()], 12);
    assert_eq!(joined.from, [2]);
}

#[test]
fn what_the_database_does_not_know_yet_is_remembered() {
    let mut lanes = Lanes::default();
    lanes.know(1, ["a".into()]);
    lanes.end(1, 20, 7);
    assert_eq!(lanes.of_key("a"), Some(20));
    assert!(lanes.has_left(1));
    lanes.sweep(6, &[]);
    assert_eq!((lanes.of_key("a"), lanes.has_left(1)), (Some(20), true));
    lanes.sweep(7, &[20]);
    assert_eq!(lanes.of_key("a"), Some(20), "it is to be read on");
    lanes.sweep(7, &[]);
    assert_eq!((lanes.of_key("a"), lanes.has_left(1), lanes.len()), (None, false, 0));
}

#[test]
fn what_was_not_sent_after_all_is_the_next_again() {
    let mut lanes = Lanes::default();
    enter(&mut lanes, 1, &["a"]);
    enter(&mut lanes, 2, &["a"]);
    let (ticket, _) = lanes.start(8).unwrap();
    lanes.give_back(ticket);
    assert_eq!(seqs(&start_all(&mut lanes)), [1]);
}

/// Twenty lanes of something that has failed and is due, named from 1, and twenty of something new, from 101.
fn failed_and_new() -> Lanes {
    let mut lanes = Lanes::default();
    for seq in 1..=20 {
        enter(&mut lanes, seq + 100, &[]);
        lanes.know(seq, []);
        lanes.get_mut(seq).unwrap().queue.push_back(Item { stored: true, ..item(seq) });
        lanes.wake(seq);
    }
    lanes
}

#[test]
fn what_has_failed_goes_before_what_is_new_but_for_every_eighth_turn() {
    let mut lanes = failed_and_new();
    let one_by_one = (0..40).map(|_| {
        let (ticket, item) = lanes.start(1).unwrap();
        deliver(&mut lanes, ticket);
        item.seq
    });
    let new: Vec<i64> = one_by_one.collect();
    assert_eq!(new[..17], [1, 2, 3, 4, 5, 6, 7, 101, 8, 9, 10, 11, 12, 13, 14, 102, 15]);
    assert_eq!(new[22..], (103..=120).collect::<Vec<_>>()[..]);
}

#[test]
fn what_fails_again_and_hangs_leaves_half_of_the_places_to_what_is_new() {
    let mut lanes = failed_and_new();
    let started: Vec<i64> = (0..8).filter_map(|_| lanes.start(8)).map(|(_, item)| item.seq).collect();
    assert_eq!(started, [1, 2, 3, 4, 101, 102, 103, 104]);
}

#[test]
fn a_lane_that_was_new_and_is_stored_now_is_among_the_stored_ones_once_it_is_read() {
    let mut lanes = Lanes::default();
    enter(&mut lanes, 1, &["a"]);
    enter(&mut lanes, 2, &["b"]);
    lanes.store(1);
    lanes.get_mut(1).unwrap().queue.push_back(Item { stored: true, ..item(1) });
    lanes.wake(1);
    assert_eq!((lanes.ready(), lanes.due()), (2, 1));
    assert_eq!(seqs(&start_all(&mut lanes)), [1, 2]);
}
