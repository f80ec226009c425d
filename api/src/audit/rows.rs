//! Rows as they are stored.

use async_graphql::{Json, SimpleObject};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use uuid::Uuid;

/// A change of one field of one thing.
#[derive(Debug, Clone, Serialize, Deserialize, SimpleObject)]
pub(crate) struct Change {
    /// The thing, such as `stand:LFW/C03`.
    pub(crate) thing: String,
    /// Its field.
    pub(crate) field: String,
    /// What it was.
    #[serde(default)]
    pub(crate) before: Option<Json<serde_json::Value>>,
    /// What it is.
    #[serde(default)]
    pub(crate) after: Option<Json<serde_json::Value>>,
}

/// A row of the audit trail.
#[derive(Debug, Clone, FromRow, Serialize)]
pub(crate) struct AuditRow {
    pub(crate) position: i64,
    pub(crate) recorded_at: DateTime<Utc>,
    pub(crate) occurred_at: DateTime<Utc>,
    pub(crate) site: String,
    pub(crate) actor: String,
    pub(crate) command: String,
    pub(crate) command_id: Uuid,
    pub(crate) correlation_id: Uuid,
    pub(crate) causation_id: Option<Uuid>,
    pub(crate) event: Uuid,
    pub(crate) r#type: String,
    pub(crate) things: Vec<String>,
    pub(crate) action: String,
    pub(crate) note: String,
    pub(crate) changes: sqlx::types::Json<Vec<Change>>,
}

/// A command that was refused.
#[derive(Debug, Clone, FromRow, Serialize)]
pub(crate) struct RefusalRow {
    pub(crate) id: i64,
    pub(crate) position: i64,
    pub(crate) refused_at: DateTime<Utc>,
    pub(crate) site: Option<String>,
    pub(crate) actor: String,
    pub(crate) command: String,
    pub(crate) command_id: Uuid,
    pub(crate) correlation_id: Uuid,
    pub(crate) causation_id: Option<Uuid>,
    pub(crate) things: Vec<String>,
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) details: sqlx::types::Json<serde_json::Value>,
    pub(crate) input: sqlx::types::Json<serde_json::Value>,
}
