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

/// How long its link works.
const LINK: TimeDelta = TimeDelta::hours(1);

/// Accounts that anybody at the terminal may use.
pub(crate) struct DemoAccounts {
    /// Username and password, one for each role.
    pub(crate) roles: Vec<(&'static str, Secret)>,
    /// Signs in once, as somebody who holds every role.
    pub(crate) link: Secret,
}

/// Makes them, or gives those that are there new passwords.
///
/// # Errors
/// The database or the log failed.
pub(crate) async fn make(accounts: &Accounts) -> Result<DemoAccounts, UserError> {
    let mut roles = Vec::new();
    for role in Role::ALL {
        let (user, password) = (user(accounts, role.as_str(), &[role]).await?, Secret::password());
        accounts.set_password(user, password.show(), Subject::Open, order()).await?;
        roles.push((role.as_str(), password));
    }
    let all = user(accounts, ALL, &Role::ALL).await?;
    let (link, _) = accounts.issue_link(all, LINK, order()).await?;
    Ok(DemoAccounts { roles, link })
}

fn order() -> Order {
    Order::new(Uuid::now_v7(), ACTOR)
}

/// Somebody of this name, who holds these roles everywhere if they are new.
async fn user(accounts: &Accounts, username: &str, roles: &[Role]) -> Result<UserId, UserError> {
    if let Some(person) = person_called(accounts.pool(), username).await? {
        accounts.carry_out(&ReactivateUser { user: person.user }, order()).await?;
        return Ok(person.user);
    }
    let details = Details {
        username: Username::new(username).expect("the name of a role is a username"),
        full_name: String::new(),
        email: None,
        note: "an account of the demo".to_owned(),
    };
    let grants = roles.iter().copied().map(Grant::everywhere).collect();
    Ok(accounts.create_user(NewUser { details, grants, first: false }, order()).await?.answer)
}
