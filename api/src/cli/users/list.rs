//! `vigie users list`.

use std::collections::HashMap;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use vigie_domain::identity::{Grant, UserId};
use vigie_projections::{MODELS, Projections};

use crate::accounts::{Accounts, Person, find_people};
use crate::cli::CliError;
use crate::cli::say::say;
use crate::runtime::Runtime;

/// How long the read model may take to have the whole log.
const PATIENCE: Duration = Duration::from_secs(60);

/// Somebody of a kind, with their roles.
pub(in crate::cli) struct Account {
    pub(in crate::cli) id: uuid::Uuid,
    pub(in crate::cli) state: String,
    pub(in crate::cli) grants: sqlx::types::Json<Vec<Grant>>,
}

impl Account {
    /// The roles, with commas between them.
    pub(in crate::cli) fn roles(&self) -> String {
        self.grants.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }
}

/// Those of a kind who are not gone for good, as the log says now; kept up here unless a server does.
pub(in crate::cli) async fn accounts_of(kind: &str, runtime: &Runtime) -> Result<Vec<Account>, CliError> {
    let shutdown = CancellationToken::new();
    let model: Vec<_> = MODELS.iter().filter(|model| model.name == "accounts").copied().collect();
    let (pool, log) = (runtime.pool.clone(), runtime.log.clone());
    let projections = Projections::start_models(&model, pool, log, shutdown.clone()).await?;
    let reached = projections.wait_for(&["accounts"], runtime.log.head().await?, PATIENCE).await;
    shutdown.cancel();
    drop(projections);
    reached?;
    let found = sqlx::query_as!(
        Account,
        r#"select id, state, grants as "grants: sqlx::types::Json<Vec<Grant>>" from read.accounts
           where kind = $1 and state in ('active', 'deactivated') order by id"#,
        kind,
    );
    Ok(found.fetch_all(&runtime.pool).await?)
}

pub(super) async fn list(accounts: &Accounts, runtime: &Runtime, json: bool) -> Result<(), CliError> {
    let users = accounts_of("user", runtime).await?;
    let ids: Vec<UserId> = users.iter().map(|user| user.id.into()).collect();
    let people: HashMap<UserId, Person> =
        find_people(accounts.pool(), &ids).await?.into_iter().map(|person| (person.user, person)).collect();
    for user in &users {
        let person = people.get(&UserId::from(user.id));
        let username = person.map_or("-", |person| person.username.as_str());
        if json {
            let line = serde_json::json!({
                "user": user.id, "username": username, "fullName": person.map(|person| &person.full_name),
                "state": user.state, "roles": user.grants.0,
            });
            say!("{line}");
        } else {
            say!("{}  {username:<20} {:<12} {}", user.id, user.state, user.roles());
        }
    }
    if users.is_empty() && !json {
        say!("there is nobody yet: vigie users bootstrap makes the first administrator");
    }
    Ok(())
}
