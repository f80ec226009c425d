//! The names of those who act, which events do not hold.

use std::collections::HashMap;

use async_graphql::{Context, Error};
use vigie_domain::identity::{Holder, UserId};

use super::unavailable;
use crate::accounts::{Accounts, find_people};
use crate::graphql::context::Parts;
use crate::graphql::loader::{Load, Loader};

/// Names by what the log calls somebody, for many at once.
pub(in crate::graphql) struct Names(Accounts);

impl Names {
    pub(in crate::graphql) fn loader(accounts: &Accounts) -> Loader<Self> {
        Loader::new(Self(accounts.clone()))
    }
}

impl Load for Names {
    type Key = String;
    type Value = String;

    async fn load(&self, actors: &[String]) -> Result<HashMap<String, String>, Error> {
        let holders = actors.iter().filter_map(|actor| Some((actor, Holder::new(actor).ok()?)));
        let (mut users, mut keys) = (HashMap::new(), HashMap::new());
        for (actor, holder) in holders {
            match holder {
                Holder::User(user) => drop(users.insert(user, actor)),
                Holder::Key(key) => drop(keys.insert(key.uuid(), actor)),
            }
        }
        let ids: Vec<UserId> = users.keys().copied().collect();
        let people = find_people(self.0.pool(), &ids).await.map_err(|error| unavailable(&error))?;
        let ids: Vec<_> = keys.keys().copied().collect();
        let named = self.0.keys_of(&ids).await.map_err(|error| unavailable(&error))?;
        let people = people.into_iter().filter_map(|person| {
            let name = if person.full_name.is_empty() { person.username } else { person.full_name };
            Some(((*users.get(&person.user)?).clone(), name))
        });
        let keys = named.into_iter().filter_map(|key| Some(((*keys.get(&key.key)?).clone(), key.name)));
        Ok(people.chain(keys).collect())
    }
}

/// The name that somebody has now; none for who was erased, and for policies and feeds.
pub(in crate::graphql) async fn name_of(ctx: &Context<'_>, actor: &str) -> Result<Option<String>, Error> {
    // Most who act are neither people nor keys.
    if Holder::new(actor).is_err() {
        return Ok(None);
    }
    ctx.loader::<Names>().one(actor.to_owned()).await
}
