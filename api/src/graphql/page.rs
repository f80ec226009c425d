//! Which page of a list is asked for: `first`/`after` or `last`/`before`, as Relay's connections define them.

use async_graphql::Error;

use super::error::bad_input;

/// The most rows that a page can have. How many it may have is looked at before (`crate::limits`).
pub(super) const MAX: i32 = 1_000;
/// The rows in a page when nothing is said.
const DEFAULT: i32 = 50;

/// A checked page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Page {
    /// The most rows.
    pub(super) limit: i32,
    /// Whether it is counted from the list's end.
    pub(super) backwards: bool,
    /// The cursor that it starts after.
    pub(super) after: Option<String>,
    /// The cursor that it ends before.
    pub(super) before: Option<String>,
}

impl Page {
    /// Checks the four arguments of a list.
    ///
    /// # Errors
    /// Both directions at once, or a size out of bounds.
    pub(super) fn new(
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Self, Error> {
        if first.is_some() && last.is_some() {
            return Err(bad_input("last", "first and last cannot be asked for together"));
        }
        for (name, size) in [("first", first), ("last", last)] {
            if size.is_some_and(|size| !(0..=MAX).contains(&size)) {
                return Err(bad_input(name, "it is not a number of rows: 0 or more, within the limit of a page"));
            }
        }
        let limit = first.or(last).unwrap_or(DEFAULT);
        Ok(Self { limit, backwards: last.is_some(), after, before })
    }

    /// The same with one cursor: where it begins, or where it ends when it is counted from the list's end.
    ///
    /// # Errors
    /// As [`Page::new`].
    pub(super) fn at(first: Option<i32>, last: Option<i32>, cursor: Option<String>) -> Result<Self, Error> {
        let (after, before) = if last.is_some() { (None, cursor) } else { (cursor, None) };
        Self::new(first, after, last, before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_out_of_bounds_names_its_argument() {
        let message = |first, last| Page::new(first, None, last, None).unwrap_err().message;
        assert!(message(Some(1), Some(1)).starts_with("last: "));
        assert!(message(Some(1_001), None).starts_with("first: "));
        assert!(message(None, Some(-1)).starts_with("last: "));
    }

    #[test]
    fn without_a_size_a_page_has_50_rows() {
        let page = Page::new(None, None, None, Some("x".into())).unwrap();
        assert_eq!((page.limit, page.backwards), (50, false));
    }
}
