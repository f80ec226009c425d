//! Who may do what now: a fold of the facts about people, keys, roles and sessions, in memory.
//!
//! It follows the log itself and no read model, so that nobody keeps their rights because somebody has paused one. While
//! it does not follow, nobody holds any.

mod person;
mod watching;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use tokio::sync::watch;
use vigie_domain::Event;
use vigie_domain::identity::{Holder, IdentityEvent, SessionId};
use vigie_eventlog::{Log, LogError, Query, Recorded};

use super::{Rights, Sites};
use person::Person;
pub(super) use person::Standing;
pub(crate) use watching::{Lapse, Watching};

/// Who may do what now. Clones share it.
#[derive(Clone)]
pub struct Directory(Arc<Shared>);

struct Shared {
    people: RwLock<HashMap<Holder, Known>>,
    followed: watch::Sender<Followed>,
}

/// Somebody, and what is told to whoever watches them.
struct Known {
    person: Person,
    told: watch::Sender<Standing>,
}

impl Default for Known {
    fn default() -> Self {
        let person = Person::default();
        let told = watch::channel(person.standing()).0;
        Self { person, told }
    }
}

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Followed {
    position: i64,
    /// It does not go on: what it says may be wrong.
    lost: bool,
}

/// Who asks: a person or key, by the session that they are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Who {
    /// Whose rights count.
    pub(crate) holder: Holder,
    /// The session of a person; keys have none.
    pub(crate) session: Option<SessionId>,
}

/// Why somebody may do nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Denied {
    /// There is no such person or key, they may not act at present, or the session is over.
    #[error("this session, access token or API key is not valid, or not any more")]
    Ended,
    /// It cannot be told.
    #[error("who may do what cannot be told at present")]
    Lost,
}

impl Denied {
    /// As errors name it.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Ended => "UNAUTHENTICATED",
            Self::Lost => "UNAVAILABLE",
        }
    }
}

impl Directory {
    /// Folds what the log holds, and follows it from there until the log is closed.
    ///
    /// # Errors
    /// The log cannot be read, or facts about people are archived.
    pub async fn start(log: &Log) -> Result<Self, LogError> {
        let (followed, _) = watch::channel(Followed { position: 0, lost: false });
        let directory = Self(Arc::new(Shared { people: RwLock::default(), followed }));
        let head = log.head().await?;
        let mut follower = log.follow(Query::kinds(IdentityEvent::TYPES.iter().map(|known| known.name)), 0);
        while directory.position() < head {
            let step = follower.next().await?;
            directory.take(&step.events, step.position);
        }
        let own = directory.clone();
        tokio::spawn(async move {
            loop {
                match follower.next().await {
                    Ok(step) => own.take(&step.events, step.position),
                    Err(LogError::Closed) => break,
                    Err(error) => {
                        tracing::error!(error = %error, "facts about people cannot be read: nobody may do anything");
                        break;
                    }
                }
            }
            own.lose();
        });
        Ok(directory)
    }

    /// One in which nobody is known, for a server without accounts.
    #[must_use]
    pub fn of_nobody() -> Self {
        let (followed, _) = watch::channel(Followed { position: i64::MAX, lost: false });
        Self(Arc::new(Shared { people: RwLock::default(), followed }))
    }

    /// Whether there is neither a person nor a key.
    #[must_use]
    pub fn knows_nobody(&self) -> bool {
        self.0.people.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// What somebody may do now.
    ///
    /// # Errors
    /// Nothing.
    pub(crate) fn rights(&self, who: Who, now: DateTime<Utc>) -> Result<Arc<Rights>, Denied> {
        if self.0.followed.borrow().lost {
            return Err(Denied::Lost);
        }
        let people = self.0.people.read().unwrap_or_else(PoisonError::into_inner);
        let told = people.get(&who.holder).ok_or(Denied::Ended)?.told.borrow();
        told.rights(who.session, now)
    }

    /// Whether somebody may have acted at one of these sites: they hold or held a role there, or everywhere.
    pub(crate) fn may_have_acted_at(&self, holder: Holder, sites: &Sites) -> bool {
        let people = self.0.people.read().unwrap_or_else(PoisonError::into_inner);
        people.get(&holder).is_some_and(|known| known.person.may_have_acted_at(sites))
    }

    /// Tells when what somebody may do changes; nothing about who is not known.
    pub(crate) fn watch(&self, who: Who) -> Option<Watching> {
        let people = self.0.people.read().unwrap_or_else(PoisonError::into_inner);
        let standing = people.get(&who.holder)?.told.subscribe();
        Some(Watching::new(who.session, standing, self.0.followed.subscribe()))
    }

    /// Waits until everything up to `position` holds here.
    pub(crate) async fn reached(&self, position: i64) {
        let mut followed = self.0.followed.subscribe();
        // The sender lives as long as this.
        let _ = followed.wait_for(|followed| followed.lost || followed.position >= position).await;
    }

    fn position(&self) -> i64 {
        self.0.followed.borrow().position
    }

    fn take(&self, events: &[Arc<Recorded>], position: i64) {
        for event in events {
            match Event::decode(&event.kind, event.version, event.data.get()) {
                Ok(Event::Identity(fact)) => self.fold(&fact, event.recorded_at),
                Ok(_) => {}
                Err(error) => {
                    // A newer program has written it. To go on as if nothing had been said could leave somebody a right.
                    tracing::error!(event.position, error = %error, "a fact about people cannot be read");
                    self.lose();
                }
            }
        }
        self.0.followed.send_modify(|followed| followed.position = position);
    }

    fn fold(&self, fact: &IdentityEvent, at: DateTime<Utc>) {
        let Some(holder) = person::about(fact) else { return };
        let mut people = self.0.people.write().unwrap_or_else(PoisonError::into_inner);
        let known = people.entry(holder).or_default();
        if known.person.take(fact, at) {
            known.told.send_replace(known.person.standing());
        }
    }

    fn lose(&self) {
        self.0.followed.send_modify(|followed| followed.lost = true);
    }
}
