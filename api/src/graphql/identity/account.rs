//! People and keys, as they are answered.

use async_graphql::{Context, Enum, Error, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use sqlx::FromRow;
use sqlx::types::Json;
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;
use vigie_domain::identity::{self as domain, UserId};

use super::unavailable;
use crate::accounts::{Accounts, KeyRow as KeyName, Person, find_people};
use crate::graphql::audit::Trail;
use crate::graphql::context::Parts;
use crate::graphql::keyset::{Kind, Part};
use crate::graphql::list::Row;
use crate::graphql::load::Keyed;
use crate::graphql::loader::Load;
use crate::graphql::scalars::Position;

/// What somebody is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, Deserialize)]
#[graphql(remote = "domain::Role")]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    /// Watches.
    Viewer,
    /// Runs the site: allocates, acknowledges, confirms.
    Operator,
    /// Runs the site, and takes back what others did.
    Supervisor,
    /// Reads everything that was ever done.
    Auditor,
    /// Reads, replays and rebuilds.
    Analyst,
    /// Reports what other systems say.
    Integrator,
    /// Sets up sites, people and keys.
    Admin,
}

/// A role, and where it is held.
#[derive(Debug, Clone, Deserialize, SimpleObject)]
pub(crate) struct RoleHeld {
    /// The role.
    role: Role,
    /// At this site; null is everywhere.
    site: Option<ID>,
}

/// Whether somebody can act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub(crate) enum AccountState {
    /// They can, unless a key has expired.
    Active,
    /// Not until they are reactivated.
    Deactivated,
    /// Who they were is forgotten.
    Erased,
    /// The key is refused for good.
    Revoked,
}

/// A row of `read.accounts`.
#[derive(Debug, Clone, FromRow)]
pub(in crate::graphql) struct AccountRow {
    id: Uuid,
    kind: String,
    state: AccountState,
    expires_at: Option<DateTime<Utc>>,
    grants: Json<Vec<RoleHeld>>,
    position: i64,
    created_at: DateTime<Utc>,
    changed_at: DateTime<Utc>,
}

impl AccountRow {
    pub(super) fn is_user(&self) -> bool {
        self.kind == "user"
    }
}

impl Keyed for AccountRow {
    type Key = Uuid;
    const TABLE: &'static str = "accounts";
    const COLUMN: &'static str = "id";
    fn key(&self) -> Uuid {
        self.id
    }
}

impl Row for AccountRow {
    const TABLE: &'static str = "accounts";
    const ORDER: &'static [(&'static str, Kind)] = &[("id", Kind::Id)];
    fn key(&self) -> Vec<Part> {
        vec![Part::Id(self.id)]
    }
}

/// A person who can hold roles.
#[derive(Clone)]
pub(crate) struct User(pub(super) Arc<AccountRow>);

impl From<AccountRow> for User {
    fn from(row: AccountRow) -> Self {
        Self(Arc::new(row))
    }
}

impl User {
    async fn person(&self, ctx: &Context<'_>) -> Result<Option<Person>, Error> {
        ctx.loader::<People>().one(UserId::from(self.0.id)).await
    }
}

#[Object]
impl User {
    /// What the log knows of who it is.
    async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }
    /// What they are called in events: `user:` and the id.
    async fn actor(&self) -> String {
        domain::Holder::User(self.0.id.into()).to_string()
    }
    /// What they sign in with, now; null once they were erased.
    async fn username(&self, ctx: &Context<'_>) -> Result<Option<String>, Error> {
        Ok(self.person(ctx).await?.map(|person| person.username))
    }
    /// Who they are, now; null once they were erased.
    async fn full_name(&self, ctx: &Context<'_>) -> Result<Option<String>, Error> {
        Ok(self.person(ctx).await?.map(|person| person.full_name))
    }
    /// Their address, now, if there is one.
    async fn email(&self, ctx: &Context<'_>) -> Result<Option<String>, Error> {
        Ok(self.person(ctx).await?.and_then(|person| person.email))
    }
    /// What else there is to know of them, now; null once they were erased.
    async fn note(&self, ctx: &Context<'_>) -> Result<Option<String>, Error> {
        Ok(self.person(ctx).await?.map(|person| person.note))
    }
    /// Whether they can act.
    async fn state(&self) -> AccountState {
        self.0.state
    }
    /// Their roles, which rest while they are deactivated.
    async fn roles(&self) -> &[RoleHeld] {
        &self.0.grants
    }
    /// When they were created.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
    /// When their state or a role changed last.
    async fn changed_at(&self) -> DateTime<Utc> {
        self.0.changed_at
    }
    /// The event that did.
    async fn position(&self) -> Position {
        Position(self.0.position)
    }
    /// Who did what to them, newest first.
    async fn audit(&self, ctx: &Context<'_>, first: Option<i32>, after: Option<String>) -> Result<Trail, Error> {
        crate::graphql::audit::trail(ctx, format!("user:{}", self.0.id), first, after).await
    }
}

/// A program that can hold roles, by its key.
#[derive(Clone)]
pub(crate) struct ApiKey(pub(super) Arc<AccountRow>);

impl From<AccountRow> for ApiKey {
    fn from(row: AccountRow) -> Self {
        Self(Arc::new(row))
    }
}

impl ApiKey {
    async fn kept(&self, ctx: &Context<'_>) -> Result<Option<KeyName>, Error> {
        ctx.loader::<KeyNames>().one(self.0.id).await
    }
}

#[Object]
impl ApiKey {
    /// What the log knows it by.
    async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }
    /// What it is called in events: `key:` and the id.
    async fn actor(&self) -> String {
        domain::Holder::Key(self.0.id.into()).to_string()
    }
    /// What it is for; null once it was revoked.
    async fn name(&self, ctx: &Context<'_>) -> Result<Option<String>, Error> {
        Ok(self.kept(ctx).await?.map(|key| key.name))
    }
    /// When it was shown last, to within a minute; null if never, and once it was revoked.
    async fn last_used_at(&self, ctx: &Context<'_>) -> Result<Option<DateTime<Utc>>, Error> {
        Ok(self.kept(ctx).await?.and_then(|key| key.last_used_at))
    }
    /// Whether it works, unless it has expired.
    async fn state(&self) -> AccountState {
        self.0.state
    }
    /// When it stops working.
    async fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.0.expires_at
    }
    /// Its roles.
    async fn roles(&self) -> &[RoleHeld] {
        &self.0.grants
    }
    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
    /// The event that changed it last.
    async fn position(&self) -> Position {
        Position(self.0.position)
    }
}

/// Who people are, for many at once.
pub(in crate::graphql) struct People(pub(super) Accounts);

impl Load for People {
    type Key = UserId;
    type Value = Person;
    async fn load(&self, users: &[UserId]) -> Result<HashMap<UserId, Person>, Error> {
        let people = find_people(self.0.pool(), users).await.map_err(|error| unavailable(&error))?;
        Ok(people.into_iter().map(|person| (person.user, person)).collect())
    }
}

/// What keys are for, for many at once.
pub(in crate::graphql) struct KeyNames(pub(super) Accounts);

impl Load for KeyNames {
    type Key = Uuid;
    type Value = KeyName;
    async fn load(&self, keys: &[Uuid]) -> Result<HashMap<Uuid, KeyName>, Error> {
        let names = self.0.keys_of(keys).await.map_err(|error| unavailable(&error))?;
        Ok(names.into_iter().map(|key| (key.key, key)).collect())
    }
}
