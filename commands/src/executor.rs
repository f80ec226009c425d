//! Load, decide, append, bounded retry.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use metrics::counter;
use vigie_domain::kernel::{Context, Decided, Decision, Guard, Query, Refused, Stop, World};
use vigie_eventlog::{Append, AppendError, Appended, Condition, Log, Metadata, NewEvent};

use crate::turns::Turns;
use crate::views::{Unfolded, Views, stored_query};
use crate::{Done, Failure, Order};

/// How often a decision is made anew before its caller is told that others are always faster.
const ATTEMPTS: u32 = 100;

/// Tells the time of a command.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// Carries decisions out. Cheap to clone; clones share the folded views.
#[derive(Clone)]
pub struct Executor {
    log: Log,
    clock: Clock,
    views: Arc<Views>,
    turns: Arc<Turns>,
}

/// What a decision came to, and the position up to which it has read.
struct Ruling<D: Decision> {
    result: Result<Decided<D::Answer>, D::Refusal>,
    guards: Vec<Guard>,
    position: i64,
}

type Outcome<D> = Result<Done<<D as Decision>::Answer>, Failure<<D as Decision>::Refusal>>;

impl Executor {
    /// An executor on this log. Commands happen at the time that `clock` tells.
    #[must_use]
    pub fn new(log: Log, clock: Clock) -> Self {
        Self { log, clock, views: Arc::new(Views::new()), turns: Arc::new(Turns::new()) }
    }

    /// The log that it appends to.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Carries a command out.
    ///
    /// # Errors
    /// Refused by its rule, contended beyond the bound, or the log failed.
    pub async fn execute<D: Decision>(&self, command: &D, order: Order) -> Outcome<D> {
        let outcome = self.attempt(command, &order).await;
        let label = match &outcome {
            Ok(done) if done.appended > 0 => "accepted",
            Ok(_) => "already_true",
            Err(Failure::Refused(refusal)) => refusal.code(),
            Err(Failure::Contended { .. }) => "contended",
            Err(_) => "failed",
        };
        counter!("vigie_commands_total", "command" => D::NAME, "outcome" => label).increment(1);
        outcome
    }

    async fn attempt<D: Decision>(&self, command: &D, order: &Order) -> Outcome<D> {
        let context = Context { command_id: order.command_id, now: (self.clock)() };
        let mut turn = None;
        for retries in 0..ATTEMPTS {
            let Ruling { result, guards, position } = self.rule(command, &context).await?;
            let decided = match result {
                Ok(decided) => decided,
                Err(refusal) => return self.first_answer::<D>(order).await?.ok_or(Failure::Refused(refusal)),
            };
            if decided.events.is_empty() {
                let now = Done { answer: decided.answer, position, appended: 0, retries };
                return Ok(self.first_answer::<D>(order).await?.unwrap_or(now));
            }
            match self.log.append(append::<D>(&decided, &guards, order, context.now)).await {
                Ok(appended) if appended.repeated => return first_answer_in::<D>(appended, order),
                Ok(appended) => {
                    let (answer, count) = (decided.answer, decided.events.len());
                    return Ok(Done { answer, position: appended.last, appended: count, retries });
                }
                Err(AppendError::Conflict { condition, .. }) => {
                    counter!("vigie_command_retries_total", "command" => D::NAME).increment(1);
                    // Held turns are given back before another is taken, so that nobody waits in a circle.
                    drop(turn.take());
                    turn = Some(self.turns.take(&overtaken(&guards, condition)).await);
                    pause(order, retries).await;
                }
                Err(AppendError::Log(error)) => return Err(error.into()),
                Err(error @ (AppendError::Size { .. } | AppendError::Text { .. } | AppendError::Data { .. })) => {
                    return Err(Failure::Malformed { source: error });
                }
            }
        }
        Err(Failure::Contended { attempts: ATTEMPTS })
    }

    /// Decides, loading what the decision asks for.
    async fn rule<D: Decision>(&self, command: &D, context: &Context) -> Result<Ruling<D>, Failure<D::Refusal>> {
        let mut world = World::new();
        let mut position = 0;
        loop {
            let verdict = command.decide(&world, context);
            let guards = world.take_guards();
            match verdict {
                Ok(decided) => return Ok(Ruling { result: Ok(decided), guards, position }),
                Err(Stop::Refused(refusal)) => return Ok(Ruling { result: Err(refusal), guards, position }),
                Err(Stop::Need(need)) => {
                    let read = self.views.load(&self.log, &mut world, need).await.map_err(|error| match error {
                        Unfolded::Log(error) => Failure::Log(error),
                        Unfolded::Unreadable { position, source } => Failure::Unreadable { position, source },
                    })?;
                    position = position.max(read);
                }
            }
        }
    }

    /// What this command was answered when it was carried out before.
    async fn first_answer<D: Decision>(&self, order: &Order) -> Result<Option<Done<D::Answer>>, Failure<D::Refusal>> {
        let appended = self.log.appended(order.command_id).await?;
        appended.map(|appended| first_answer_in::<D>(appended, order)).transpose()
    }
}

fn first_answer_in<D: Decision>(appended: Appended, order: &Order) -> Outcome<D> {
    let reused = || Failure::CommandIdReused { command_id: order.command_id };
    if appended.command != D::NAME {
        return Err(reused());
    }
    let answer = appended.answer.and_then(|json| serde_json::from_str(json.get()).ok()).ok_or_else(reused)?;
    Ok(Done { answer, position: appended.last, appended: 0, retries: 0 })
}

fn append<D: Decision>(decided: &Decided<D::Answer>, guards: &[Guard], order: &Order, now: DateTime<Utc>) -> Append {
    let event = |(event, at): &(vigie_domain::Event, Option<DateTime<Utc>>)| {
        let encoded = event.encode();
        NewEvent {
            kind: encoded.name.to_owned(),
            version: encoded.version,
            site: event.site().to_string(),
            tags: event.tags().into_iter().map(vigie_domain::kernel::Tag::into_string).collect(),
            data: encoded.data,
            occurred_at: at.unwrap_or(now),
        }
    };
    let condition = |guard: &Guard| Condition { query: stored_query(&guard.query), after: guard.after };
    let answer = serde_json::value::to_raw_value(&decided.answer).expect("answers are plain data and always serialise");
    Append {
        events: decided.events.iter().map(event).collect(),
        metadata: Metadata {
            command_id: order.command_id,
            command: D::NAME.to_owned(),
            correlation_id: order.correlation_id.unwrap_or(order.command_id),
            causation_id: order.causation_id,
            actor: order.actor.clone(),
            traceparent: order.traceparent.clone(),
        },
        conditions: guards.iter().map(condition).collect(),
        answer: Some(answer),
    }
}

fn overtaken(guards: &[Guard], condition: usize) -> Query {
    guards.get(condition).map(|guard| guard.query.clone()).unwrap_or_default()
}

/// Waits longer after each defeat, each command for another while, so that processes do not keep step.
async fn pause(order: &Order, retries: u32) {
    if retries == 0 {
        return;
    }
    let mut hasher = DefaultHasher::new();
    (order.command_id, retries).hash(&mut hasher);
    let most = 100_u64 << retries.min(8);
    tokio::time::sleep(Duration::from_micros(hasher.finish() % most)).await;
}
