//! Making, changing and erasing users.

use std::collections::BTreeSet;

use uuid::Uuid;
use vigie_commands::{Done, Failure, Order, refusals};
use vigie_domain::identity::{
    CreateUser, DeactivateUser, EndReason, EraseUser, Grant, Holder, IdentityRefusal, SetPassword, UserId,
};
use vigie_domain::kernel::Decision;

use super::parts::order_of_itself;
use super::passwords::{Checked, PasswordError, Unfit};
use super::people::{self, Details, PersonError};
use super::principal::named;
use super::sign_in::SignInError;
use super::{Accounts, Subject, keys, sessions};
use crate::clock;

/// Somebody who is to be a user.
#[derive(Debug, Clone)]
pub(crate) struct NewUser {
    pub(crate) details: Details,
    pub(crate) grants: BTreeSet<Grant>,
    /// Only if nobody administrates everything yet.
    pub(crate) first: bool,
}

/// Why a user is not made, changed or erased.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UserError {
    /// The person cannot be written down.
    #[error(transparent)]
    Person(#[from] PersonError),
    /// A rule forbids it, or the log failed.
    #[error("refused")]
    Command(#[from] Failure<IdentityRefusal>),
    /// The password may not be chosen.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// The password that should be replaced is another.
    #[error("the present password is not right")]
    WrongPassword,
    /// The passwords cannot be worked with now.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// Sessions cannot be ended.
    #[error(transparent)]
    Sessions(#[from] SignInError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl Accounts {
    /// Makes a user. The same command again makes nobody else.
    pub(crate) async fn create_user(&self, new: NewUser, order: Order) -> Result<Done<UserId>, UserError> {
        let user = UserId::from(Uuid::now_v7());
        if let Err(error) = people::insert(self.pool(), user, &new.details, clock::now()).await {
            return match (&error, self.made_before(&order).await) {
                (PersonError::Taken { .. }, Some(before)) => Ok(before),
                _ => Err(error.into()),
            };
        }
        // The name is held from here on; whoever gets no user gives it back.
        let command = CreateUser { user, grants: new.grants, first: new.first };
        let done = self.executor().execute(&command, order).await;
        if done.as_ref().map_or(true, |done| done.answer != user) {
            people::erase(self.pool(), user).await?;
        }
        Ok(done?)
    }

    /// Whom this very command has made.
    async fn made_before(&self, order: &Order) -> Option<Done<UserId>> {
        let appended = self.executor().log().appended(order.command_id).await.ok().flatten()?;
        let answer = appended.answer.filter(|_| appended.command == CreateUser::NAME)?;
        let answer = serde_json::from_str(answer.get()).ok()?;
        Some(Done { answer, position: appended.last, appended: 0, retries: 0 })
    }

    /// Carries a command out that changes nothing beside the log.
    pub(crate) async fn carry_out<D>(&self, command: &D, order: Order) -> Result<Done<D::Answer>, UserError>
    where
        D: Decision<Refusal = IdentityRefusal>,
    {
        Ok(self.executor().execute(command, order).await?)
    }

    /// Takes everything from a user, and ends their sessions.
    pub(crate) async fn deactivate_user(&self, user: UserId, order: Order) -> Result<Done<UserId>, UserError> {
        let done = self.executor().execute(&DeactivateUser { user }, order).await?;
        for session in sessions::of(self.pool(), user).await? {
            self.remove(session).await?;
        }
        sqlx::query!("delete from sign_in_link where user_id = $1", user.uuid()).execute(self.pool()).await?;
        Ok(done)
    }

    /// Forgets who a user was: what is beside the log is removed, and what is in it names nobody. Where it is cut off, the
    /// same again goes on, so what the rest is found by goes last.
    pub(crate) async fn erase_user(&self, user: UserId, order: Order) -> Result<Done<UserId>, UserError> {
        let done = self.executor().execute(&EraseUser { user }, order).await?;
        for session in sessions::of(self.pool(), user).await? {
            self.remove(session).await?;
        }
        refusals::forget(self.pool(), named(Holder::User(user)).as_str()).await?;
        keys::unname(self.pool(), user).await?;
        people::erase(self.pool(), user).await?;
        Ok(done)
    }

    /// Gives a user a password, and ends the sessions that they had, but that of whoever asks.
    pub(crate) async fn set_password(
        &self,
        user: UserId,
        password: &str,
        stays: Subject,
        order: Order,
    ) -> Result<Done<UserId>, UserError> {
        let person = people::find(self.pool(), &[user]).await?.pop().ok_or(PersonError::Nobody)?;
        self.passwords().check_choice(password, &person.username)??;
        let hash = self.passwords().hash(password).await?;
        let done = self.executor().execute(&SetPassword { user }, order).await?;
        people::keep_password(self.pool(), user, &hash, clock::now()).await?;
        for session in sessions::of(self.pool(), user).await? {
            if !matches!(stays, Subject::User { session: own, .. } if own == session) {
                self.end(session, EndReason::PasswordSet, order_of_itself()).await?;
            }
        }
        Ok(done)
    }

    /// Gives a user another password who knows the present one.
    pub(crate) async fn change_password(
        &self,
        (user, subject): (UserId, Subject),
        (present, next): (&str, &str),
        address: crate::limits::Address,
        order: Order,
    ) -> Result<Done<UserId>, UserError> {
        const METHOD: vigie_domain::identity::SignInMethod = vigie_domain::identity::SignInMethod::Password;
        let person = people::find(self.pool(), &[user]).await?.pop().ok_or(PersonError::Nobody)?;
        self.throttle(&person.username, Some(user), METHOD, address).await?;
        let kept = people::password_of(self.pool(), user).await?;
        match self.passwords().check(present, kept).await? {
            Checked::Right(_) => self.set_password(user, next, subject, order).await,
            Checked::Wrong => Err(UserError::WrongPassword),
        }
    }
}
