//! `vigie users`: who can sign in, and what they may do. Works on the database itself, so that whoever can run it needs no
//! account.

mod list;
mod secret_input;

pub(super) use list::accounts_of;

use std::collections::BTreeSet;
use std::process::ExitCode;

use chrono::TimeDelta;
use uuid::Uuid;
use vigie_commands::{Failure, Order};
use vigie_domain::identity::{Grant, GrantRole, Holder, IdentityRefusal, ReactivateUser, RevokeRole, Role, UserId};
use vigie_domain::kernel::Decision;

use super::{CliError, Outcome};
use crate::accounts::{Accounts, Details, NewUser, Secret, Subject, UserError, Username, person_called};
use crate::cli::say::say;
use crate::runtime::Runtime;
use crate::settings::Settings;

/// Arguments of `vigie users`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Make the first administrator and print a password for them, once.
    Bootstrap {
        /// What they call themselves when they sign in.
        #[arg(default_value = "admin")]
        username: Username,
    },
    /// Make a user. They get a password by set-password, or sign in by a link.
    Create(Create),
    /// List users with their roles.
    List {
        /// Answer in JSON, one line each.
        #[arg(long)]
        json: bool,
    },
    /// Give a user a role: operator@LFW at one site, operator everywhere.
    Grant(RoleOf),
    /// Take a role from a user, as it was granted.
    Revoke(RoleOf),
    /// Take everything from a user and end their sessions, until they are reactivated.
    Deactivate(Whom),
    /// Let a deactivated user hold their roles again.
    Reactivate(Whom),
    /// Forget who a user was, for good. What they did stays, under an id that names nobody.
    Erase {
        #[command(flatten)]
        whom: Whom,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Print a link by which a user can sign in once.
    Link {
        #[command(flatten)]
        whom: Whom,
        /// Minutes that it works.
        #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(i64).range(1..=1_440))]
        minutes: i64,
        /// Where the server is; otherwise as its settings say.
        #[arg(long)]
        server: Option<String>,
    },
    /// Give a user a password, which is asked for or read from standard input, and end their sessions.
    SetPassword(Whom),
}

#[derive(Debug, clap::Args)]
struct Create {
    /// What they call themselves when they sign in.
    username: Username,
    /// Who they are.
    #[arg(long, default_value = "")]
    full_name: String,
    /// Their address.
    #[arg(long)]
    email: Option<String>,
    /// What else there is to know.
    #[arg(long, default_value = "")]
    note: String,
    /// A role: operator@LFW, or admin for everywhere; several times for several.
    #[arg(long = "role")]
    roles: Vec<Grant>,
}

#[derive(Debug, clap::Args)]
struct Whom {
    /// A username or id.
    user: String,
}

#[derive(Debug, clap::Args)]
struct RoleOf {
    #[command(flatten)]
    whom: Whom,
    /// The role, and where.
    role: Grant,
}

/// Runs it.
pub(super) async fn run(args: Args, settings: Settings) -> Outcome {
    // Asked for before anything is opened: whoever types takes their time.
    let password = match &args.action {
        Action::SetPassword(_) => Some(secret_input::password()?),
        _ => None,
    };
    let runtime = Runtime::open(&settings).await?;
    let outcome = act(args.action, password.as_deref(), &runtime, &settings).await;
    runtime.close().await;
    outcome
}

