//! How large the futures of fields are.
//!
//! The future of every field of an object is as large as that of its largest, is allocated for each field of each row,
//! and is moved there. So what a field seldom needs much room for is boxed by it.

use async_graphql::{ContainerType, Context};

use super::airport::{Allocation, Flight, Stand};
use super::alerts::Alert;
use super::audit::AuditEntry;
use super::rail::Pass;
use super::support::Site;

/// Bytes of the future of any field.
const MOST: usize = 1_024;

fn size<'a, T: ContainerType + 'a>() -> usize {
    fn of<A, B, F>(_: impl Fn(A, B) -> F) -> usize {
        size_of::<F>()
    }
    of(|row: &'a T, ctx: &'a Context<'a>| row.resolve_field(ctx))
}

#[test]
fn a_field_of_a_row_is_small() {
    let sizes = [
        ("Allocation", size::<Allocation>()),
        ("Alert", size::<Alert>()),
        ("AuditEntry", size::<AuditEntry>()),
        ("Flight", size::<Flight>()),
        ("Pass", size::<Pass>()),
        ("Site", size::<Site>()),
        ("Stand", size::<Stand>()),
    ];
    assert!(sizes.iter().all(|(_, size)| *size <= MOST), "{sizes:?}");
}
