//! Making and changing users and keys.

use async_graphql::{Context, Error, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use uuid::Uuid;
use vigie_commands::Done;
use vigie_domain::identity::{EndReason, GrantRole, Holder, KeyId, ReactivateUser, RevokeRole, SessionId, UserId};
use vigie_domain::kernel::Decision;

use super::account::{AccountRow, ApiKey, User};
use super::inputs::*;
use super::refusals::{Refused, of_key, of_session, of_user, refused};
use super::{ACCOUNTS, signed_in, user_of};
use crate::accounts::{Accounts, Changes, Details, NewUser, UserError, Username};
use crate::clock;
use crate::graphql::command::{Receipt, carry_out, order, receipt as read};
use crate::graphql::context::Parts;
use crate::graphql::error::{argument, fault};
use crate::graphql::load::ByKey;
use crate::graphql::refusal::{AccountRefusal, results};

/// The user is as wished.
#[derive(SimpleObject)]
pub(crate) struct UserPayload {
    #[graphql(flatten)]
    receipt: Receipt,
    /// The user.
    user: Option<User>,
}

/// The user is changed; nothing of it is in the log.
#[derive(SimpleObject)]
pub(crate) struct ChangedUserPayload {
    /// The user.
    user: Option<User>,
}

/// The role is held, or not any more.
#[derive(SimpleObject)]
pub(crate) struct RolePayload {
    #[graphql(flatten)]
    receipt: Receipt,
    /// The user, if it is one.
    user: Option<User>,
    /// The key, if it is one.
    key: Option<ApiKey>,
}

/// The key is made.
#[derive(SimpleObject)]
pub(crate) struct IssuedKeyPayload {
    #[graphql(flatten)]
    receipt: Receipt,
    /// The key itself, to be sent as `Authorization: Bearer …`. It is shown this once: null when the command is repeated.
    secret: Option<String>,
    /// What is known of it.
    key: Option<ApiKey>,
}

/// The key is refused from now on.
#[derive(SimpleObject)]
pub(crate) struct RevokedKeyPayload {
    #[graphql(flatten)]
    receipt: Receipt,
    /// The key.
    key: Option<ApiKey>,
}

/// The session is over.
#[derive(SimpleObject)]
pub(crate) struct SessionPayload {
    #[graphql(flatten)]
    receipt: Receipt,
    /// The session.
    session: ID,
}

/// A link by which a user can sign in.
#[derive(SimpleObject)]
pub(crate) struct LinkPayload {
    /// Where it leads: a path of this server. It works once.
    path: String,
    /// When it stops working.
    expires_at: DateTime<Utc>,
}

results! {
    /// The user, or the rule that forbids it.
    UserResult = UserPayload, Refused [AccountRefusal];
    /// The user, or the rule that forbids it.
    ChangedUserResult = ChangedUserPayload, Refused [AccountRefusal];
    /// Who holds the role, or the rule that forbids it.
    RoleResult = RolePayload, Refused [AccountRefusal];
    /// The key, or the rule that forbids it.
    IssuedKeyResult = IssuedKeyPayload, Refused [AccountRefusal];
    /// The key, or the rule that forbids it.
    RevokedKeyResult = RevokedKeyPayload, Refused [AccountRefusal];
    /// The session, or the rule that forbids it.
    SessionResult = SessionPayload, Refused [AccountRefusal];
    /// The link, or the rule that forbids it.
    LinkResult = LinkPayload, Refused [AccountRefusal];
}

/// Mutations of users and keys.
#[derive(Default)]
pub(crate) struct IdentityMutation;

#[Object]
impl IdentityMutation {
    /// Makes a user. Who they are is kept beside the log, what they may do in it.
    async fn create_user(&self, ctx: &Context<'_>, input: CreateUserInput) -> Result<UserResult, Error> {
        let username = argument("input.username", Username::new(&input.username))?;
        let grants = RoleInput::read_all(&input.roles)?;
        let details = Details { username, full_name: input.full_name, email: input.email, note: input.note };
        let order = order(ctx, input.command_id).await;
        match accounts(ctx).create_user(NewUser { details, grants, first: false }, order.clone()).await {
            Ok(done) => user_result(ctx, done, order.command_id).await,
            Err(error) => of_user("identity.create_user", &error).map(Into::into),
        }
    }

    /// Changes who a user is, not what they may do.
    async fn change_user(&self, ctx: &Context<'_>, input: ChangeUserInput) -> Result<ChangedUserResult, Error> {
        let user: UserId = argument("input.user", input.user.parse())?;
        let username = input.username.as_deref().map(|name| argument("input.username", Username::new(name)));
        let ChangeUserInput { full_name, email, note, .. } = input;
        let changes = Changes { username: username.transpose()?, full_name, email, note };
        if let Err(error) = crate::accounts::change_person(accounts(ctx).pool(), user, &changes, clock::now()).await {
            return of_user("identity.change_user", &UserError::Person(error)).map(Into::into);
        }
        Ok(ChangedUserPayload { user: user_of(ctx, user).await? }.into())
    }

    /// Takes everything from a user and ends their sessions, until they are reactivated.
    async fn deactivate_user(&self, ctx: &Context<'_>, input: UserInput) -> Result<UserResult, Error> {
        let (user, order) = (argument("input.user", input.user.parse())?, order(ctx, input.command_id).await);
        match accounts(ctx).deactivate_user(user, order.clone()).await {
            Ok(done) => user_result(ctx, done, order.command_id).await,
            Err(error) => of_user("identity.deactivate_user", &error).map(Into::into),
        }
    }

    /// Lets a deactivated user hold their roles again.
    async fn reactivate_user(&self, ctx: &Context<'_>, input: UserInput) -> Result<UserResult, Error> {
        let command = ReactivateUser { user: argument("input.user", input.user.parse())? };
        match carry_out(ctx, command, input.command_id, &[ACCOUNTS]).await? {
            Ok((receipt, user)) => Ok(UserPayload { user: readable_user(ctx, &receipt, user).await?, receipt }.into()),
            Err(refusal) => Ok(refused(&refusal).into()),
        }
    }

    /// Forgets who a user was, for good. What they did stays, under an id that names nobody.
    async fn erase_user(&self, ctx: &Context<'_>, input: UserInput) -> Result<UserResult, Error> {
        let (user, order) = (argument("input.user", input.user.parse())?, order(ctx, input.command_id).await);
        match accounts(ctx).erase_user(user, order.clone()).await {
            Ok(done) => user_result(ctx, done, order.command_id).await,
            Err(error) => of_user("identity.erase_user", &error).map(Into::into),
        }
    }

    /// Makes a link by which a user can sign in once within 15 minutes.
    async fn issue_sign_in_link(&self, ctx: &Context<'_>, input: UserInput) -> Result<LinkResult, Error> {
        let (user, order) = (argument("input.user", input.user.parse())?, order(ctx, input.command_id).await);
        let life = chrono::TimeDelta::minutes(15);
        match accounts(ctx).issue_link(user, life, order).await {
            Ok((link, expires_at)) => {
                Ok(LinkPayload { path: format!("/sign-in#link={}", link.show()), expires_at }.into())
            }
            Err(error) => of_user("identity.issue_link", &error).map(Into::into),
        }
    }

    /// Gives a user or key a role.
    async fn grant_role(&self, ctx: &Context<'_>, input: RoleOfInput) -> Result<RoleResult, Error> {
        let (holder, grant) = (input.holder()?, input.role.read("input.role")?);
        role(ctx, holder, GrantRole { holder, grant }, input.command_id).await
    }

    /// Takes a role from a user or key, where it was granted.
    async fn revoke_role(&self, ctx: &Context<'_>, input: RoleOfInput) -> Result<RoleResult, Error> {
        let (holder, grant) = (input.holder()?, input.role.read("input.role")?);
        role(ctx, holder, RevokeRole { holder, grant }, input.command_id).await
    }

    /// Makes an API key for a program.
    async fn issue_key(&self, ctx: &Context<'_>, input: IssueKeyInput) -> Result<IssuedKeyResult, Error> {
        let (grants, order) = (RoleInput::read_all(&input.roles)?, order(ctx, input.command_id).await);
        match accounts(ctx).issue_key(&input.name, grants, input.expires_at, order.clone()).await {
            Ok((done, secret)) => {
                let receipt = receipt(ctx, &done, order.command_id, &[ACCOUNTS]).await;
                let key = readable_key(ctx, &receipt, done.answer).await?;
                let secret = secret.map(|secret| secret.show().to_owned());
                Ok(IssuedKeyPayload { receipt, secret, key }.into())
            }
            Err(error) => of_key("identity.issue_key", &error).map(Into::into),
        }
    }

    /// Refuses an API key from now on, for good.
    async fn revoke_key(&self, ctx: &Context<'_>, input: RevokeKeyInput) -> Result<RevokedKeyResult, Error> {
        let (key, order) = (argument("input.key", input.key.parse())?, order(ctx, input.command_id).await);
        match accounts(ctx).revoke_key(key, order.clone()).await {
            Ok(done) => {
                let receipt = receipt(ctx, &done, order.command_id, &[ACCOUNTS]).await;
                let key = readable_key(ctx, &receipt, done.answer).await?;
                Ok(RevokedKeyPayload { receipt, key }.into())
            }
            Err(error) => of_key("identity.revoke_key", &error).map(Into::into),
        }
    }

    /// Ends somebody's session.
    async fn end_session(&self, ctx: &Context<'_>, input: EndSessionInput) -> Result<SessionResult, Error> {
        let session: SessionId = argument("input.session", input.session.parse())?;
        let order = order(ctx, input.command_id).await;
        match accounts(ctx).end(session, EndReason::Administrator, order.clone()).await {
            Ok(done) => {
                let receipt = receipt(ctx, &done, order.command_id, &[]).await;
                Ok(SessionPayload { receipt, session: ID(session.to_string()) }.into())
            }
            Err(error) => of_session("identity.end_session", &error).map(Into::into),
        }
    }

    /// Gives oneself another password; the other sessions that one has end.
    async fn change_password(&self, ctx: &Context<'_>, input: ChangePasswordInput) -> Result<UserResult, Error> {
        let Some((user, subject)) = signed_in(ctx) else {
            return Err(fault("FORBIDDEN", "only a person who is signed in has a password"));
        };
        let order = order(ctx, None).await;
        let (present, next) = (input.present.as_str(), input.next.as_str());
        let changed = accounts(ctx)
            .change_password((user, subject), (present, next), ctx.caller().arrival.address, order.clone())
            .await;
        match changed {
            Ok(done) => user_result(ctx, done, order.command_id).await,
            Err(error) => of_user("identity.set_password", &error).map(Into::into),
        }
    }
}

/// What is told of a command once the read models show it, and once who may do what is what it says.
async fn receipt<A>(ctx: &Context<'_>, done: &Done<A>, command_id: Uuid, models: &[&str]) -> Receipt {
    ctx.services().directory.reached(done.position).await;
    read(ctx, done, command_id, models).await
}

fn accounts<'a>(ctx: &Context<'a>) -> &'a Accounts {
    &ctx.data_unchecked::<crate::graphql::Services>().accounts
}

