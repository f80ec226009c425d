//! People and keys with their roles. Who they are is not known here: names stand beside the log.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use vigie_domain::Event;
use vigie_domain::identity::{Grant, Holder, IdentityEvent, names};

use crate::engine::row;
use crate::{Entry, FoldError, ReadModel, Rows};

/// Who holds roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    /// A person.
    User,
    /// A program's API key.
    Key,
}

/// Whether somebody can act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountState {
    /// They can, unless a key has expired.
    Active,
    /// Not until they are reactivated.
    Deactivated,
    /// Who they were is forgotten.
    Erased,
    /// The key is refused for good.
    Revoked,
}

/// Somebody who can hold roles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the columns are described in the migration")]
pub struct AccountRow {
    pub id: Uuid,
    pub kind: AccountKind,
    pub state: AccountState,
    pub expires_at: Option<DateTime<Utc>>,
    pub grants: Vec<Grant>,
    pub position: i64,
    pub created_at: DateTime<Utc>,
    pub changed_at: DateTime<Utc>,
}
row!(AccountRow in "accounts" by id: Uuid);

/// People and keys with their roles.
pub struct Accounts;

impl ReadModel for Accounts {
    const NAME: &'static str = "accounts";
    const VERSION: i32 = 1;
    const EVENTS: &'static [&'static str] = &[
        names::USER_CREATED,
        names::USER_DEACTIVATED,
        names::USER_REACTIVATED,
        names::USER_ERASED,
        names::ROLE_GRANTED,
        names::ROLE_REVOKED,
        names::KEY_ISSUED,
        names::KEY_REVOKED,
    ];
    type Rows = (AccountRow,);

    fn keys(entry: &Entry, rows: &mut Rows) {
        if let Some((id, _)) = change(entry) {
            rows.want::<AccountRow>((id,));
        }
    }

    fn fold(entry: &Entry, rows: &mut Rows) -> Result<(), FoldError> {
        let Some((id, change)) = change(entry) else { return Ok(()) };
        match change {
            Change::New(kind, expires_at) => rows.put(&(id,), entry, |_| new(id, kind, expires_at, entry)),
            Change::State(state) => rows.change(&(id,), entry, |row: &mut AccountRow| {
                row.state = state;
                if state != AccountState::Active && state != AccountState::Deactivated {
                    row.grants.clear();
                }
            }),
            Change::Grant(grant, held) => rows.change(&(id,), entry, |row: &mut AccountRow| {
                row.grants.retain(|other| *other != grant);
                if held {
                    row.grants.push(grant);
                    row.grants.sort();
                }
            }),
        }
    }
}

/// What an event does to somebody.
enum Change {
    New(AccountKind, Option<DateTime<Utc>>),
    State(AccountState),
    Grant(Grant, bool),
}

fn change(entry: &Entry) -> Option<(Uuid, Change)> {
    let Event::Identity(event) = entry.event() else { return None };
    let id = |holder: Holder| match holder {
        Holder::User(user) => user.uuid(),
        Holder::Key(key) => key.uuid(),
    };
    Some(match event {
        IdentityEvent::UserCreated(e) => (e.user.uuid(), Change::New(AccountKind::User, None)),
        IdentityEvent::KeyIssued(e) => (e.key.uuid(), Change::New(AccountKind::Key, Some(e.expires_at))),
        IdentityEvent::UserDeactivated(e) => (e.user.uuid(), Change::State(AccountState::Deactivated)),
        IdentityEvent::UserReactivated(e) => (e.user.uuid(), Change::State(AccountState::Active)),
        IdentityEvent::UserErased(e) => (e.user.uuid(), Change::State(AccountState::Erased)),
        IdentityEvent::KeyRevoked(e) => (e.key.uuid(), Change::State(AccountState::Revoked)),
        IdentityEvent::RoleGranted(e) => (id(e.holder), Change::Grant(e.grant(), true)),
        IdentityEvent::RoleRevoked(e) => (id(e.holder), Change::Grant(e.grant(), false)),
        IdentityEvent::PasswordSet(_)
        | IdentityEvent::LinkIssued(_)
        | IdentityEvent::SignedIn(_)
        | IdentityEvent::SignedOut(_)
        | IdentityEvent::SessionEnded(_) => return None,
    })
}

fn new(id: Uuid, kind: AccountKind, expires_at: Option<DateTime<Utc>>, entry: &Entry) -> AccountRow {
    let created_at = entry.stamp().recorded_at;
    let (state, grants) = (AccountState::Active, Vec::new());
    AccountRow { id, kind, state, expires_at, grants, position: 0, created_at, changed_at: created_at }
}