async fn act(action: Action, password: Option<&str>, runtime: &Runtime, settings: &Settings) -> Outcome {
    let accounts = Accounts::open(runtime.pool.clone(), runtime.executor.clone(), settings)?;
    let order = || Order::new(Uuid::now_v7(), settings.actor.as_str());
    match action {
        Action::Bootstrap { username } => bootstrap(&accounts, username, order).await?,
        Action::Create(create) => {
            let Create { username, full_name, email, note, roles } = create;
            let details = Details { username, full_name, email, note };
            let new = NewUser { details, grants: roles.into_iter().collect(), first: false };
            let user = plainly(accounts.create_user(new, order()).await)?.answer;
            say!("{user}");
        }
        Action::List { json } => list::list(&accounts, runtime, json).await?,
        Action::Grant(RoleOf { whom, role }) => {
            let holder = Holder::User(find(&accounts, &whom).await?);
            carry_out(runtime, GrantRole { holder, grant: role.clone() }, order(), &format!("{} is {role}", whom.user))
                .await?;
        }
        Action::Revoke(RoleOf { whom, role }) => {
            let holder = Holder::User(find(&accounts, &whom).await?);
            let says = format!("{} is not {role}", whom.user);
            carry_out(runtime, RevokeRole { holder, grant: role }, order(), &says).await?;
        }
        Action::Deactivate(whom) => {
            plainly(accounts.deactivate_user(find(&accounts, &whom).await?, order()).await)?;
            say!("{} is deactivated", whom.user);
        }
        Action::Reactivate(whom) => {
            let user = find(&accounts, &whom).await?;
            carry_out(runtime, ReactivateUser { user }, order(), &format!("{} is active", whom.user)).await?;
        }
        Action::Erase { whom, yes } => {
            let user = find(&accounts, &whom).await?;
            if !yes && !secret_input::is_sure(&format!("forget who {} is, for good?", whom.user))? {
                return Ok(ExitCode::FAILURE);
            }
            plainly(accounts.erase_user(user, order()).await)?;
            say!("{user} names nobody any more");
        }
        Action::Link { whom, minutes, server } => {
            let user = find(&accounts, &whom).await?;
            let (link, _) = plainly(accounts.issue_link(user, TimeDelta::minutes(minutes), order()).await)?;
            say!("{}", link_to(&server.unwrap_or_else(|| settings.url_at(settings.listen)), &link));
        }
        Action::SetPassword(whom) => {
            let user = find(&accounts, &whom).await?;
            let password = password.ok_or("no password was given")?;
            plainly(accounts.set_password(user, password, Subject::Open, order()).await)?;
            say!("{} has a new password, and no open session", whom.user);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Where a link leads. What stands behind # is sent to nobody.
pub(super) fn link_to(server: &str, link: &Secret) -> String {
    format!("{}/sign-in#link={}", server.trim_end_matches('/'), link.show())
}

async fn bootstrap(accounts: &Accounts, username: Username, order: impl Fn() -> Order) -> Result<(), CliError> {
    let details = Details { username: username.clone(), full_name: String::new(), email: None, note: String::new() };
    let new = NewUser { details, grants: BTreeSet::from([Grant::everywhere(Role::Admin)]), first: true };
    let user = plainly(accounts.create_user(new, order()).await)?.answer;
    let password = Secret::password();
    plainly(accounts.set_password(user, password.show(), Subject::Open, order()).await)?;
    say!(
        "username  {}\npassword  {}\n\nThe password is shown this once. Change it after signing in.",
        username.as_str(),
        password.show()
    );
    Ok(())
}

/// Whom a username or id means.
async fn find(accounts: &Accounts, whom: &Whom) -> Result<UserId, CliError> {
    if let Some(person) = person_called(accounts.pool(), &whom.user).await? {
        return Ok(person.user);
    }
    match whom.user.parse::<UserId>() {
        // Also one without a person: erasing goes on where it was cut off.
        Ok(user) => Ok(user),
        Err(_) => Err(format!("nobody is called {}", whom.user).into()),
    }
}

async fn carry_out<D>(runtime: &Runtime, command: D, order: Order, says: &str) -> Result<(), CliError>
where
    D: Decision<Refusal = IdentityRefusal>,
{
    let done = plainly(runtime.executor.execute(&command, order).await.map_err(UserError::from))?;
    say!("{says}{}", if done.appended == 0 { " already" } else { "" });
    Ok(())
}

/// A refusal says what rule is broken; nobody needs to know that it was one.
pub(super) fn plainly<T>(outcome: Result<T, UserError>) -> Result<T, CliError> {
    outcome.map_err(|error| match error {
        UserError::Command(Failure::Refused(refusal)) => refusal.into(),
        other => other.into(),
    })
}
