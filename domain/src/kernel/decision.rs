//! Decisions guard themselves with what they read.
//!
//! A command is carried out by [`Decision::decide`], a pure function of the command and the [`World`]. It asks
//! the world for [`View`]s, folds of the facts that match a query. A view that is not there yet stops the function
//! with a [`Need`]; the caller loads it and decides again. What was read with [`World::guard`] becomes the condition
//! of the append: nothing that matches may have been added since. What was read with [`World::consult`] is a
//! preference only and guards nothing; [`World::guard_part`] guards a narrower part of it.

use std::any::{Any, TypeId};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt::{self, Debug, Display};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::{Query, Tag, derived_uuid};
use crate::Event;

/// Where and when a fact entered the log, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// Place in the log: 1, 2, 3, …
    pub position: i64,
    /// Id of the event.
    pub id: Uuid,
    /// When it happened, by the source's clock.
    pub occurred_at: DateTime<Utc>,
    /// When the log recorded it.
    pub recorded_at: DateTime<Utc>,
    /// Who or what did it, such as `operator:local` or `policy:alerts.spring_out_of_limits`.
    pub actor: String,
}

/// A recorded fact: an event and its stamp.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// What happened.
    pub event: Event,
    /// Where, when, by whom.
    pub stamp: Stamp,
}

/// A fold of the facts that match a query: what a decision knows of one thing.
pub trait View: Default + Clone + Send + Sync + 'static {
    /// Which thing. Its text names the view in caches and messages, so it must tell things apart.
    type Key: Display;
    /// The facts that this view is made of.
    fn boundary(key: &Self::Key) -> Query;
    /// Takes one matching fact in. Cannot fail, holds no rules.
    fn evolve(&mut self, fact: &Fact);
}

/// A view without its type, for the caller that loads and keeps views.
pub trait AnyView: Send + Sync {
    /// Takes one matching fact in.
    fn evolve(&mut self, fact: &Fact);
    /// A copy.
    fn boxed(&self) -> Box<dyn AnyView>;
    /// The view itself.
    fn as_any(&self) -> &dyn Any;
}

impl<V: View> AnyView for V {
    fn evolve(&mut self, fact: &Fact) {
        View::evolve(self, fact);
    }
    fn boxed(&self) -> Box<dyn AnyView> {
        Box::new(self.clone())
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Which view of which thing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ViewId {
    kind: TypeId,
    name: &'static str,
    key: String,
}

impl ViewId {
    fn of<V: View>(key: &V::Key) -> Self {
        Self { kind: TypeId::of::<V>(), name: std::any::type_name::<V>(), key: key.to_string() }
    }
}

impl Display for ViewId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.name.rsplit("::").next().unwrap_or(self.name), self.key)
    }
}

/// A view that the decision wants and the world does not hold yet.
pub struct Need {
    /// Which one.
    pub id: ViewId,
    /// The facts that it is made of.
    pub query: Query,
    /// The view before any fact.
    pub empty: Box<dyn AnyView>,
}

impl Debug for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Need({})", self.id)
    }
}

/// Part of the append's condition: nothing that matches `query` after `after`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Guard {
    /// What must not have been added.
    pub query: Query,
    /// The position up to which the decision has seen everything that matches.
    pub after: i64,
}

struct Seen {
    view: Arc<dyn AnyView>,
    query: Query,
    position: i64,
}

/// What a decision can see: views, each with the position that it was read at.
#[derive(Default)]
pub struct World {
    seen: HashMap<ViewId, Seen>,
    guards: RefCell<Vec<Guard>>,
    consulted: Cell<bool>,
}

impl World {
    /// A world in which nothing has been read.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a view in that holds every matching fact up to `position`.
    pub fn insert(&mut self, id: ViewId, query: Query, view: impl Into<Arc<dyn AnyView>>, position: i64) {
        self.seen.insert(id, Seen { view: view.into(), query, position });
    }

    /// The view, guarded: the append fails if anything that it is made of has been added since.
    ///
    /// # Errors
    /// [`Need`] until the caller has loaded it.
    pub fn guard<V: View>(&self, key: &V::Key) -> Result<&V, Need> {
        let (seen, view) = self.find::<V>(key)?;
        self.guards.borrow_mut().push(Guard { query: seen.query.clone(), after: seen.position });
        Ok(view)
    }

    /// The view, not guarded: for preferences.
    ///
    /// # Errors
    /// [`Need`] until the caller has loaded it.
    pub fn consult<V: View>(&self, key: &V::Key) -> Result<&V, Need> {
        self.consulted.set(true);
        self.find::<V>(key).map(|(_, view)| view)
    }

    /// Whether anything was consulted: then more was read than the guards protect.
    #[must_use]
    pub fn was_consulted(&self) -> bool {
        self.consulted.get()
    }

