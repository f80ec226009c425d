//! Leaves out an event that stops a read model or a policy.
//!
//! What stops one is a matter of its fold and of this program, which the log does not know: the caller says what the
//! checkpoint says, and holds that still until the command is carried out.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ConsumerKind, ConsumerName, EventSkipped, SiteId, SupportEvent, names};
use crate::Event;
use crate::kernel::{
    Context, Decided, Decision, Earlier, Fact, Note, Query, Refused, Tag, Verdict, View, World, plain,
};

/// What a consumer of the log leaves out.
#[derive(Debug, Clone, Default)]
pub struct Skips {
    by_position: HashMap<i64, Earlier>,
}

impl View for Skips {
    type Key = ConsumerName;
    fn boundary(consumer: &ConsumerName) -> Query {
        Query::of(&[names::EVENT_SKIPPED], [consumer.tag()])
    }
    fn evolve(&mut self, fact: &Fact) {
        if let Event::Support(SupportEvent::EventSkipped(skipped)) = &fact.event {
            self.by_position.insert(skipped.position, Earlier::of(&fact.stamp, &skipped.reason));
        }
    }
}

/// Leaves an event out of what a read model or policy is made of, for good: rebuilds leave it out too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkipEvent {
    /// Who.
    pub consumer: ConsumerName,
    /// What it is.
    pub kind: ConsumerKind,
    /// The event's place in the log.
    pub position: i64,
    /// The event's id.
    pub event: Uuid,
    /// Where the event happened.
    pub site: SiteId,
    /// The event that has stopped the consumer, as its checkpoint says; `None` when none has.
    pub stopped_at: Option<i64>,
    /// Why it is left out; not empty.
    pub reason: Note,
}

/// The event is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// Who leaves it out.
    pub consumer: ConsumerName,
    /// The event.
    pub position: i64,
    /// When, by whom and why it was skipped before, if it was; nothing was recorded then.
    pub earlier: Option<Earlier>,
}

/// Why an event cannot be skipped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(tag = "rule", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SkipRefusal {
    /// Nothing has stopped it.
    #[error("no event has stopped {projection}: there is nothing to skip")]
    NotStopped {
        /// Who.
        projection: ConsumerName,
    },
    /// It stands at another event.
    #[error(
        "{projection} is stopped by the event at position {stopped_at}, not by the one at position {position}: only that one can be skipped"
    )]
    StoppedElsewhere {
        /// Who.
        projection: ConsumerName,
        /// The event that was named.
        position: i64,
        /// The one that has stopped it.
        stopped_at: i64,
    },
    /// The reason is empty.
    #[error("say why the event at position {position} is skipped")]
    ReasonMissing {
        /// The event.
        position: i64,
    },
}

impl Refused for SkipRefusal {
    fn code(&self) -> &'static str {
        match self {
            Self::NotStopped { .. } => "NOT_STOPPED",
            Self::StoppedElsewhere { .. } => "STOPPED_ELSEWHERE",
            Self::ReasonMissing { .. } => "REASON_MISSING",
        }
    }
    fn details(&self) -> serde_json::Value {
        plain(self)
    }
}

impl Decision for SkipEvent {
    const NAME: &'static str = "support.skip_event";
    type Answer = Skipped;
    type Refusal = SkipRefusal;

    fn things(&self) -> Vec<Tag> {
        vec![self.consumer.tag()]
    }

    fn decide(&self, world: &World, _context: &Context) -> Verdict<Skipped, SkipRefusal> {
        let Self { consumer, kind, position, event, site, stopped_at, reason } = self;
        let (consumer, position) = (consumer.clone(), *position);
        let skips = world.guard::<Skips>(&consumer)?;
        if let Some(earlier) = skips.by_position.get(&position) {
            return Ok(Decided::nothing(Skipped { consumer, position, earlier: Some(earlier.clone()) }));
        }
        match *stopped_at {
            None => return Err(SkipRefusal::NotStopped { projection: consumer }.into()),
            Some(stopped_at) if stopped_at != position => {
                return Err(SkipRefusal::StoppedElsewhere { projection: consumer, position, stopped_at }.into());
            }
            Some(_) if reason.is_empty() => return Err(SkipRefusal::ReasonMissing { position }.into()),
            Some(_) => {}
        }
        let skipped = EventSkipped {
            consumer: consumer.clone(),
            kind: *kind,
            position,
            event: *event,
            site: site.clone(),
            reason: reason.clone(),
        };
        Ok(Decided::events([skipped.into()], Skipped { consumer, position, earlier: None }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::spec;

    fn skip(position: i64, stopped_at: Option<i64>, reason: &str) -> SkipEvent {
        SkipEvent {
            consumer: ConsumerName::new("flights").unwrap(),
            kind: ConsumerKind::ReadModel,
            position,
            event: Uuid::from_u128(7),
            site: SiteId::new("LFW").unwrap(),
            stopped_at,
            reason: Note::new(reason).unwrap(),
        }
    }

    fn skipped(consumer: &str, position: i64) -> EventSkipped {
        EventSkipped {
            consumer: ConsumerName::new(consumer).unwrap(),
            kind: ConsumerKind::ReadModel,
            position,
            event: Uuid::from_u128(7),
            site: SiteId::new("LFW").unwrap(),
            reason: Note::new("the feed was broken").unwrap(),
        }
    }

    #[test]
    fn the_event_that_stopped_a_read_model_is_skipped() {
        let command = skip(4, Some(4), "the feed was broken");
        spec::given([]).when(command.clone()).then([skipped("flights", 4).into()]);
        spec::given([skipped("audit", 4).into()]).when(command).then([skipped("flights", 4).into()]);
    }

    #[test]
    fn again_the_first_reason_is_the_answer_also_when_it_has_gone_on() {
        let given = spec::given([skipped("flights", 4).into()]);
        let outcome = given.when(skip(4, None, "another reason")).then_nothing();
        let earlier = outcome.answer().earlier.as_ref().map(|earlier| earlier.note.as_str());
        assert_eq!(earlier, Some("the feed was broken"));
    }

    #[test]
    fn only_the_event_that_stopped_it_is_skipped_and_not_without_a_reason() {
        spec::given([]).when(skip(4, None, "x")).then_refused("NOT_STOPPED");
        spec::given([]).when(skip(4, Some(5), "x")).then_refused("STOPPED_ELSEWHERE");
        spec::given([]).when(skip(4, Some(4), " ")).then_refused("REASON_MISSING");
    }
}
