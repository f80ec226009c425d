//! What the subscribers watch.

use serde_json::{Value, json};

use crate::{Outcome, facts};

/// A kind of subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Watched {
    /// Each the events about a flight of its own, by its tag.
    Events,
    /// All the events about the same flight.
    SameEvents,
    /// Each a flight of its own, read anew whenever it has changed.
    Flight,
    /// All the same list of twenty flights, of which one changes.
    List,
}

impl std::fmt::Display for Watched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Events => "events by a tag of their own",
            Self::SameEvents => "events by the same tag",
            Self::Flight => "a flight of their own",
            Self::List => "the same list",
        })
    }
}

impl Watched {
    /// How many rows change each second for so many subscribers.
    pub(super) fn rows(self, subscribers: usize) -> usize {
        match self {
            Self::Events | Self::Flight => subscribers,
            Self::SameEvents | Self::List => 1,
        }
    }

    /// Whose row this is.
    pub(super) fn sees(self, subscriber: usize, row: usize) -> bool {
        match self {
            Self::Events | Self::Flight => subscriber == row,
            Self::SameEvents | Self::List => row == 0,
        }
    }

    /// What a subscriber sends.
    pub(super) fn payload(self, subscriber: usize) -> Outcome<Value> {
        let query = match self {
            Self::Events | Self::SameEvents => {
                "subscription($id: String!) { events(filter: {tags: [$id]}) { position event { id type occurredAt data } } }"
            }
            Self::Flight => {
                "subscription($id: ID!) { flightChanged(id: $id) { position flight { id number status bestAt } } }"
            }
            Self::List => {
                r#"subscription { liveFlights(filter: {site: "LFW"}, first: 20) { position
                    changes { kind id index node { id number status bestAt } } } }"#
            }
        };
        let variables = match self {
            Self::Events => json!({ "id": format!("flight:{}", facts::flight(subscriber)?) }),
            Self::SameEvents => json!({ "id": format!("flight:{}", facts::flight(0)?) }),
            Self::Flight => json!({ "id": facts::flight(subscriber)?.to_string() }),
            Self::List => json!({}),
        };
        Ok(json!({ "query": query, "variables": variables }))
    }

    /// Whether an item tells of a change: the others are heartbeats, and the snapshot of a list.
    pub(super) fn is_change(self, item: &str) -> bool {
        match self {
            Self::Events | Self::SameEvents => !item.contains(r#""event":null"#),
            Self::Flight => !item.contains(r#""flight":null"#),
            Self::List => !item.contains(r#""changes":[]"#),
        }
    }
}
