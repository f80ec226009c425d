//! Accounts: who somebody is, and how that is proved.
//!
//! The log knows people and programs by their ids alone, and holds what they may do ([`vigie_domain::identity`]). Who they
//! are stands beside it, in tables that can be erased: names, hashes of passwords, sessions and keys. What must stay true:
//! no secret is kept in a form that works, no text that a person wrote reaches an event, and nobody can tell from an answer
//! or its time whether a username exists.

mod attempts;
mod authenticate;
mod keys;
mod links;
mod parts;
mod passwords;
mod people;
mod principal;
mod secret;
mod sessions;
mod sign_in;
mod through_provider;
mod tokens;
mod username;
mod users;

pub(crate) use attempts::{Attempt, Keep, newest as newest_attempts, prune};
pub(crate) use authenticate::{SESSION_COOKIES, read_cookie};
pub(crate) use keys::{KeyError, KeyRow};
pub use parts::{Accounts, AccountsError};
pub(crate) use passwords::PasswordError;
pub(crate) use people::{
    Changes, Details, Person, PersonError, by_username as person_called, change as change_person, find as find_people,
};
pub(crate) use principal::{Principal, Subject, Unauthenticated};
pub(crate) use secret::Secret;
pub(crate) use sign_in::{Holds, Opened, SignInError};
pub(crate) use through_provider::ThroughError;
pub(crate) use tokens::Tokens;
pub(crate) use username::Username;
pub(crate) use users::{NewUser, UserError};

#[cfg(test)]
mod tests;
