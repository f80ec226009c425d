//! One operation reads one state of the read models.
//!
//! All reads of an operation share one read-only transaction in REPEATABLE READ, which is opened by the first of them;
//! they take turns. A mutation starts a new state once its events have been folded, so that its result is in it; a
//! subscription starts one for each of its items, and holds none while it waits. The past is read in the same
//! transaction, through another view.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Error, ErrorExtensions as _};
use chrono::{DateTime, Utc};
use sqlx::{ConnectOptions as _, PgConnection, PgPool};
use tokio::sync::{Mutex, MutexGuard, OnceCell};
use uuid::Uuid;
use vigie_projections::{MODELS, Projections};

use super::Services;
use super::relation::View;
use super::transaction::ReadTransaction;
use crate::rights::Scope;

/// How far any read model is.
const HEAD: &str = "select coalesce(max(position), 0) from read.checkpoint";

/// How long cancelling may take.
const CANCELLING: Duration = Duration::from_secs(2);

/// The state that an operation reads. Clones share it.
#[derive(Clone)]
pub struct Snapshot {
    pool: PgPool,
    projections: Projections,
    view: View,
    /// When the event that a view of the past ends with was recorded, once somebody has asked.
    moment: Arc<OnceCell<DateTime<Utc>>>,
    open: Arc<Mutex<Option<Open>>>,
    limits: Arc<Statements>,
}

/// What holds for the statements of an operation.
struct Statements {
    /// What the operation's connections are called in `pg_stat_activity`.
    name: String,
    /// How long each may take.
    timeout: Duration,
}

impl Statements {
    /// Behind the gate no tables are swapped: a table that is younger than the transaction would look empty to it.
    fn begin(&self) -> String {
        format!(
            "begin isolation level repeatable read read only; set local statement_timeout = {}; \
             set local application_name = '{}'; lock table read.swap_gate in access share mode",
            self.timeout.as_millis(),
            self.name
        )
    }
}

struct Open {
    transaction: ReadTransaction,
    /// The furthest checkpoint that the transaction sees, once somebody has asked.
    head: Option<i64>,
    /// How far each read model was known to be before the transaction: what it commits after that is not needed, and
    /// checkpoints are not written while nothing matches.
    reached: Vec<(&'static str, i64)>,
}

/// The right to send a statement.
pub(super) struct Reading<'a> {
    view: &'a View,
    open: MutexGuard<'a, Option<Open>>,
}

impl Reading<'_> {
    /// The connection, inside the transaction.
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.open().transaction
    }

    /// Everything up to this position is in the rows of every read model.
    pub(super) async fn position(&mut self) -> Result<i64, Error> {
        match self.view.last() {
            Some(position) => Ok(position),
            None => self.latest().await,
        }
    }

    /// The same of what the transaction sees, whatever the view shows of it.
    async fn latest(&mut self) -> Result<i64, Error> {
        Ok(self.positions().await?.into_iter().map(|(_, position)| position).min().unwrap_or(0))
    }

    /// The same of one read model.
    pub(super) async fn position_of(&mut self, model: &str) -> Result<i64, Error> {
        let positions = self.positions().await?;
        Ok(positions.into_iter().find(|(name, _)| *name == model).map_or(0, |(_, position)| position))
    }

    async fn positions(&mut self) -> Result<Vec<(&'static str, i64)>, Error> {
        if let Some(until) = self.view.schema().until() {
            return Ok(MODELS.iter().map(|model| (model.name, until)).collect());
        }
        let rows = sqlx::query!(r#"select name, position, state = 'paused' as "paused!" from read.checkpoint"#);
        let rows = rows.fetch_all(self.connection()).await.map_err(unreadable)?;
        let saved: HashMap<String, (i64, bool)> =
            rows.into_iter().map(|row| (row.name, (row.position, row.paused))).collect();
        let reached = self.open().reached.iter();
        let positions = reached.map(|(name, reached)| match saved.get(*name) {
            // It may have been made anew until an earlier position, which this process has not noticed yet.
            Some((position, true)) => (*name, *position),
            Some((position, false)) => (*name, *reached.max(position)),
            None => (*name, *reached),
        });
        Ok(positions.collect())
    }

    /// Nothing beyond this position is in the rows of any read model.
    async fn head(&mut self) -> Result<i64, Error> {
        if let Some(head) = self.view.schema().until().or(self.open().head) {
            return Ok(head);
        }
        let head = sqlx::query_scalar(HEAD).fetch_one(self.connection()).await.map_err(unreadable)?;
        self.open().head = Some(head);
        Ok(head)
    }

    fn open(&mut self) -> &mut Open {
        self.open.as_mut().expect("a transaction is open while it is read from")
    }
}

impl Snapshot {
    /// A state that is fixed by the first read, of which no more is seen than `scope` shows. No statement takes longer
    /// than `timeout`.
    #[must_use]
    pub(crate) fn new(services: &Services, scope: Arc<Scope>, timeout: Duration) -> Self {
        let name = format!("vigie {}", Uuid::now_v7().simple());
        Self {
            limits: Arc::new(Statements { name, timeout }),
            pool: services.pool.clone(),
            projections: services.projections.clone(),
            view: View::now(services.schema.clone()).within(scope),
            moment: Arc::default(),
            open: Arc::default(),
        }
    }

    /// A state of its own, which sees what is there when it is first read.
    pub(super) fn fresh(&self) -> Self {
        Self { moment: Arc::default(), open: Arc::default(), ..self.clone() }
    }

