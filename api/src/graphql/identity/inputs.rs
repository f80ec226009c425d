//! What is asked for of accounts.

use std::collections::BTreeSet;

use async_graphql::{Error, ID, InputObject};
use chrono::{DateTime, Utc};
use uuid::Uuid;
use vigie_domain::identity::{Grant, Holder};
use vigie_domain::support::SiteId;

use super::account::Role;
use crate::graphql::error::{argument, bad_input, optional};

/// A role, and where it is to be held.
#[derive(Debug, InputObject)]
pub(crate) struct RoleInput {
    /// The role.
    role: Role,
    /// At this site; without one everywhere, also at sites that are set up later.
    site: Option<ID>,
}

impl RoleInput {
    pub(super) fn read(&self, name: &str) -> Result<Grant, Error> {
        let site = optional(&format!("{name}.site"), self.site.as_ref().map(|site| site.as_str()), SiteId::new)?;
        Ok(Grant { role: self.role.into(), site })
    }

    pub(super) fn read_all(roles: &[Self]) -> Result<BTreeSet<Grant>, Error> {
        roles.iter().map(|role| role.read("input.roles")).collect()
    }
}

/// Somebody who is to be a user.
#[derive(Debug, InputObject)]
pub(crate) struct CreateUserInput {
    /// Sent again with the same id, the command gets its first answer.
    pub(super) command_id: Option<Uuid>,
    /// What they sign in with: 1 to 64 of `a` to `z`, `A` to `Z`, `0` to `9` and `. _ @ -`.
    pub(super) username: String,
    /// Who they are: at most 500 characters.
    #[graphql(default)]
    pub(super) full_name: String,
    /// Their address.
    pub(super) email: Option<String>,
    /// What else there is to know: at most 500 characters.
    #[graphql(default)]
    pub(super) note: String,
    /// What they may do from the start.
    #[graphql(default)]
    pub(super) roles: Vec<RoleInput>,
}

/// What is to be changed of a user; what is left out stays as it is.
#[derive(Debug, InputObject)]
pub(crate) struct ChangeUserInput {
    /// Who.
    pub(super) user: ID,
    /// What they sign in with.
    pub(super) username: Option<String>,
    /// Who they are.
    pub(super) full_name: Option<String>,
    /// Their address; empty for none.
    pub(super) email: Option<String>,
    /// What else there is to know.
    pub(super) note: Option<String>,
}

/// A user to whom something is to happen.
#[derive(Debug, InputObject)]
pub(crate) struct UserInput {
    /// Sent again with the same id, the command gets its first answer.
    pub(super) command_id: Option<Uuid>,
    /// Who.
    pub(super) user: ID,
}

/// A role to be given or taken: name a user or a key.
#[derive(Debug, InputObject)]
pub(crate) struct RoleOfInput {
    /// Sent again with the same id, the command gets its first answer.
    pub(super) command_id: Option<Uuid>,
    /// The user.
    user: Option<ID>,
    /// The key.
    key: Option<ID>,
    /// What, and where.
    pub(super) role: RoleInput,
}

impl RoleOfInput {
    pub(super) fn holder(&self) -> Result<Holder, Error> {
        match (&self.user, &self.key) {
            (Some(user), None) => Ok(Holder::User(argument("input.user", user.parse())?)),
            (None, Some(key)) => Ok(Holder::Key(argument("input.key", key.parse())?)),
            (None, None) | (Some(_), Some(_)) => Err(bad_input("input", "name either a user or a key")),
        }
    }
}

/// An API key to be made.
#[derive(Debug, InputObject)]
pub(crate) struct IssueKeyInput {
    /// Sent again with the same id, the command gets its first answer, without the key itself.
    pub(super) command_id: Option<Uuid>,
    /// What it is for: 1 to 80 characters.
    pub(super) name: String,
    /// When it stops working: within 366 days.
    pub(super) expires_at: DateTime<Utc>,
    /// What it may do.
    pub(super) roles: Vec<RoleInput>,
}

/// An API key to be refused.
#[derive(Debug, InputObject)]
pub(crate) struct RevokeKeyInput {
    /// Sent again with the same id, the command gets its first answer.
    pub(super) command_id: Option<Uuid>,
    /// Which one.
    pub(super) key: ID,
}

/// A session to be ended.
#[derive(Debug, InputObject)]
pub(crate) struct EndSessionInput {
    /// Sent again with the same id, the command gets its first answer.
    pub(super) command_id: Option<Uuid>,
    /// Which one, as the event of its sign-in names it.
    pub(super) session: ID,
}

/// Another password for oneself.
#[derive(Debug, InputObject)]
pub(crate) struct ChangePasswordInput {
    /// The one of today.
    #[graphql(secret)]
    pub(super) present: String,
    /// The one from now on.
    #[graphql(secret)]
    pub(super) next: String,
}
