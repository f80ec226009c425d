//! Rows in memory: those that a batch of events touches, or those that a fill keeps.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::collections::hash_map;
use std::fmt::Debug;
use std::hash::Hash;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use vigie_domain::kernel::Stamp;

use super::lines::Lines;
use super::{Entry, FoldError};

/// A row of a table in the schema `read`. Its fields are the table's columns, by name.
pub trait Row: Clone + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// What tells rows apart; serialises to an array with one value per key column.
    type Key: Clone + Ord + Hash + Debug + Serialize + Send + Sync + 'static;
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
    /// Whether rows are only ever added.
    fn is_append_only(&self) -> bool;
    /// Whether it has a sister with what rows were before.
    fn has_history(&self) -> bool;
    /// The keys that were asked for and not looked up yet, as objects of key columns; empty for append-only tables.
    fn wanted(&mut self) -> Vec<Value>;
    /// Says that every row of the table is in memory: what is not here is new.
    fn is_whole(&mut self);
    /// Whether there are keys to look up.
    fn lacks(&self) -> bool;
    /// How many rows are in memory, also those that are not there yet.
    fn held(&self) -> usize;
    /// Takes a stored row in.
    fn load(&mut self, json: &str) -> Result<(), serde_json::Error>;
    /// What is to be written, which counts as written from now on.
    fn take(&mut self) -> Unwritten;
    /// Bytes of former versions and added rows that are to be written.
    fn unwritten_size(&self) -> usize;
    /// Goes on to the next turn; with `forget`, drops the rows that neither the last turn nor the one before has used.
    fn turn(&mut self, forget: bool);
    #[doc(hidden)]
    fn as_any(&self) -> &dyn Any;
    #[doc(hidden)]
    fn as_any_mut(&mut self) -> &mut dyn Any;
}

/// Rows of one table to write.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct Unwritten {
    /// Not in the table.
    pub(crate) new: Lines,
    /// In the table, and different there.
    pub(crate) changed: Lines,
    /// What rows were before.
    pub(crate) past: Lines,
}

struct Slot<R> {
    now: Option<R>,
    /// Whether it is in the table, in whatever state.
    stored: bool,
    /// Whether it is to be written.
    dirty: bool,
    /// The turn that wanted it last.
    used: u32,
}

struct Table<R: Row> {
    slots: HashMap<R::Key, Slot<R>>,
    /// Keys of the rows that are to be written, in the order of their first change.
    dirty: Vec<R::Key>,
    /// Rows of an append-only table, which need no slot: nobody looks at them again.
    added: Lines,
    count: usize,
    past: Lines,
    whole: bool,
    /// Keys that were asked for and not looked up yet.
    wanted: Vec<R::Key>,
    turn: u32,
}

impl<R: Row> Default for Table<R> {
    fn default() -> Self {
        let (slots, dirty, added, past, wanted) = Default::default();
        Self { slots, dirty, added, count: 0, past, whole: R::APPEND_ONLY, wanted, turn: 0 }
    }
}

impl<R: Row> Table<R> {
    fn want(&mut self, key: R::Key) {
        if R::APPEND_ONLY {
            self.count += 1;
            return;
        }
        match self.slots.entry(key) {
            hash_map::Entry::Occupied(mut slot) => slot.get_mut().used = self.turn,
            hash_map::Entry::Vacant(vacant) => {
                if !self.whole {
                    self.wanted.push(vacant.key().clone());
                }
                vacant.insert(Slot { now: None, stored: false, dirty: false, used: self.turn });
            }
        }
    }
}

impl<R: Row> AnyTable for Table<R> {
    fn name(&self) -> &'static str {
        R::TABLE
    }

    fn key_columns(&self) -> &'static [&'static str] {
        R::KEY
    }

    fn is_append_only(&self) -> bool {
        R::APPEND_ONLY
    }

    fn has_history(&self) -> bool {
        R::HISTORY
    }

    fn wanted(&mut self) -> Vec<Value> {
        let object = |key: &R::Key| match serde_json::to_value(key) {
            Ok(Value::Array(values)) => R::KEY.iter().map(|column| (*column).to_owned()).zip(values).collect(),
            Ok(other) => unreachable!("a key serialises to an array, not {other}"),
            Err(error) => unreachable!("a key is plain data and serialises: {error}"),
        };
        self.wanted.drain(..).map(|key| Value::Object(object(&key))).collect()
    }

    fn is_whole(&mut self) {
        self.whole = true;
    }

    fn lacks(&self) -> bool {
        !self.wanted.is_empty()
    }

    fn held(&self) -> usize {
        self.slots.len() + self.count
    }

    fn load(&mut self, json: &str) -> Result<(), serde_json::Error> {
        let row: R = serde_json::from_str(json)?;
        let slot = Slot { now: None, stored: true, dirty: false, used: self.turn };
        let slot = self.slots.entry(row.key()).or_insert(slot);
        (slot.now, slot.stored) = (Some(row), true);
        Ok(())
    }

    fn take(&mut self) -> Unwritten {
        let (past, new) = (self.past.take(), self.added.take());
        let mut unwritten = Unwritten { new, past, changed: Lines::default() };
        for key in self.dirty.drain(..) {
            let Some(slot) = self.slots.get_mut(&key) else { continue };
            let Some(row) = &slot.now else { continue };
            if slot.stored {
                unwritten.changed.push(row)
            } else {
                unwritten.new.push(row)
            }
            (slot.stored, slot.dirty) = (true, false);
        }
        self.count = 0;
        unwritten
    }

    fn unwritten_size(&self) -> usize {
        self.past.size() + self.added.size()
    }

    fn turn(&mut self, forget: bool) {
        if forget {
            let (before, turn) = (self.slots.len(), self.turn);
            self.slots.retain(|_, slot| slot.dirty || slot.used + 1 >= turn);
            // A slot without a row says that there is none, which is lost too.
            self.whole &= self.slots.len() == before;
        }
        self.turn += 1;
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}

