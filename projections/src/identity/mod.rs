//! Who can hold roles.

mod accounts;

pub use accounts::{AccountKind, AccountRow, AccountState, Accounts};
