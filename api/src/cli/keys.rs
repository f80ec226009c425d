//! `vigie keys`: API keys of programs, and the keys that sign access tokens.

use std::process::ExitCode;

use chrono::TimeDelta;
use uuid::Uuid;
use vigie_commands::{Failure, Order};
use vigie_domain::identity::{Grant, KeyId, LONGEST_KEY_DAYS};

use super::users::accounts_of;
use super::{CliError, Outcome};
use crate::accounts::{Accounts, KeyError, Tokens};
use crate::cli::say::say;
use crate::clock;
use crate::runtime::Runtime;
use crate::settings::Settings;

/// Arguments of `vigie keys`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Make an API key and print it, once.
    Issue {
        /// What it is for.
        name: String,
        /// A role: integrator@LFW, or analyst for everywhere; several times for several.
        #[arg(long = "role", required = true)]
        roles: Vec<Grant>,
        /// Days that it works.
        #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(i64).range(1..=LONGEST_KEY_DAYS))]
        days: i64,
    },
    /// List API keys.
    List {
        /// Answer in JSON, one line each.
        #[arg(long)]
        json: bool,
    },
    /// Refuse an API key from now on.
    Revoke {
        /// Its id.
        key: KeyId,
    },
    /// Let every process sign access tokens with a new key.
    Rotate {
        /// Refuse the tokens that were signed before: everybody refreshes or signs in again.
        #[arg(long)]
        revoke: bool,
    },
}

/// Runs it.
pub(super) async fn run(args: Args, settings: Settings) -> Outcome {
    let runtime = Runtime::open(&settings).await?;
    let outcome = act(args.action, &runtime, &settings).await;
    runtime.close().await;
    outcome
}

async fn act(action: Action, runtime: &Runtime, settings: &Settings) -> Outcome {
    let accounts = Accounts::open(runtime.pool.clone(), runtime.executor.clone(), settings)?;
    let order = Order::new(Uuid::now_v7(), settings.actor.as_str());
    match action {
        Action::Issue { name, roles, days } => {
            let expires_at = clock::now() + TimeDelta::days(days);
            let issued = accounts.issue_key(&name, roles.into_iter().collect(), expires_at, order).await;
            let (done, secret) = issued.map_err(plainly)?;
            let secret = secret.ok_or("the key was made before")?;
            say!("id   {}\nkey  {}\n\nThe key is shown this once.", done.answer, secret.show());
        }
        Action::List { json } => list(&accounts, runtime, json).await?,
        Action::Revoke { key } => {
            accounts.revoke_key(key, order).await.map_err(plainly)?;
            say!("{key} is revoked");
        }
        Action::Rotate { revoke } => {
            let rotated = Tokens::rotate(&runtime.pool, revoke).await?;
            let then = if revoke { "what they have signed is refused" } else { "what they have signed works on" };
            say!("{rotated} signing keys are retired within 5 s; {then}");
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(accounts: &Accounts, runtime: &Runtime, json: bool) -> Result<(), CliError> {
    let roles = accounts_of("key", runtime).await?;
    for key in accounts.keys().await? {
        let roles = roles.iter().find(|account| account.id == key.key);
        if json {
            let line = serde_json::json!({
                "key": key.key, "name": key.name, "createdAt": key.created_at, "expiresAt": key.expires_at,
                "lastUsedAt": key.last_used_at, "roles": roles.map(|account| &account.grants.0),
            });
            say!("{line}");
        } else {
            let (until, roles) = (key.expires_at.format("%Y-%m-%d"), roles.map(|account| account.roles()));
            say!("{}  {:<30} until {until}  {}", key.key, key.name, roles.unwrap_or_default());
        }
    }
    Ok(())
}

fn plainly(error: KeyError) -> CliError {
    match error {
        KeyError::Command(Failure::Refused(refusal)) => refusal.into(),
        other => other.into(),
    }
}
