//! What is computed anew together.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value;
use vigie_eventlog::Recorded;

use crate::engine::rows::AnyTable;

/// How many things, or events, are looked at together: what bounds memory.
const TOGETHER: usize = 64;

/// Keys of rows, by table.
pub(super) type Keys = HashMap<&'static str, Vec<Value>>;

/// What is computed anew together: the things with these tags, or what these events have added.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) tags: BTreeSet<String>,
    pub(super) events: BTreeMap<i64, Arc<Recorded>>,
    /// Keys of the rows to compare, by table.
    pub(super) keys: Keys,
}

/// The tag of the thing that a row belongs to.
pub(crate) fn tag_of(table: &(impl AnyTable + ?Sized), key: &Value) -> Option<String> {
    let column = table.key_columns().first()?;
    let id = key.get(column)?.as_str()?;
    Some(if *column == "thing" { id.to_owned() } else { format!("{column}:{id}") })
}

/// Adds the key of a row to those of its thing.
pub(super) fn note(of_things: &mut BTreeMap<String, Keys>, table: &(impl AnyTable + ?Sized), key: Value) {
    let Some(tag) = tag_of(table, &key) else { return };
    let keys = of_things.entry(tag).or_default().entry(table.name()).or_default();
    if !keys.contains(&key) {
        keys.push(key);
    }
}

/// Things, as few together as memory asks for.
pub(super) fn together(of_things: BTreeMap<String, Keys>) -> Vec<Group> {
    let mut groups = vec![Group::default()];
    for (tag, keys) in of_things {
        if groups.last().is_some_and(|group| group.tags.len() >= TOGETHER) {
            groups.push(Group::default());
        }
        let Some(group) = groups.last_mut() else { continue };
        group.tags.insert(tag);
        for (table, keys) in keys {
            group.keys.entry(table).or_default().extend(keys);
        }
    }
    groups.retain(|group| !group.tags.is_empty());
    groups
}

/// Groups of one event each, as few together as memory asks for.
pub(super) fn merged(of_events: Vec<Group>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for event in of_events {
        match groups.last_mut().filter(|group| group.events.len() < TOGETHER) {
            Some(group) => {
                group.tags.extend(event.tags);
                group.events.extend(event.events);
            }
            None => groups.push(event),
        }
    }
    groups
}
