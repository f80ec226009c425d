//! What a read model says of itself.

use vigie_eventlog::Query;

use super::rows::Tables;
use super::{Entry, RowSet, Rows};

/// A pure fold of the log into rows of a few tables.
pub trait ReadModel: 'static {
    /// Its name, such as `flights`.
    const NAME: &'static str;
    /// Counts its folds: a higher one than the stored one makes the tables anew.
    const VERSION: i32;
    /// The event types that it is made of; empty means every one.
    const EVENTS: &'static [&'static str];
    /// Its rows, one type per table.
    type Rows: RowSet;
    /// Asks for the rows that the event touches.
    fn keys(entry: &Entry, rows: &mut Rows);
    /// Takes the event into the rows that [`ReadModel::keys`] asked for.
    ///
    /// # Errors
    /// The event does not fit what came before; the read model stops there.
    fn fold(entry: &Entry, rows: &mut Rows) -> Result<(), FoldError>;
}

/// Why an event does not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    /// It changes a thing that no earlier event has made.
    #[error("it changes {key} of {table}, which no earlier event has made")]
    Missing {
        /// The table.
        table: &'static str,
        /// The row's key.
        key: String,
    },
    /// The fold touches a row that its keys do not name: a mistake in the read model.
    #[error("the fold touches {key} of {table}, which the read model's keys do not name")]
    NotNamed {
        /// The table.
        table: &'static str,
        /// The row's key.
        key: String,
    },
}

/// A read model as the engine runs it.
#[derive(Clone, Copy)]
pub struct Model {
    /// [`ReadModel::NAME`].
    pub name: &'static str,
    /// [`ReadModel::VERSION`].
    pub version: i32,
    /// [`ReadModel::EVENTS`].
    pub events: &'static [&'static str],
    pub(crate) tables: fn() -> Tables,
    pub(crate) keys: fn(&Entry, &mut Rows),
    pub(crate) fold: fn(&Entry, &mut Rows) -> Result<(), FoldError>,
}

impl Model {
    /// The engine's view of `M`.
    #[must_use]
    pub const fn of<M: ReadModel>() -> Self {
        Self {
            name: M::NAME,
            version: M::VERSION,
            events: M::EVENTS,
            tables: M::Rows::tables,
            keys: M::keys,
            fold: M::fold,
        }
    }

    /// The events that it is made of.
    #[must_use]
    pub fn query(&self) -> Query {
        if self.events.is_empty() { Query::all() } else { Query::kinds(self.events.iter().copied()) }
    }
}
