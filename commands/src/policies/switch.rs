//! Policies are switched off and on by people, and it is kept who did so and why.

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use vigie_domain::kernel::{Refused, plain};
use vigie_domain::policies::{ALL, Policy, named};

/// How many switches are kept.
const KEPT: i64 = 1_000;

/// Off, or on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// It reacts to nothing until it is switched on; its timers wait.
    Off,
    /// It reacts to everything from where it stood.
    On,
    /// It reacts to what comes from now on: what came meanwhile is left out, and its timers are forgotten.
    OnFromNow,
}

/// Who switches, and why.
#[derive(Debug, Clone, Copy)]
pub struct Switched<'a> {
    /// Such as `operator:ama`.
    pub actor: &'a str,
    /// In words; asked for.
    pub reason: &'a str,
    /// When.
    pub at: DateTime<Utc>,
}

/// The rule that forbids a switch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[serde(tag = "rule", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SwitchRefusal {
    /// There is no such policy.
    #[error("there is no policy {projection:?}; there are {}", known.join(", "))]
    PolicyUnknown {
        /// The name as given.
        projection: String,
        /// The names that there are.
        known: Vec<&'static str>,
    },
    /// Nobody has said why.
    #[error("a reason is asked for")]
    ReasonMissing,
}

impl Refused for SwitchRefusal {
    fn code(&self) -> &'static str {
        match self {
            Self::PolicyUnknown { .. } => "POLICY_UNKNOWN",
            Self::ReasonMissing => "REASON_MISSING",
        }
    }
    fn details(&self) -> serde_json::Value {
        plain(self)
    }
}

/// Why a policy is not switched.
#[derive(Debug, thiserror::Error)]
pub enum SwitchError {
    /// A rule forbids it.
    #[error(transparent)]
    Refused(#[from] SwitchRefusal),
    /// The database failed.
    #[error("the policy's checkpoint cannot be written")]
    Database(#[from] sqlx::Error),
}

/// The policy of this name.
///
/// # Errors
/// There is none.
pub fn known(name: &str) -> Result<&'static dyn Policy, SwitchRefusal> {
    let known = || ALL.iter().map(|policy| policy.name()).collect();
    named(name).ok_or_else(|| SwitchRefusal::PolicyUnknown { projection: name.to_owned(), known: known() })
}

/// Switches a policy; false if it was so already. Whoever runs it notices before the next fact: a fact whose commands
/// are being given is finished, and seen again when it is on, which repeats nothing.
///
/// # Errors
/// No such policy, no reason, or the database failed.
pub async fn switch(pool: &PgPool, name: &str, switch: Switch, by: Switched<'_>) -> Result<bool, SwitchError> {
    let policy = known(name)?;
    if by.reason.trim().is_empty() {
        return Err(SwitchRefusal::ReasonMissing.into());
    }
    let off = switch == Switch::Off;
    let mut transaction = pool.begin().await?;
    sqlx::query!(
        "insert into policy_checkpoint (name, position, version) values ($1, 0, $2) on conflict (name) do nothing",
        name,
        policy.version()
    )
    .execute(&mut *transaction)
    .await?;
    let stood = sqlx::query!("select position, off from policy_checkpoint where name = $1 for update", name);
    let stood = stood.fetch_one(&mut *transaction).await?;
    if stood.off == off {
        return Ok(false);
    }
    let mut resumed = stood.position;
    if switch == Switch::OnFromNow {
        resumed = sqlx::query_scalar!("select position from log_head").fetch_one(&mut *transaction).await?;
        sqlx::query!("delete from policy_timer where policy = $1", name).execute(&mut *transaction).await?;
    }
    sqlx::query!(
        "update policy_checkpoint
         set off = $2, position = $3, switched_by = $4, switched_at = $5, switched_reason = $6,
             error = case when $3 > position then null else error end,
             error_position = case when $3 > position then null else error_position end
         where name = $1",
        name,
        off,
        resumed,
        by.actor,
        by.at,
        by.reason
    )
    .execute(&mut *transaction)
    .await?;
    sqlx::query!(
        "insert into policy_switch (at, name, off, actor, reason, stood, resumed) values ($1, $2, $3, $4, $5, $6, $7)",
        by.at,
        name,
        off,
        by.actor,
        by.reason,
        stood.position,
        resumed
    )
    .execute(&mut *transaction)
    .await?;
    sqlx::query!("delete from policy_switch where id <= (select max(id) from policy_switch) - $1", KEPT)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(true)
}

/// A policy that was switched.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct PolicySwitch {
    /// When.
    pub at: DateTime<Utc>,
    /// The policy.
    pub name: String,
    /// Whether it was switched off.
    pub off: bool,
    /// Who did it.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// Where it stood then.
    pub stood: i64,
    /// Where it goes on.
    pub resumed: i64,
}

/// The latest switches of a policy, or of all, newest first.
///
/// # Errors
/// The database failed.
pub async fn switches(pool: &PgPool, name: Option<&str>, most: i64) -> Result<Vec<PolicySwitch>, sqlx::Error> {
    sqlx::query_as!(
        PolicySwitch,
        "select at, name, off, actor, reason, stood, resumed from policy_switch
         where $1::text is null or name = $1 order by id desc limit $2",
        name,
        most
    )
    .fetch_all(pool)
    .await
}
