//! The rows that a batch of events touches, in memory.

use std::any::{Any, TypeId};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use vigie_domain::kernel::Stamp;

use super::{Entry, FoldError};

/// A row of a table in the schema `read`. Its fields are the table's columns, by name.
pub trait Row: Clone + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// What tells rows apart; serialises to an array with one value per key column.
    type Key: Clone + Ord + Debug + Serialize + Send + Sync + 'static;
    /// The table.
    const TABLE: &'static str;
    /// Its key columns.
    const KEY: &'static [&'static str];
    /// Whether rows are only ever added, by the event that they are keyed by; such rows are not loaded before.
    const APPEND_ONLY: bool = false;
    /// Whether a sister table, named with `_history` behind, keeps what rows were before.
    const HISTORY: bool = !Self::APPEND_ONLY;
    /// The key of this row.
    fn key(&self) -> Self::Key;
    /// Position of the event that changed it last.
    fn position(&self) -> i64;
    /// Notes the event that changes it.
    fn touch(&mut self, stamp: &Stamp);
}

/// `row!(Flight in "flights" by flight: FlightId)`: a row with columns `position` and `changed_at`.
macro_rules! row {
    ($row:ident in $table:literal by $($key:ident: $type:ty),+) => {
        impl $crate::engine::Row for $row {
            type Key = ($($type,)+);
            const TABLE: &'static str = $table;
            const KEY: &'static [&'static str] = &[$(stringify!($key)),+];
            fn key(&self) -> Self::Key { ($(self.$key.clone(),)+) }
            fn position(&self) -> i64 { self.position }
            fn touch(&mut self, stamp: &vigie_domain::kernel::Stamp) {
                self.position = stamp.position;
                self.changed_at = stamp.recorded_at;
            }
        }
    };
}
pub(crate) use row;

/// The row types of a read model: a tuple of [`Row`]s.
pub trait RowSet {
    /// One empty table each.
    #[doc(hidden)]
    fn tables() -> Tables;
}

/// Empty tables by their row type.
#[doc(hidden)]
pub(crate) type Tables = Vec<(TypeId, Box<dyn AnyTable>)>;

macro_rules! row_set {
    ($($row:ident),+) => {
        impl<$($row: Row),+> RowSet for ($($row,)+) {
            fn tables() -> Tables {
                vec![$((TypeId::of::<$row>(), Box::new(Table::<$row>::default()) as Box<dyn AnyTable>)),+]
            }
        }
    };
}
row_set!(A);
row_set!(A, B);
row_set!(A, B, C);

/// A table without its row type, for the engine.
#[doc(hidden)]
pub trait AnyTable: Send + Sync {
    /// Name of the table.
    fn name(&self) -> &'static str;
    /// Its key columns.
    fn key_columns(&self) -> &'static [&'static str];
    /// The keys asked for, as objects of key columns; empty for append-only tables.
    fn wanted(&self) -> Vec<Value>;
    /// How many rows were asked for.
    #[cfg(test)]
    fn asked(&self) -> usize;
    /// Takes a stored row in.
    fn load(&mut self, json: &str) -> Result<(), serde_json::Error>;
    /// Whether it has a sister with what rows were before.
    fn has_history(&self) -> bool;
    /// The rows that are not as they were loaded, in the order of their keys.
    fn changed(&self) -> Result<Option<Changed>, serde_json::Error>;
    /// Every version of a row that was superseded, in the order in which that happened.
    fn superseded(&self) -> Result<Option<Changed>, serde_json::Error>;
    #[doc(hidden)]
    fn as_any(&self) -> &dyn Any;
    #[doc(hidden)]
    fn as_any_mut(&mut self) -> &mut dyn Any;
}

/// Rows to write.
#[doc(hidden)]
pub struct Changed {
    pub(crate) columns: Vec<String>,
    /// An array of objects.
    pub(crate) json: String,
}

impl Changed {
    fn of<T: Serialize>(rows: &[T]) -> Result<Option<Self>, serde_json::Error> {
        let Some(first) = rows.first() else { return Ok(None) };
        let Value::Object(first) = serde_json::to_value(first)? else { unreachable!("a row has named columns") };
        let columns = first.into_iter().map(|(column, _)| column).collect();
        Ok(Some(Self { columns, json: serde_json::to_string(rows)? }))
    }
}

struct Slot<R> {
    stored: Option<R>,
    now: Option<R>,
}

/// A version of a row that held until before a position.
#[derive(Serialize)]
struct Version<R> {
    #[serde(flatten)]
    row: R,
    until: i64,
}

struct Table<R: Row> {
    slots: BTreeMap<R::Key, Slot<R>>,
    past: Vec<Version<R>>,
}

impl<R: Row> Default for Table<R> {
    fn default() -> Self {
        Self { slots: BTreeMap::new(), past: Vec::new() }
    }
}

impl<R: Row> Table<R> {
    fn slot(&mut self, key: &R::Key) -> Result<&mut Slot<R>, FoldError> {
        let not_named = || FoldError::NotNamed { table: R::TABLE, key: format!("{key:?}") };
        self.slots.get_mut(key).ok_or_else(not_named)
    }
}

