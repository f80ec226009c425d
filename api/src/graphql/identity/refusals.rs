//! Why accounts cannot be changed, as it is answered.

use std::fmt;

use async_graphql::Error;
use serde_json::{Value, json};
use vigie_commands::Failure;
use vigie_domain::identity::IdentityRefusal;

use super::unavailable;
use crate::accounts::{KeyError, PasswordError, PersonError, SignInError, UserError};
use crate::graphql::command::{failed, told};
use crate::graphql::error::fault;
use crate::graphql::refusal::Told;

/// A refusal with its family.
pub(super) enum Refused {
    AccountRefusal(Told),
}

fn beside(code: &'static str, message: impl fmt::Display, details: Value) -> Refused {
    Refused::AccountRefusal(Told::beside(code, message.to_string(), details))
}

/// A rule of the log.
pub(super) fn refused(refusal: &IdentityRefusal) -> Refused {
    Refused::AccountRefusal(told(refusal))
}

fn by_log(name: &'static str, failure: &Failure<IdentityRefusal>) -> Result<Refused, Error> {
    match failure {
        Failure::Refused(refusal) => Ok(refused(refusal)),
        failure => Err(failed(name, failure)),
    }
}

/// A rule is an answer; anything else is a fault.
pub(super) fn of_user(name: &'static str, error: &UserError) -> Result<Refused, Error> {
    match error {
        UserError::Command(failure) => by_log(name, failure),
        UserError::Person(taken @ PersonError::Taken { username }) => {
            Ok(beside("USERNAME_TAKEN", taken, json!({ "username": username })))
        }
        UserError::Person(text @ (PersonError::Text { .. } | PersonError::Email)) => {
            Ok(beside("TEXT_INVALID", text, Value::Null))
        }
        UserError::Person(nobody @ PersonError::Nobody) => Ok(beside("USER_UNKNOWN", nobody, Value::Null)),
        UserError::Unfit(unfit) => Ok(beside("PASSWORD_UNFIT", unfit, Value::Null)),
        UserError::WrongPassword => Ok(beside("PASSWORD_WRONG", error, Value::Null)),
        UserError::Password(PasswordError::Busy) => Err(fault("BUSY", error.to_string())),
        UserError::Sessions(error) => of_session(name, error),
        UserError::Person(PersonError::Database(_)) | UserError::Password(_) | UserError::Database(_) => {
            Err(unavailable(error))
        }
    }
}

pub(super) fn of_session(name: &'static str, error: &SignInError) -> Result<Refused, Error> {
    match error {
        SignInError::Command(failure) => by_log(name, failure),
        SignInError::Throttled { retry } => Ok(beside("TOO_MANY_SIGN_INS", error, json!({ "retry": retry }))),
        SignInError::Wrong(_) | SignInError::Password(_) | SignInError::Token(_) | SignInError::Database(_) => {
            Err(unavailable(error))
        }
    }
}

pub(super) fn of_key(name: &'static str, error: &KeyError) -> Result<Refused, Error> {
    match error {
        KeyError::Command(failure) => by_log(name, failure),
        KeyError::Name => Ok(beside("KEY_NAME", error, Value::Null)),
        KeyError::Database(_) => Err(unavailable(error)),
    }
}
