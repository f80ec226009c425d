//! People, API keys and sign-ins. What they may do is in the log and can be asked as it was; who they are stands beside it,
//! and is always what it is now.

mod account;
mod inputs;
mod mutations;
mod names;
mod refusals;
mod sign_ins;

use std::sync::Arc;

use async_graphql::{Context, Data, Error, ID, Object, SimpleObject};
use vigie_domain::identity::{Holder, UserId};

pub(in crate::graphql) use account::{AccountRow, ApiKey, User};
pub(in crate::graphql) use mutations::IdentityMutation;
pub(in crate::graphql) use names::{Names, name_of};

use super::context::Parts;
use super::error::{argument, bad_input, fault};
use super::list::{List, equals, list};
use super::load::{ByKey, by_key};
use super::loader::Loader;
use super::page::{MAX, Page};
use super::snapshot::Snapshot;
use crate::accounts::{Accounts, Subject, newest_attempts};
use crate::rights::{Right, Sites, Who};
use account::{KeyNames, People};
use sign_ins::FailedSignIn;

/// The read model of who can hold roles.
const ACCOUNTS: &str = "accounts";

pub(in crate::graphql) fn loaders(data: &mut Data, snapshot: &Snapshot) {
    data.insert(by_key::<AccountRow>(snapshot));
}

/// Loaders of what stands beside the log, which has one state only.
pub(in crate::graphql) fn register<Q, M, S>(
    schema: async_graphql::SchemaBuilder<Q, M, S>,
    accounts: &Accounts,
) -> async_graphql::SchemaBuilder<Q, M, S> {
    schema
        .data(Names::loader(accounts))
        .data(Loader::new(People(accounts.clone())))
        .data(Loader::new(KeyNames(accounts.clone())))
}

/// Queries about people and keys.
#[derive(Default)]
pub(crate) struct IdentityQuery;

#[Object]
impl IdentityQuery {
    /// Everybody who can sign in or could, in the order in which they were created.
    async fn users(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<List<User>, Error> {
        let page = Page::new(first, after, last, before)?;
        list::<AccountRow, User>(ctx, page, Arc::new(|sql, _| equals(sql, "kind", Some("user")))).await
    }

    /// One of them.
    async fn user(&self, ctx: &Context<'_>, id: ID) -> Result<Option<User>, Error> {
        let user: UserId = argument("id", id.parse())?;
        user_of(ctx, user).await
    }

    /// The API keys of programs, in the order in which they were made.
    async fn api_keys(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<List<ApiKey>, Error> {
        let page = Page::new(first, after, last, before)?;
        list::<AccountRow, ApiKey>(ctx, page, Arc::new(|sql, _| equals(sql, "kind", Some("key")))).await
    }
}

/// Queries about what stands beside the log, and has no past.
#[derive(Default)]
pub(crate) struct AccountsQuery;

#[Object]
impl AccountsQuery {
    /// Who asks.
    async fn me(&self, ctx: &Context<'_>) -> Result<Me, Error> {
        let user = match signed_in(ctx) {
            Some((user, _)) => user_of(ctx, user).await?,
            None => None,
        };
        let actor = ctx.caller().actor.as_str().to_owned();
        Ok(Me { name: name_of(ctx, &actor).await?, actor, user })
    }

    /// Sign-ins that failed, newest first. The next page is what comes before the last one's id. Sign-ins themselves are
    /// events (`identity.signed_in`).
    async fn failed_sign_ins(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 50)] first: i32,
        before: Option<i64>,
    ) -> Result<Vec<FailedSignIn>, Error> {
        // They are of no site.
        if ctx.caller().rights.sites(Right::Audit) != Sites::All {
            return Err(fault("FORBIDDEN", "failed sign-ins are shown to those who hold AUDIT everywhere"));
        }
        if !(0..=MAX).contains(&first) {
            return Err(bad_input("first", format!("0 to {MAX} can be asked for")));
        }
        let attempts = newest_attempts(ctx.services().accounts.pool(), before, first.into()).await;
        Ok(attempts.map_err(|error| unavailable(&error))?.into_iter().map(FailedSignIn).collect())
    }

    /// What the log calls people and keys (`user:…`, `key:…`), by the names that they have now; null for who was erased, and
    /// for everybody else who acts: policies, feeds, the command line. Named are those who hold or ever held a role at a
    /// site that the caller sees, or everywhere, and the caller: nobody else has done what the caller may see.
    async fn actor_names(&self, ctx: &Context<'_>, actors: Vec<String>) -> Result<Vec<Option<String>>, Error> {
        if actors.len() > 200 {
            return Err(bad_input("actors", "at most 200 can be asked for"));
        }
        let shown = actors.iter().filter(|actor| may_name(ctx, actor)).cloned().collect();
        let names = ctx.loader::<Names>().many(shown).await?;
        Ok(actors.iter().map(|actor| names.get(actor).cloned()).collect())
    }
}

/// Whether the caller may be told what somebody is called.
fn may_name(ctx: &Context<'_>, actor: &str) -> bool {
    let (caller, directory) = (ctx.caller(), &ctx.services().directory);
    match caller.rights.sites(Right::Read) {
        Sites::All => true,
        _ if caller.actor.as_str() == actor => true,
        seen => Holder::new(actor).is_ok_and(|holder| directory.may_have_acted_at(holder, &seen)),
    }
}

/// Who asks.
#[derive(SimpleObject)]
pub(crate) struct Me {
    /// What they are called in events.
    actor: String,
    /// Their name, if it is a person or a key.
    name: Option<String>,
    /// The person, if it is one who is signed in.
    user: Option<User>,
}

/// The person who asks, and their session; none for keys, and on a server without accounts.
fn signed_in(ctx: &Context<'_>) -> Option<(UserId, Subject)> {
    match ctx.caller().who? {
        Who { holder: Holder::User(user), session: Some(session) } => Some((user, Subject::User { user, session })),
        Who { holder: Holder::User(_) | Holder::Key(_), .. } => None,
    }
}

/// Somebody, as the log says in this state of the world.
async fn user_of(ctx: &Context<'_>, user: UserId) -> Result<Option<User>, Error> {
    let row = ctx.loader::<ByKey<AccountRow>>().one(user.uuid()).await?;
    Ok(row.filter(|row| row.is_user()).map(User))
}

/// The caller is told that it failed; the cause is for our own log.
fn unavailable(error: &(dyn std::error::Error + 'static)) -> Error {
    tracing::error!(error, "accounts could not be read or changed");
    fault("UNAVAILABLE", "accounts could not be read or changed")
}
