//! Given events, then rows: the way every read model is tested.
//!
//! Every look at rows goes three ways: each small batch delivered twice, the fold in memory of all events at once,
//! and a rebuild. All must give the same.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, PgPool};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use vigie_domain::Event;
use vigie_domain::kernel::derived_uuid;
use vigie_eventlog::{Append, Log, Metadata, NewEvent, Query, Read, Recorded, testing};

use crate::engine::{Checkpoint, apply};
use crate::{Entry, Model, ReadModel, Row, Rows, rebuild, verify};

/// A log with events, and the read side's database.
pub(crate) struct Given {
    pub(crate) pool: PgPool,
    pub(crate) log: Log,
}

/// A fresh log with these events, all by `operator:spec` with the command `spec.given`.
pub(crate) async fn given(events: impl IntoIterator<Item = Event>) -> Given {
    let pool = testing::database().await;
    let log = Log::open(pool.clone()).await.unwrap();
    let given = Given { pool, log };
    given.and(events).await;
    given
}

/// The time at which events of a specification happen.
pub(crate) fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_268_800, 0).unwrap()
}

/// An event as it is appended.
pub(crate) fn new_event(event: &Event) -> NewEvent {
    let encoded = event.encode();
    NewEvent {
        kind: encoded.name.to_owned(),
        version: encoded.version,
        site: event.site_name().to_owned(),
        tags: event.tags().into_iter().map(vigie_domain::kernel::Tag::into_string).collect(),
        data: encoded.data,
        occurred_at: noon(),
    }
}

/// Appends events as one command.
pub(crate) async fn append(log: &Log, events: Vec<NewEvent>) -> i64 {
    let command_id = derived_uuid("spec", &Uuid::now_v7().to_string());
    let metadata = metadata(command_id);
    log.append(Append { events, metadata, conditions: Vec::new(), answer: None }).await.unwrap().last
}

impl Given {
    /// More events; the position of the last one.
    pub(crate) async fn and(&self, events: impl IntoIterator<Item = Event>) -> i64 {
        let events: Vec<_> = events.into_iter().map(|event| new_event(&event)).collect();
        if events.is_empty() { self.log.head().await.unwrap() } else { append(&self.log, events).await }
    }

    /// The rows of a table of `M`, in the order of their keys.
    pub(crate) async fn rows<M: ReadModel, R: Row + std::fmt::Debug>(&self) -> Vec<R> {
        let model = Model::of::<M>();
        let events = self.events(&model.query()).await;
        for batch in events.chunks(3) {
            self.deliver(&model, batch).await;
            self.deliver(&model, batch).await;
        }
        self.deliver(&model, &events).await;
        let delivered: Vec<R> = self.stored().await;
        assert_eq!(delivered, in_memory::<R>(&model, &events), "the stored rows are the fold of all events");
        self.at_head(&model).await;
        let (progress, cancel) = (|_| {}, CancellationToken::new());
        let verified = verify(&self.pool, &self.log, M::NAME, &progress, &cancel).await.unwrap();
        assert_eq!(verified.differences, [], "the rows are verified");
        rebuild(&self.pool, &self.log, M::NAME, &progress, &cancel).await.unwrap();
        assert_eq!(self.stored::<R>().await, delivered, "a rebuild gives the same rows");
        delivered
    }

    /// Every matching event.
    pub(crate) async fn events(&self, query: &Query) -> Vec<Arc<Recorded>> {
        let events = self.log.read(query, Read::after(0).limit(100_000)).await.unwrap();
        events.into_iter().map(Arc::new).collect()
    }

    /// The rows of a table as they are stored.
    pub(crate) async fn stored<R: Row>(&self) -> Vec<R> {
        let sql = format!("select row_to_json(t)::text from read.{} t", R::TABLE);
        let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&self.pool).await.unwrap();
        let mut rows: Vec<R> = rows.iter().map(|row| serde_json::from_str(row).unwrap()).collect();
        rows.sort_by_key(Row::key);
        rows
    }

    async fn deliver(&self, model: &Model, events: &[Arc<Recorded>]) {
        let mut transaction = self.pool.begin().await.unwrap();
        apply(model, "read", &mut transaction, events).await.unwrap();
        transaction.commit().await.unwrap();
    }

    async fn at_head(&self, model: &Model) {
        Checkpoint::ensure(model, &self.pool).await.unwrap();
        let head = self.log.head().await.unwrap();
        let mut connection = self.pool.acquire().await.unwrap();
        Checkpoint::rebuilt(model, head, None, &mut connection).await.unwrap();
    }
}

/// The fold of all events without a database.
pub(crate) fn in_memory<R: Row>(model: &Model, events: &[Arc<Recorded>]) -> Vec<R> {
    let mut rows = Rows::new((model.tables)());
    let entries: Vec<Entry> = events.iter().map(|event| Entry::read(event).unwrap()).collect();
    for entry in &entries {
        (model.keys)(entry, &mut rows);
    }
    for entry in &entries {
        (model.fold)(entry, &mut rows).unwrap();
    }
    rows.all()
}

/// An event as if it were the first of a log.
pub(crate) fn entry(event: &Event) -> Entry {
    let new = new_event(event);
    let id = derived_uuid("spec-event", "1");
    let metadata = metadata(id);
    let data = serde_json::value::RawValue::from_string(new.data).unwrap();
    let (kind, version, site, tags) = (new.kind, new.version, new.site, new.tags);
    let (occurred_at, recorded_at) = (noon(), noon());
    let recorded = Recorded { position: 1, id, kind, version, site, tags, data, metadata, occurred_at, recorded_at };
    Entry::read(&Arc::new(recorded)).unwrap()
}

fn metadata(command_id: Uuid) -> Metadata {
    Metadata {
        command_id,
        command: "spec.given".to_owned(),
        correlation_id: command_id,
        causation_id: None,
        actor: "operator:spec".to_owned(),
        traceparent: None,
    }
}
