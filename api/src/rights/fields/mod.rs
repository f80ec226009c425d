//! The right that each field of the schema needs.
//!
//! A field that is not here is refused, to everybody who does not hold every right; a test fails before that.

mod plain;
mod roots;
mod things;

use std::collections::HashMap;
use std::sync::LazyLock;

use super::Right;

/// Fields of a type that need the same.
pub(super) struct Line {
    /// The type.
    pub(super) on: &'static str,
    /// The right, at the site of what is asked for; none for what is only as much as its parent.
    pub(super) right: Option<Right>,
    /// The fields, with spaces between.
    pub(super) fields: &'static str,
}

/// `NAME Type { Right: field …; … } …`, with `Free` for no right.
macro_rules! fields {
    ($name:ident $($on:ident { $($right:ident: $($field:ident)+;)* })*) => {
        pub(super) const $name: &[Line] = &[$($(Line {
            on: stringify!($on),
            right: fields!(@ $right),
            fields: concat!($(stringify!($field), " "),+),
        },)*)*];
    };
    (@ Free) => { None };
    (@ $right:ident) => { Some($crate::rights::Right::$right) };
}
use fields;

/// Every line.
pub(super) fn lines() -> impl Iterator<Item = &'static Line> {
    [roots::ROOTS, things::THINGS, plain::PLAIN].into_iter().flatten()
}

/// Fields by type and name.
type Table = HashMap<(&'static str, &'static str), Option<Right>>;

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    lines().flat_map(|line| line.fields.split_whitespace().map(|field| ((line.on, field), line.right))).collect()
});

/// What a field needs; the outer `None` of one that has no line.
pub(super) fn needs(on: &str, field: &str) -> Option<Option<Right>> {
    TABLE.get(&(on, field)).copied()
}

/// The right that a field of a root needs. One without a right is held to the one that fewest hold.
pub(crate) fn right_of(on: &str, field: &str) -> Right {
    needs(on, field).flatten().unwrap_or(Right::ManageUsers)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::limits::schema_fields;

    #[test]
    fn every_field_of_the_schema_has_one_line_and_no_other_has_any() {
        let schema: BTreeSet<(String, String)> = schema_fields();
        let mut table = BTreeSet::new();
        for line in lines() {
            for field in line.fields.split_whitespace() {
                assert!(table.insert((line.on.to_owned(), field.to_owned())), "{}.{field} has two lines", line.on);
            }
        }
        let without: Vec<_> = schema.difference(&table).collect();
        assert!(without.is_empty(), "no right is said for {without:?}");
        let gone: Vec<_> = table.difference(&schema).collect();
        assert!(gone.is_empty(), "not in the schema: {gone:?}");
    }
}