    /// Guards `part` of what the consulted view was made of: nothing of it may have been added since that was read.
    ///
    /// # Errors
    /// [`Need`] until the caller has loaded the view.
    pub fn guard_part<V: View>(&self, key: &V::Key, part: Query) -> Result<(), Need> {
        let (seen, _) = self.find::<V>(key)?;
        self.guards.borrow_mut().push(Guard { query: part, after: seen.position });
        Ok(())
    }

    /// The guards collected since the last call, each once.
    #[must_use]
    pub fn take_guards(&self) -> Vec<Guard> {
        let mut taken: Vec<Guard> = Vec::new();
        for guard in self.guards.take() {
            if !taken.contains(&guard) {
                taken.push(guard);
            }
        }
        taken
    }

    fn find<V: View>(&self, key: &V::Key) -> Result<(&Seen, &V), Need> {
        let id = ViewId::of::<V>(key);
        match self.seen.get(&id) {
            Some(seen) => {
                let view = (*seen.view).as_any().downcast_ref().expect("a view is kept under its own type");
                Ok((seen, view))
            }
            None => Err(Need { id, query: V::boundary(key), empty: Box::new(V::default()) }),
        }
    }
}

/// What a decision knows besides the world: passed in, so that it stays pure.
#[derive(Debug, Clone)]
pub struct Context {
    /// The id of the command; a command sent twice has the same one.
    pub command_id: Uuid,
    /// The time at which the command is carried out.
    pub now: DateTime<Utc>,
}

impl Context {
    /// A new id that follows from the command: the same on every attempt. `kind` tells several apart.
    #[must_use]
    pub fn new_id(&self, kind: &str) -> Uuid {
        derived_uuid(kind, &self.command_id.to_string())
    }
}

/// An accepted command: facts to append (perhaps none) and what the caller is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Decided<A> {
    /// The facts, with the time at which they happened by the source's clock; `None` is the time of the command.
    pub events: Vec<(Event, Option<DateTime<Utc>>)>,
    /// What the caller is told.
    pub answer: A,
}

impl<A> Decided<A> {
    /// The wish was already true: nothing to append.
    pub fn nothing(answer: A) -> Self {
        Self { events: Vec::new(), answer }
    }

    /// Facts that happen now.
    pub fn events(events: impl IntoIterator<Item = Event>, answer: A) -> Self {
        Self { events: events.into_iter().map(|event| (event, None)).collect(), answer }
    }

    /// Facts that happened at `at` by the source's clock.
    pub fn events_at(at: DateTime<Utc>, events: impl IntoIterator<Item = Event>, answer: A) -> Self {
        Self { events: events.into_iter().map(|event| (event, Some(at))).collect(), answer }
    }
}

/// A refusal: the rule that was broken, in words and for programs.
pub trait Refused: Display + Debug + Send + Sync + 'static {
    /// Stable code in upper snake case, such as `STAND_OCCUPIED`.
    fn code(&self) -> &'static str;
    /// What the caller needs to act, by name.
    fn details(&self) -> Value;
}

/// What a refusal or a command holds, by name.
pub fn plain(data: &impl Serialize) -> Value {
    serde_json::to_value(data).unwrap_or_else(|error| unreachable!("refusals and commands are plain data: {error}"))
}

/// Why a decision stopped before it was made.
#[derive(Debug)]
pub enum Stop<R> {
    /// It needs to see more.
    Need(Need),
    /// The command is refused.
    Refused(R),
}

impl<R> From<Need> for Stop<R> {
    fn from(need: Need) -> Self {
        Self::Need(need)
    }
}

impl<R: Refused> From<R> for Stop<R> {
    fn from(refusal: R) -> Self {
        Self::Refused(refusal)
    }
}

/// The refusal of decisions that cannot be refused.
impl Refused for std::convert::Infallible {
    fn code(&self) -> &'static str {
        match *self {}
    }
    fn details(&self) -> Value {
        match *self {}
    }
}

/// The outcome of [`Decision::decide`].
pub type Verdict<A, R> = Result<Decided<A>, Stop<R>>;

/// A command and the rule that decides on it. Serialised, it is kept beside a refusal: a field that holds a secret is
/// skipped.
pub trait Decision: Serialize + Send + Sync + 'static {
    /// Stable name, such as `airport.allocate_stand`.
    const NAME: &'static str;
    /// What the caller is told; kept with the command, so that a repeated one gets its first answer.
    type Answer: serde::Serialize + serde::de::DeserializeOwned + Debug + Send + 'static;
    /// Why it can be refused.
    type Refusal: Refused;
    /// The things that it is about, as it names them itself: its refusals are found by them.
    fn things(&self) -> Vec<Tag>;
    /// Decides. Called again from the start whenever the world has grown; so it must not keep anything between calls.
    ///
    /// # Errors
    /// [`Stop::Need`] for views that are not loaded yet, [`Stop::Refused`] for a broken rule.
    fn decide(&self, world: &World, context: &Context) -> Verdict<Self::Answer, Self::Refusal>;
}
