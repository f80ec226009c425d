//! Load, decide, append, bounded retry.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use metrics::counter;
use vigie_domain::kernel::{Context, Decided, Decision, Guard, Need, Query, Refused, Stop, World};
use vigie_eventlog::{Append, AppendError, Appended, Condition, Log, Metadata, NewEvent};

use crate::answer;
use crate::refusals::{Refusal, Refusals};
use crate::turns::Turns;
use crate::views::{Kept, Unfolded, Views, stored_query};
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
    refusals: Option<Refusals>,
}

/// What a decision came to, and on what.
pub(crate) struct Ruling<D: Decision> {
    pub(crate) result: Result<Decided<D::Answer>, D::Refusal>,
    guards: Vec<Guard>,
    /// Of the last fact that it has seen.
    position: i64,
    /// It has seen everything that it asked for up to here.
    seen: i64,
    /// It rests on more than its guards protect.
    consulted: bool,
}

impl<D: Decision> Ruling<D> {
    /// Everything that it rests on was judged up to here, the log's head when the command began at the least.
    fn judged(&self, began: Option<i64>) -> i64 {
        if self.seen == i64::MAX { began.unwrap_or(0) } else { self.seen.max(began.unwrap_or(0)) }
    }

    /// Whether the append itself finds out if the ruling rests on what is not true any more.
    ///
    /// A refusal or a wish that is already true appends nothing, and what was consulted is not in any condition.
    fn is_guarded(&self) -> bool {
        !self.consulted && self.result.as_ref().is_ok_and(|decided| !decided.events.is_empty())
    }
}

type Outcome<D> = Result<Done<<D as Decision>::Answer>, Failure<<D as Decision>::Refusal>>;

impl Executor {
    /// An executor on this log. Commands happen at the time that `clock` tells.
    #[must_use]
    pub fn new(log: Log, clock: Clock) -> Self {
        Self { log, clock, views: Arc::new(Views::new()), turns: Arc::new(Turns::new()), refusals: None }
    }

    /// The same, keeping what it refuses.
    #[must_use]
    pub fn recording(self, refusals: Refusals) -> Self {
        Self { refusals: Some(refusals), ..self }
    }

    /// The same on another clock.
    #[must_use]
    pub fn on_clock(&self, clock: Clock) -> Self {
        Self { clock, ..self.clone() }
    }

