//! Accounts to try the demo with: one for each role, and one that holds all of them.

use chrono::TimeDelta;
use uuid::Uuid;
use vigie_commands::Order;
use vigie_domain::identity::{Grant, ReactivateUser, Role, UserId};

use crate::accounts::{Accounts, Details, NewUser, Secret, Subject, UserError, Username, person_called};

/// Who gives the commands that make them.
const ACTOR: &str = "demo:accounts";

/// The one that holds every role.
const ALL: &str = "demo";

/// What is noted of them; nobody else's account is touched.
const NOTE: &str = "an account of the demo";

/// How long its link works.
const LINK: TimeDelta = TimeDelta::hours(1);

/// Accounts that anybody at the terminal may use.
pub(crate) struct DemoAccounts {
    /// Username and password, one for each role.
    pub(crate) roles: Vec<(&'static str, Secret)>,
    /// Signs in once, as somebody who holds every role; none where somebody else is called like that.
    pub(crate) link: Option<Secret>,
}

/// Makes them, or gives those that are there new passwords. Whom it has not made, whatever they are called, is left alone.
///
/// # Errors
/// The database or the log failed.
pub(crate) async fn make(accounts: &Accounts) -> Result<DemoAccounts, UserError> {
    let mut roles = Vec::new();
    for role in Role::ALL {
        let Some(user) = user(accounts, role.as_str(), &[role]).await? else { continue };
        let password = Secret::password();
        accounts.set_password(user, password.show(), Subject::Open, order()).await?;
        roles.push((role.as_str(), password));
    }
    let link = match user(accounts, ALL, &Role::ALL).await? {
        Some(all) => Some(accounts.issue_link(all, LINK, order()).await?.0),
        None => None,
    };
    Ok(DemoAccounts { roles, link })
}

fn order() -> Order {
    Order::new(Uuid::now_v7(), ACTOR)
}

/// The demo's account of this name, which holds these roles everywhere if it is new; none if the name is somebody else's.
async fn user(accounts: &Accounts, username: &str, roles: &[Role]) -> Result<Option<UserId>, UserError> {
    if let Some(person) = person_called(accounts.pool(), username).await? {
        if person.note != NOTE {
            return Ok(None);
        }
        accounts.carry_out(&ReactivateUser { user: person.user }, order()).await?;
        return Ok(Some(person.user));
    }
    let details = Details {
        username: Username::new(username).expect("the name of a role is a username"),
        full_name: String::new(),
        email: None,
        note: NOTE.to_owned(),
    };
    let grants = roles.iter().copied().map(Grant::everywhere).collect();
    Ok(Some(accounts.create_user(NewUser { details, grants, first: false }, order()).await?.answer))
}
