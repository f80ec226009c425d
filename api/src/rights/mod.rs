//! What somebody may do, and of which sites.
//!
//! Three things hold everywhere. A field of the schema needs the right that its line in `fields` names, and is refused
//! without one. What is read is read as if there were no other sites than those of which the right is held (`Scope`).
//! And a command is carried out only with its right at every site that it touches.

mod check;
mod directory;
#[cfg(test)]
mod documented;
mod fields;
mod held;
mod matrix;
mod right;
mod scope;

pub(crate) use check::{Forbidden, check, forbidden};
pub use directory::Directory;
pub(crate) use directory::{Denied, Lapse, Who};
pub(crate) use fields::right_of;
pub(crate) use held::{Rights, Sites};
pub(crate) use right::Right;
pub(crate) use scope::Scope;

#[cfg(test)]
mod tests;
