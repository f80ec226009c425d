//! Which entries, which refusals.

use async_graphql::{ID, InputObject};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use vigie_domain::Event;

/// Which entries of the audit trail: those to which everything that is given applies.
#[derive(Debug, Clone, Default, PartialEq, InputObject, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct AuditFilter {
    /// About this thing, such as `stand:LFW/C03`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thing: Option<String>,
    /// About all of these things.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) things: Option<Vec<String>>,
    /// By this person or program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) actor: Option<String>,
    /// From commands of this name, such as `airport.allocate_stand`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) command: Option<String>,
    /// From this command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) command_id: Option<Uuid>,
    /// From this command, from commands that reacted to what it recorded, and so on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) caused_by: Option<Uuid>,
    /// Of the chain that this command began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) correlation_id: Option<Uuid>,
    /// Events of this type.
    #[graphql(name = "type")]
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<String>,
    /// Events of any of these types.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) types: Option<Vec<String>>,
    /// At this site.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) site: Option<ID>,
    /// Recorded from this time on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<DateTime<Utc>>,
    /// Recorded before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) to: Option<DateTime<Utc>>,
    /// Recorded on this day in the zone of `site`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) day: Option<NaiveDate>,
    /// After this position of the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) after_position: Option<i64>,
    /// Up to this position of the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) until_position: Option<i64>,
    /// With a note that has words which begin like each of these, in any order and case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
}

/// Which refused commands: those to which everything that is given applies.
#[derive(Debug, Clone, Default, PartialEq, InputObject, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct RefusalFilter {
    /// That named this thing, such as `stand:LFW/C03`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thing: Option<String>,
    /// Given by this person or program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) actor: Option<String>,
    /// Commands of this name, such as `airport.allocate_stand`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) command: Option<String>,
    /// This command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) command_id: Option<Uuid>,
    /// Of the chain that this command began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) correlation_id: Option<Uuid>,
    /// By this rule, such as `STAND_OCCUPIED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<String>,
    /// At this site.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) site: Option<ID>,
    /// Refused from this time on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<DateTime<Utc>>,
    /// Refused before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) to: Option<DateTime<Utc>>,
    /// Refused on this day in the zone of `site`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) day: Option<NaiveDate>,
    /// Judged after this position of the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) after_position: Option<i64>,
    /// Judged up to this position of the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) until_position: Option<i64>,
}

/// A part of a filter that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub(crate) struct FilterError {
    /// Its name in the filter.
    pub(crate) field: &'static str,
    /// What is wrong, and what would be right.
    pub(crate) problem: String,
}

fn wrong(field: &'static str, problem: impl Into<String>) -> FilterError {
    FilterError { field, problem: problem.into() }
}

fn check_things<'a>(field: &'static str, mut things: impl Iterator<Item = &'a String>) -> Result<(), FilterError> {
    match things.find(|thing| !thing.contains(':')) {
        Some(thing) => Err(wrong(field, format!("{thing:?} is not a kind, a colon and an id, such as stand:LFW/C03"))),
        None => Ok(()),
    }
}

/// A day stands instead of two times, and needs a site whose zone it follows.
pub(crate) fn check_day(day: Option<NaiveDate>, site: Option<&ID>, times: bool) -> Result<(), FilterError> {
    match (day, site) {
        (Some(_), _) if times => Err(wrong("day", "is given instead of from and to")),
        (Some(_), None) => Err(wrong("day", "needs a site: days follow its time zone")),
        (Some(_), Some(_)) | (None, _) => Ok(()),
    }
}

impl AuditFilter {
    /// A filter on one thing.
    pub(crate) fn about(thing: String) -> Self {
        Self { thing: Some(thing), ..Self::default() }
    }

    /// Every type that is asked for; empty for all.
    pub(crate) fn kinds(&self) -> Vec<String> {
        self.types.iter().flatten().chain(&self.kind).cloned().collect()
    }

    /// Every thing that is asked for.
    pub(crate) fn all_things(&self) -> impl Iterator<Item = &String> {
        self.things.iter().flatten().chain(&self.thing)
    }

    /// The words of the text, in lower case.
    pub(crate) fn words(&self) -> Vec<String> {
        let text = self.text.as_deref().unwrap_or_default();
        text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
    }

    /// Refuses what would look as if nothing had happened.
    pub(crate) fn check(&self) -> Result<(), FilterError> {
        const MOST: usize = 20;
        check_things("thing", self.thing.iter())?;
        check_things("things", self.things.iter().flatten())?;
        if let Some(unknown) = self.kinds().iter().find(|kind| Event::types().all(|known| known.name != **kind)) {
            return Err(wrong("types", format!("{unknown:?} is not a type of event")));
        }
        if self.all_things().count() > MOST || self.words().len() > MOST {
            return Err(wrong("things", format!("at most {MOST} things and {MOST} words")));
        }
        if self.text.is_some() && self.words().is_empty() {
            return Err(wrong("text", "has no word"));
        }
        check_day(self.day, self.site.as_ref(), self.from.is_some() || self.to.is_some())
    }
}

impl RefusalFilter {
    /// Refuses what would look as if nothing had been refused.
    pub(crate) fn check(&self) -> Result<(), FilterError> {
        check_things("thing", self.thing.iter())?;
        check_day(self.day, self.site.as_ref(), self.from.is_some() || self.to.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_match_is_refused_by_name() {
        let day = NaiveDate::from_ymd_opt(2026, 1, 15);
        for (filter, field) in [
            (AuditFilter::about("C03".into()), "thing"),
            (AuditFilter { things: Some(vec!["C03".into()]), ..Default::default() }, "things"),
            (AuditFilter { kind: Some("airport.stand_alocated".into()), ..Default::default() }, "types"),
            (AuditFilter { text: Some(" - ".into()), ..Default::default() }, "text"),
            (AuditFilter { day, ..Default::default() }, "day"),
        ] {
            assert_eq!(filter.check().unwrap_err().field, field);
        }
        assert_eq!(AuditFilter { site: Some("LFW".into()), day, ..Default::default() }.check(), Ok(()));
    }

    #[test]
    fn a_filter_is_read_as_it_is_written() {
        let text = r#"{"thing":"stand:LFW/C03","commandId":"0197f3a0-0000-7000-8000-000000000001","type":"airport.stand_closed","day":"2026-01-15"}"#;
        let filter: AuditFilter = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&filter).unwrap(), text);
        assert!(serde_json::from_str::<AuditFilter>(r#"{"acter":"x"}"#).is_err());
    }

    #[test]
    fn words_are_what_stands_between_other_characters() {
        let filter = AuditFilter { text: Some("De-icing, LFW/C03: \"zoé's\" & !".into()), ..Default::default() };
        assert_eq!(filter.words(), ["de", "icing", "lfw", "c03", "zoé", "s"]);
    }
}