async fn user_result(ctx: &Context<'_>, done: Done<UserId>, command_id: Uuid) -> Result<UserResult, Error> {
    let receipt = receipt(ctx, &done, command_id, &[ACCOUNTS]).await;
    Ok(UserPayload { user: readable_user(ctx, &receipt, done.answer).await?, receipt }.into())
}

async fn role<D>(ctx: &Context<'_>, holder: Holder, command: D, command_id: Option<Uuid>) -> Result<RoleResult, Error>
where
    D: Decision<Refusal = vigie_domain::identity::IdentityRefusal>,
{
    let receipt = match carry_out(ctx, command, command_id, &[ACCOUNTS]).await? {
        Ok((receipt, _)) => receipt,
        Err(refusal) => return Ok(refused(&refusal).into()),
    };
    let (user, key) = match holder {
        Holder::User(user) => (readable_user(ctx, &receipt, user).await?, None),
        Holder::Key(key) => (None, readable_key(ctx, &receipt, key).await?),
    };
    Ok(RolePayload { receipt, user, key }.into())
}

async fn readable_user(ctx: &Context<'_>, receipt: &Receipt, user: UserId) -> Result<Option<User>, Error> {
    if receipt.is_readable() { user_of(ctx, user).await } else { Ok(None) }
}

async fn readable_key(ctx: &Context<'_>, receipt: &Receipt, key: KeyId) -> Result<Option<ApiKey>, Error> {
    if !receipt.is_readable() {
        return Ok(None);
    }
    Ok(ctx.loader::<ByKey<AccountRow>>().one(key.uuid()).await?.map(ApiKey))
}
