//! A refusal as it is kept.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;
use vigie_domain::kernel::{Decision, Refused, Tag, plain};

use crate::{Failure, Order};

/// The largest input or detail that is kept, as bytes of JSON.
const LARGEST: usize = 16 * 1024;
/// Fields of this name, at any depth, are not kept, whatever a command says of itself.
const SECRETS: [&str; 5] = ["password", "secret", "token", "api_key", "credentials"];

/// A refused command.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// The log up to here was judged.
    pub position: i64,
    /// When.
    pub refused_at: DateTime<Utc>,
    /// Who gave the command, and why.
    pub order: Order,
    /// The command's name; of one that was not read, what its caller calls it.
    pub command: Cow<'static, str>,
    /// The things that the command names, as tags.
    pub things: Vec<String>,
    /// The site that they belong to, as far as their tags say.
    pub site: Option<String>,
    /// The rule, in upper snake case.
    pub code: &'static str,
    /// The rule, in words.
    pub message: String,
    /// What the caller needs to act.
    pub details: Value,
    /// The command, without secrets.
    pub input: Value,
}

impl Refusal {
    /// What is kept of a failure; `None` for faults, which are not the caller's doing.
    pub(crate) fn of<D: Decision>(
        command: &D,
        order: &Order,
        failure: &Failure<D::Refusal>,
        position: i64,
        refused_at: DateTime<Utc>,
    ) -> Option<Self> {
        let (code, details) = match failure {
            Failure::Refused(refusal) => (refusal.code(), refusal.details()),
            Failure::Contended { attempts } => ("CONTENDED", json!({ "attempts": attempts })),
            Failure::CommandIdReused { .. } => ("COMMAND_ID_REUSED", Value::Null),
            Failure::Log(_) | Failure::Malformed { .. } | Failure::Unreadable { .. } => return None,
        };
        let message = match failure {
            Failure::Refused(refusal) => refusal.to_string(),
            failure => failure.to_string(),
        };
        let forbidden = Self::forbidden(command, order, (code, &message), position, refused_at);
        Some(Self { details: kept(details), ..forbidden })
    }

    /// What is kept of a command that is forbidden, by a code and in words.
    pub(crate) fn forbidden<D: Decision>(
        command: &D,
        order: &Order,
        (code, message): (&'static str, &str),
        position: i64,
        refused_at: DateTime<Utc>,
    ) -> Self {
        let things: Vec<String> = command.things().into_iter().map(Tag::into_string).collect();
        Self {
            position,
            refused_at,
            order: order.clone(),
            command: D::NAME.into(),
            site: things.iter().find_map(|thing| site(thing)).map(ToOwned::to_owned),
            things,
            code,
            message: message.replace('\0', "\u{fffd}"),
            details: Value::Null,
            input: kept(plain(command)),
        }
    }

    /// What is kept of a command that is forbidden whatever it names, and was not read therefore.
    pub(crate) fn unread(
        command: String,
        order: &Order,
        (code, message): (&'static str, &str),
        position: i64,
        refused_at: DateTime<Utc>,
    ) -> Self {
        Self {
            position,
            refused_at,
            order: order.clone(),
            command: command.into(),
            things: Vec::new(),
            site: None,
            code,
            message: message.to_owned(),
            details: Value::Null,
            input: json!({}),
        }
    }

    /// The id of the refused command.
    #[must_use]
    pub fn command_id(&self) -> Uuid {
        self.order.command_id
    }
}

/// The site that an id begins with, as those of stands, flights and passes do.
#[must_use]
pub fn site(thing: &str) -> Option<&str> {
    match thing.split_once(':')? {
        ("site", site) => Some(site),
        (_, id) => id.split_once('/').map(|(site, _)| site),
    }
}

fn kept(mut value: Value) -> Value {
    hide_secrets(&mut value);
    let bytes = value.to_string().len();
    if bytes > LARGEST { json!({ "left_out": format!("{bytes} bytes, more than {LARGEST}") }) } else { value }
}

fn hide_secrets(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if SECRETS.contains(&name.as_str()) {
                    *value = Value::from("(not kept)");
                } else {
                    hide_secrets(value);
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(hide_secrets),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_site_is_in_the_tag_of_a_site_a_stand_a_flight_and_a_pass() {
        for (thing, expected) in [
            ("site:LFW", Some("LFW")),
            ("stand:LFW/C03", Some("LFW")),
            ("flight:LFW/AF860/2026-01-15/A/CDG", Some("LFW")),
            ("alert:0197", None),
        ] {
            assert_eq!(site(thing), expected, "{thing}");
        }
    }

    #[test]
    fn secrets_and_what_is_too_large_are_left_out() {
        let secret = json!({ "user": "zoe", "deep": [{ "password": "x" }] });
        assert_eq!(kept(secret), json!({ "user": "zoe", "deep": [{ "password": "(not kept)" }] }));
        let large = kept(json!({ "note": "x".repeat(LARGEST) }));
        assert!(large["left_out"].as_str().unwrap().starts_with("16395 bytes"), "{large}");
    }
}