    /// The log that it appends to.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The time that its commands happen at.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        (self.clock)()
    }

    /// Carries a command out.
    ///
    /// # Errors
    /// Refused by its rule, contended beyond the bound, or the log failed.
    pub async fn execute<D: Decision>(&self, command: &D, order: Order) -> Outcome<D> {
        let context = Context { command_id: order.command_id, now: (self.clock)() };
        let mut judged = 0;
        let outcome = self.attempt(command, &order, &context, &mut judged).await;
        let label = match &outcome {
            Ok(done) if done.appended > 0 => "accepted",
            Ok(_) => "already_true",
            Err(Failure::Refused(refusal)) => refusal.code(),
            Err(Failure::Contended { .. }) => "contended",
            Err(_) => "failed",
        };
        counter!("vigie_commands_total", "command" => D::NAME, "outcome" => label).increment(1);
        if let Err(failure) = &outcome
            && let Some(refusal) = Refusal::of(command, &order, failure, judged, context.now)
        {
            self.record(refusal).await;
        }
        outcome
    }

    /// Keeps a refusal, where refusals are kept.
    pub(crate) async fn record(&self, refusal: Refusal) {
        if let Some(refusals) = &self.refusals {
            refusals.record(refusal).await;
        }
    }

    /// Decides and appends; `judged` is the position up to which the log was judged.
    async fn attempt<D: Decision>(
        &self,
        command: &D,
        order: &Order,
        context: &Context,
        judged: &mut i64,
    ) -> Outcome<D> {
        let (mut turn, mut began, mut at_least) = (None, None, 0);
        for retries in 0..ATTEMPTS {
            let ruling = self.rule_on_what_was(command, context, &mut began, at_least).await?;
            *judged = ruling.judged(began);
            let Ruling { result, guards, position, .. } = ruling;
            let decided = match result {
                Ok(decided) => decided,
                Err(refusal) => return self.first_answer(command, order).await?.ok_or(Failure::Refused(refusal)),
            };
            if decided.events.is_empty() {
                let now = Done { answer: decided.answer, position, appended: 0, retries };
                return Ok(self.first_answer(command, order).await?.unwrap_or(now));
            }
            match self.log.append(append(command, &decided, &guards, order, context.now)).await {
                Ok(appended) if appended.repeated => return first_answer_in(command, appended, order),
                Ok(appended) => {
                    let (answer, count) = (decided.answer, decided.events.len());
                    return Ok(Done { answer, position: appended.last, appended: count, retries });
                }
                Err(AppendError::Conflict { condition, position }) => {
                    // The next ruling has seen at least what was in the way, wherever it came from.
                    at_least = position;
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

    /// Decides on no less than what was committed before the command began.
    ///
    /// What this process knows of may lag behind what other processes have appended. An accepted decision finds that out
    /// by its guards. Any other is decided anew when the log has moved on; `began` is the log's head since the command
    /// began, once somebody had to ask for it.
    async fn rule_on_what_was<D: Decision>(
        &self,
        command: &D,
        context: &Context,
        began: &mut Option<i64>,
        at_least: i64,
    ) -> Result<Ruling<D>, Failure<D::Refusal>> {
        let ruling = self.rule(command, context, at_least.max(began.unwrap_or(0))).await?;
        if ruling.is_guarded() || began.is_some() {
            return Ok(ruling);
        }
        let head = self.log.head().await?;
        *began = Some(head);
        if ruling.seen >= head { Ok(ruling) } else { self.rule(command, context, at_least.max(head)).await }
    }

    /// Decides on what this process knows of and on everything up to `at_least`, loading what the decision asks for.
    ///
    /// The world is made anew whenever it has grown, so that nobody looks at a view while others are waited for.
    async fn rule<D: Decision>(
        &self,
        command: &D,
        context: &Context,
        at_least: i64,
    ) -> Result<Ruling<D>, Failure<D::Refusal>> {
        let mut views: Vec<Arc<Kept>> = Vec::new();
        loop {
            let need = match look(command, context, &views) {
                Ok(ruling) => return Ok(ruling),
                Err(need) => need,
            };
            views.push(self.view(need, at_least).await?);
        }
    }

    /// The view that is needed, with everything up to `at_least`.
    pub(crate) async fn view<R>(&self, need: Need, at_least: i64) -> Result<Arc<Kept>, Failure<R>> {
        let view = self.views.get(need);
        view.refresh(&self.log, at_least).await.map_err(|error| match error {
            Unfolded::Log(error) => Failure::Log(error),
            Unfolded::Unreadable { position, source } => Failure::Unreadable { position, source },
        })?;
        Ok(view)
    }

    /// What this command was answered when it was carried out before.
    async fn first_answer<D: Decision>(
        &self,
        command: &D,
        order: &Order,
    ) -> Result<Option<Done<D::Answer>>, Failure<D::Refusal>> {
        let appended = self.log.appended(order.command_id).await?;
        appended.map(|appended| first_answer_in(command, appended, order)).transpose()
    }
}

/// Decides on these views, or says what else is needed.
pub(crate) fn look<D: Decision>(command: &D, context: &Context, views: &[Arc<Kept>]) -> Result<Ruling<D>, Need> {
    let mut world = World::new();
    let (mut position, mut seen) = (0, i64::MAX);
    for view in views {
        let shown = view.show(&mut world);
        (position, seen) = (position.max(shown.0), seen.min(shown.1));
    }
    let result = match command.decide(&world, context) {
        Ok(decided) => Ok(decided),
        Err(Stop::Refused(refusal)) => Err(refusal),
        Err(Stop::Need(need)) => return Err(need),
    };
    Ok(Ruling { result, guards: world.take_guards(), position, seen, consulted: world.was_consulted() })
}

fn first_answer_in<D: Decision>(command: &D, appended: Appended, order: &Order) -> Outcome<D> {
    let reused = || Failure::CommandIdReused { command_id: order.command_id };
    if appended.command != D::NAME {
        return Err(reused());
    }
    let answer = appended.answer.ok_or_else(reused)?;
    let answer = answer::read(command, order, &answer).ok_or_else(reused)?;
    Ok(Done { answer, position: appended.last, appended: 0, retries: 0 })
}

fn append<D: Decision>(
    command: &D,
    decided: &Decided<D::Answer>,
    guards: &[Guard],
    order: &Order,
    now: DateTime<Utc>,
) -> Append {
    let event = |(event, at): &(vigie_domain::Event, Option<DateTime<Utc>>)| {
        let encoded = event.encode();
        NewEvent {
            kind: encoded.name.to_owned(),
            version: encoded.version,
            site: event.site_name().to_owned(),
            tags: event.tags().into_iter().map(vigie_domain::kernel::Tag::into_string).collect(),
            data: encoded.data,
            occurred_at: at.unwrap_or(now),
        }
    };
    let condition = |guard: &Guard| Condition { query: stored_query(&guard.query), after: guard.after };
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
        answer: Some(answer::write(command, order, &decided.answer)),
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