/// The rows that a batch touches, or a fill keeps. A change by an event that a row has already seen does nothing, so
/// that a batch that is delivered twice changes nothing.
pub struct Rows {
    tables: Tables,
    /// Whether only some of the events are folded, so that rows may not have been made.
    partial: bool,
}

impl Rows {
    pub(crate) fn new(tables: Tables) -> Self {
        Self { tables, partial: false }
    }

    /// For folding only the events about some rows: what they change of others is passed over.
    pub(crate) fn partial(tables: Tables) -> Self {
        Self { tables, partial: true }
    }

    /// The tables, in the order of their declaration.
    pub(crate) fn tables_mut(&mut self) -> impl Iterator<Item = &mut (dyn AnyTable + 'static)> {
        self.tables.iter_mut().map(|(_, table)| table.as_mut())
    }

    /// The same, to look at.
    pub(crate) fn tables(&self) -> impl Iterator<Item = &(dyn AnyTable + 'static)> {
        self.tables.iter().map(|(_, table)| table.as_ref())
    }

    /// Asks for the row with this key.
    pub fn want<R: Row>(&mut self, key: R::Key) {
        self.table_of::<R>().want(key);
    }

    /// The row as it is now, if there is one.
    #[must_use]
    pub fn get<R: Row>(&self, key: &R::Key) -> Option<&R> {
        let (_, table) = self.tables.iter().find(|(id, _)| *id == TypeId::of::<R>())?;
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
        let partial = self.partial;
        let Table { slots, dirty, past, .. } = self.table_of::<R>();
        let slot = slots.get_mut(key).ok_or_else(|| not_named::<R>(key))?;
        let Some(row) = &mut slot.now else {
            if partial {
                return Ok(());
            }
            return Err(FoldError::Missing { table: R::TABLE, key: format!("{key:?}") });
        };
        let position = entry.stamp().position;
        if row.position() < position {
            if R::HISTORY {
                past.push_version(row, row.position(), position);
            }
            change(row);
            row.touch(entry.stamp());
            if !std::mem::replace(&mut slot.dirty, true) {
                dirty.push(key.clone());
            }
        }
        Ok(())
    }

    /// Puts a new row, or a whole new state of one; `make` gets the row as it is. What goes into an append-only table
    /// is put once for each event.
    ///
    /// # Errors
    /// It was not asked for.
    pub fn put<R: Row>(
        &mut self,
        key: &R::Key,
        entry: &Entry,
        make: impl FnOnce(Option<&R>) -> R,
    ) -> Result<(), FoldError> {
        let Table { slots, dirty, added, past, .. } = self.table_of::<R>();
        if R::APPEND_ONLY {
            let mut row = make(None);
            row.touch(entry.stamp());
            added.push(&row);
            return Ok(());
        }
        let slot = slots.get_mut(key).ok_or_else(|| not_named::<R>(key))?;
        let position = entry.stamp().position;
        if slot.now.as_ref().is_none_or(|row| row.position() < position) {
            if R::HISTORY
                && let Some(row) = &slot.now
            {
                past.push_version(row, row.position(), position);
            }
            let mut row = make(slot.now.as_ref());
            row.touch(entry.stamp());
            slot.now = Some(row);
            if !std::mem::replace(&mut slot.dirty, true) {
                dirty.push(key.clone());
            }
        }
        Ok(())
    }

    /// Whether any row was asked for.
    #[cfg(test)]
    pub(crate) fn any(&self) -> bool {
        self.tables().any(|table| table.held() > 0)
    }

    /// Every row of a table as it is now, in the order of their keys.
    #[cfg(test)]
    pub(crate) fn all<R: Row>(&mut self) -> Vec<R> {
        let table = self.table_of::<R>();
        let mut rows: Vec<R> = table.slots.values().filter_map(|slot| slot.now.clone()).collect();
        rows.extend(table.added.iter().map(|row| serde_json::from_slice::<R>(row).unwrap()));
        rows.sort_by_key(Row::key);
        rows
    }

    fn table_of<R: Row>(&mut self) -> &mut Table<R> {
        let table = self.tables.iter_mut().find(|(id, _)| *id == TypeId::of::<R>());
        let table = table.and_then(|(_, table)| table.as_any_mut().downcast_mut());
        table.unwrap_or_else(|| panic!("{} is not among the tables of its read model", R::TABLE))
    }
}

fn not_named<R: Row>(key: &R::Key) -> FoldError {
    FoldError::NotNamed { table: R::TABLE, key: format!("{key:?}") }
}