impl<R: Row> AnyTable for Table<R> {
    fn name(&self) -> &'static str {
        R::TABLE
    }

    fn key_columns(&self) -> &'static [&'static str] {
        R::KEY
    }

    fn wanted(&self) -> Vec<Value> {
        if R::APPEND_ONLY {
            return Vec::new();
        }
        let object = |key: &R::Key| match serde_json::to_value(key) {
            Ok(Value::Array(values)) => R::KEY.iter().map(|column| (*column).to_owned()).zip(values).collect(),
            Ok(other) => unreachable!("a key serialises to an array, not {other}"),
            Err(error) => unreachable!("a key is plain data and serialises: {error}"),
        };
        self.slots.keys().map(|key| Value::Object(object(key))).collect()
    }

    #[cfg(test)]
    fn asked(&self) -> usize {
        self.slots.len()
    }

    fn load(&mut self, json: &str) -> Result<(), serde_json::Error> {
        let row: R = serde_json::from_str(json)?;
        self.slots.insert(row.key(), Slot { stored: Some(row.clone()), now: Some(row) });
        Ok(())
    }

    fn changed(&self) -> Result<Option<Changed>, serde_json::Error> {
        let changed = self.slots.values().filter(|slot| slot.now != slot.stored);
        let rows: Vec<&R> = changed.filter_map(|slot| slot.now.as_ref()).collect();
        Changed::of(&rows)
    }

    fn superseded(&self) -> Result<Option<Changed>, serde_json::Error> {
        Changed::of(&self.past)
    }

    fn has_history(&self) -> bool {
        R::HISTORY
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}

/// The rows that a batch touches. A change by an event that a row has already seen does nothing, so that a batch
/// that is delivered twice changes nothing.
pub struct Rows {
    tables: HashMap<TypeId, Box<dyn AnyTable>>,
    order: Vec<TypeId>,
}

impl Rows {
    pub(crate) fn new(tables: Tables) -> Self {
        let order = tables.iter().map(|(id, _)| *id).collect();
        Self { tables: tables.into_iter().collect(), order }
    }

    /// The table at this place in the declaration.
    pub(crate) fn table_mut(&mut self, place: usize) -> Option<&mut (dyn AnyTable + 'static)> {
        let id = self.order.get(place)?;
        self.tables.get_mut(id).map(AsMut::as_mut)
    }

    /// Asks for the row with this key.
    pub fn want<R: Row>(&mut self, key: R::Key) {
        self.table_of::<R>().slots.entry(key).or_insert(Slot { stored: None, now: None });
    }

    /// The row as it is now, if there is one.
    #[must_use]
    pub fn get<R: Row>(&self, key: &R::Key) -> Option<&R> {
        let table = self.tables.get(&TypeId::of::<R>())?;
        let table: &Table<R> = table.as_any().downcast_ref()?;
        table.slots.get(key)?.now.as_ref()
    }

    /// Changes the row that an earlier event has made.
    ///
    /// # Errors
    /// There is no such row, or it was not asked for.
    pub fn change<R: Row>(
        &mut self,
        key: &R::Key,
        entry: &Entry,
        change: impl FnOnce(&mut R),
    ) -> Result<(), FoldError> {
        let table = self.table_of::<R>();
        let Some(row) = &mut table.slot(key)?.now else {
            return Err(FoldError::Missing { table: R::TABLE, key: format!("{key:?}") });
        };
        if row.position() < entry.stamp().position {
            let before = R::HISTORY.then(|| row.clone());
            change(row);
            row.touch(entry.stamp());
            if let Some(before) = before {
                table.past.push(Version { row: before, until: entry.stamp().position });
            }
        }
        Ok(())
    }

    /// Puts a new row, or a whole new state of one; `make` gets the row as it is.
    ///
    /// # Errors
    /// It was not asked for.
    pub fn put<R: Row>(
        &mut self,
        key: &R::Key,
        entry: &Entry,
        make: impl FnOnce(Option<&R>) -> R,
    ) -> Result<(), FoldError> {
        let table = self.table_of::<R>();
        let slot = table.slot(key)?;
        if slot.now.as_ref().is_none_or(|row| row.position() < entry.stamp().position) {
            let mut row = make(slot.now.as_ref());
            row.touch(entry.stamp());
            if let Some(before) = slot.now.replace(row).filter(|_| R::HISTORY) {
                table.past.push(Version { row: before, until: entry.stamp().position });
            }
        }
        Ok(())
    }

    /// Whether any row was asked for.
    #[cfg(test)]
    pub(crate) fn any(&self) -> bool {
        self.tables.values().any(|table| table.asked() > 0)
    }

    /// Every row of a table as it is now.
    #[cfg(test)]
    pub(crate) fn all<R: Row>(&mut self) -> Vec<R> {
        self.table_of::<R>().slots.values().filter_map(|slot| slot.now.clone()).collect()
    }

    fn table_of<R: Row>(&mut self) -> &mut Table<R> {
        let table = self.tables.get_mut(&TypeId::of::<R>()).map(|table| table.as_any_mut().downcast_mut());
        table.flatten().unwrap_or_else(|| panic!("{} is not among the tables of its read model", R::TABLE))
    }
}
