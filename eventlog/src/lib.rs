//! The event log on Postgres.
//!
//! It keeps facts of any kind in one order and knows nothing of what they say. What must stay true:
//! 1. Positions are 1, 2, 3, … without gaps, in commit order: whoever sees n has seen all before it.
//! 2. An append is all or nothing, and its conditions are checked against everything committed before it.
//! 3. An append is idempotent by command id, in the same transaction.
//! 4. Acknowledged means flushed.
//! 5. Events are never changed or deleted.

mod append;
pub mod check;
pub mod cluster;
pub mod database;
mod event;
mod follow;
mod history;
mod log;
mod query;
pub mod ranges;
mod read;
mod reading;
mod recent;
mod router;
#[cfg(feature = "sabotage")]
mod sabotage;
mod sequencer;
mod tail;
pub mod testing;
pub mod time;
pub mod transfer;

pub use append::{Append, AppendError, Appended, Condition};
pub use event::{Metadata, NewEvent, Recorded};
pub use follow::{Follower, Lag, Portion, Step};
pub use history::History;
pub use log::{Log, LogError, MIGRATOR};
pub use query::{Criterion, Query};
pub use read::{Direction, Read};