    /// The state of the same transaction as it was after `position`.
    pub(super) async fn at(&self, position: i64) -> Result<Self, Error> {
        // Who begins with the past asks along with the begin, which spares a round trip.
        let head = self.begun(Some(HEAD)).await?.head().await?;
        Ok(Self { view: self.view.at(position, head), moment: Arc::default(), ..self.clone() })
    }

    /// The same state, seen by who looks into the past.
    pub(super) fn in_the_past(self) -> Self {
        let scope = self.view.scope().past();
        Self { view: self.view.within(scope), ..self }
    }

    /// A state that has everything up to `position`, which every read model has reached: this one, unless its
    /// transaction began before that.
    pub(super) async fn reaching(&self, position: i64) -> Result<Self, Error> {
        let began_before = match &*self.open.lock().await {
            Some(open) => open.reached.iter().any(|(_, reached)| *reached < position),
            None => false,
        };
        if began_before && self.read().await?.latest().await? < position {
            return Ok(Self { open: Arc::default(), ..self.clone() });
        }
        Ok(self.clone())
    }

    /// When the moment was that a view of the past shows.
    pub(super) async fn moment(&self) -> Result<Option<DateTime<Utc>>, Error> {
        let Some(position) = self.view.last() else { return Ok(None) };
        let found = self.moment.get_or_try_init(|| Box::pin(self.recorded(position))).await;
        found.copied().map(Some)
    }

    async fn recorded(&self, position: i64) -> Result<DateTime<Utc>, Error> {
        recorded_at(position, self.read().await?.connection()).await?.ok_or_else(|| {
            super::error::fault("ARCHIVED", format!("when the event at position {position} was recorded is not known"))
        })
    }

    /// What is read from.
    pub(super) fn view(&self) -> &View {
        &self.view
    }

    /// Reads from the state; waits for other reads of the operation.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub(super) async fn read(&self) -> Result<Reading<'_>, Error> {
        self.begun(None).await
    }

    async fn begun(&self, asking: Option<&str>) -> Result<Reading<'_>, Error> {
        let mut open = self.open.lock().await;
        if open.is_none() {
            let reached = self.reached();
            let begin = [self.limits.begin().as_str()].into_iter().chain(asking).collect::<Vec<_>>().join("; ");
            let begun = ReadTransaction::begin(&self.pool, begin).await;
            let (transaction, head) = begun.map_err(unreadable)?;
            *open = Some(Open { transaction, head, reached });
        }
        Ok(Reading { view: &self.view, open })
    }

    /// Ends the statement that runs for this operation. Call it while the operation still holds its connection.
    pub(crate) async fn cancel(&self) {
        let cancelled = async {
            let mut connection = self.pool.connect_options().connect().await?;
            // Whoever logged in may cancel what its other sessions do; the role that it took on may not.
            sqlx::raw_sql("set role none").execute(&mut connection).await?;
            let name = &self.limits.name;
            sqlx::query_scalar!(
                "select count(pg_cancel_backend(pid)) from pg_stat_activity where application_name = $1",
                name
            )
            .fetch_one(&mut connection)
            .await
        };
        match tokio::time::timeout(CANCELLING, cancelled).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!(error = %error, "a statement could not be cancelled and ends by itself"),
            Err(_) => tracing::warn!("a statement could not be cancelled in time and ends by itself"),
        }
    }

    /// How far each read model is known to be.
    pub(super) fn reached(&self) -> Vec<(&'static str, i64)> {
        match self.view.schema().until() {
            Some(until) => MODELS.iter().map(|model| (model.name, until)).collect(),
            None => MODELS.iter().map(|model| (model.name, *self.projections.watch(model.name).borrow())).collect(),
        }
    }

    /// Forgets the state: the next read sees what is there then.
    pub(super) async fn renew(&self) {
        // Dropping rolls back, and gives the connection back to the pool.
        self.open.lock().await.take();
    }
}

/// When the event at `position` was recorded. The audit trail knows it also of events that are archived.
pub(super) async fn recorded_at(position: i64, connection: &mut PgConnection) -> Result<Option<DateTime<Utc>>, Error> {
    let time = sqlx::query_scalar!(
        "select coalesce(
             (select recorded_at from event where position = $1),
             (select recorded_at from read.audit where position = $1))",
        position
    );
    time.fetch_one(connection).await.map_err(unreadable)
}

/// The caller is told that the read side failed; the cause is for the log.
pub(super) fn unreadable(error: sqlx::Error) -> Error {
    /// SQLSTATE of a statement that was cancelled, or took too long.
    const QUERY_CANCELED: &str = "57014";
    /// Of one with a character that no text of the database can hold: U+0000.
    const CHARACTER_NOT_IN_REPERTOIRE: &str = "22021";
    match error.as_database_error().and_then(|error| error.code()).as_deref() {
        Some(QUERY_CANCELED) => return crate::limits::timed_out(),
        Some(CHARACTER_NOT_IN_REPERTOIRE) => {
            return Error::new("a text holds U+0000, which no text of the log has")
                .extend_with(|_, extensions| extensions.set("code", "BAD_INPUT"));
        }
        Some(_) | None => {}
    }
    tracing::error!(error = &error as &dyn std::error::Error, "the read models could not be read");
    super::error::fault("UNAVAILABLE", "the read models could not be read")
}

#[cfg(test)]
mod tests;
