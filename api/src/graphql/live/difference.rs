//! The difference of two lists.

use std::collections::{BTreeSet, HashSet};

/// A change from one list to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change<'a> {
    Removed(&'a str),
    Placed { id: &'a str, index: usize, is_new: bool },
}

/// What makes `after` of `before`, if only rows of `touched` can have changed or moved: taken out first all, then put in
/// those that are placed, in this order.
pub(super) fn difference<'a>(before: &'a [String], after: &'a [String], touched: &BTreeSet<String>) -> Vec<Change<'a>> {
    let (old, new): (HashSet<&String>, HashSet<&String>) = (before.iter().collect(), after.iter().collect());
    let removed = before.iter().filter(|id| !new.contains(id)).map(|id| Change::Removed(id));
    let placed = after.iter().enumerate().filter_map(|(index, id)| {
        let is_new = !old.contains(id);
        (is_new || touched.contains(id)).then_some(Change::Placed { id, index, is_new })
    });
    removed.chain(placed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a client does.
    fn fold(list: &[String], changes: &[Change<'_>]) -> Vec<String> {
        let id = |change: &Change<'_>| match change {
            Change::Removed(id) | Change::Placed { id, .. } => (*id).to_owned(),
        };
        let gone: HashSet<String> = changes.iter().map(id).collect();
        let mut list: Vec<String> = list.iter().filter(|id| !gone.contains(*id)).cloned().collect();
        for change in changes {
            if let Change::Placed { id, index, .. } = change {
                list.insert(*index, (*id).to_owned());
            }
        }
        list
    }

    proptest! {
        #[test]
        fn the_old_list_with_the_difference_is_the_new_one(
            all in prop::collection::vec((any::<bool>(), any::<bool>(), any::<bool>(), any::<u8>()), 0..30),
        ) {
            // A row keeps its place among the others unless it is touched.
            let name = |n: usize| format!("row:{n:02}");
            let before: Vec<String> = (0..all.len()).filter(|n| all[*n].0).map(name).collect();
            let touched: BTreeSet<String> = (0..all.len()).filter(|n| all[*n].2).map(name).collect();
            let mut places: Vec<(u8, usize)> =
                (0..all.len()).filter(|n| all[*n].1).map(|n| (if all[n].2 { all[n].3 } else { n as u8 }, n)).collect();
            places.sort_unstable();
            let after: Vec<String> = places.into_iter().map(|(_, n)| name(n)).collect();
            let changes = difference(&before, &after, &touched);
            prop_assert_eq!(fold(&before, &changes), after);
        }
    }
}
