//! How far policies have come, and who has switched them.

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use vigie_domain::policies::ALL;

/// How far a policy has come.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct PolicyStatus {
    /// Its name.
    pub name: String,
    /// The version of its reactions: the one that reacts to what comes next.
    pub version: i32,
    /// The position up to which it has reacted.
    pub position: i64,
    /// Events of the log after that.
    pub lag_events: i64,
    /// Whether it is switched off.
    pub off: bool,
    /// Who switched it last.
    pub switched_by: Option<String>,
    /// When.
    pub switched_at: Option<DateTime<Utc>>,
    /// Why.
    pub switched_reason: Option<String>,
    /// Timers that wait for their time.
    pub timers: i64,
    /// Why it stopped, if it did.
    pub error: Option<String>,
    /// The event that it stopped at.
    pub error_position: Option<i64>,
}

/// How far every policy has come, in the order of their registration; also those that have never run.
///
/// # Errors
/// The database failed.
pub async fn status(pool: &PgPool) -> Result<Vec<PolicyStatus>, sqlx::Error> {
    let names: Vec<String> = ALL.iter().map(|policy| policy.name().to_owned()).collect();
    let versions: Vec<i32> = ALL.iter().map(|policy| policy.version()).collect();
    sqlx::query_as!(
        PolicyStatus,
        r#"select m.name as "name!", coalesce(c.version, m.version) as "version!",
                  coalesce(c.position, 0) as "position!",
                  greatest(h.position - coalesce(c.position, 0), 0) as "lag_events!", coalesce(c.off, false) as "off!",
                  c.switched_by as "switched_by?", c.switched_at as "switched_at?",
                  c.switched_reason as "switched_reason?",
                  (select count(*) from policy_timer t where t.policy = m.name) as "timers!",
                  c.error as "error?", c.error_position as "error_position?"
           from unnest($1::text[], $2::integer[]) with ordinality m (name, version, place)
           cross join log_head h
           left join policy_checkpoint c on c.name = m.name
           order by m.place"#,
        &names,
        &versions
    )
    .fetch_all(pool)
    .await
}
