//! Rows that can be watched.

use crate::graphql::list::Row;

/// A row of a list that is kept up to date.
pub(in crate::graphql) trait LiveRow: Row + Clone + Sync {
    /// The tag of the things up to the id, such as `stand:`. Every event that changes such a thing carries it.
    const TAG: &'static str;
    /// Types of the events that change such things, or what hangs on them.
    fn kinds() -> Vec<&'static str>;
    /// The id, as the tag has it.
    fn id(&self) -> String;
}
