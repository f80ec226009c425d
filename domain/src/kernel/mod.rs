//! What every context builds on: events, tags, queries, decisions, intervals and ids.

mod decision;
mod earlier;
pub mod events;
mod ids;
mod interval;
mod query;
pub mod spec;
mod text;

pub use decision::Fact;
pub use decision::{
    AnyView, Context, Decided, Decision, Guard, Need, Refused, Stamp, Stop, Verdict, View, ViewId, World, plain,
};
pub use earlier::Earlier;
pub use ids::{IdError, derived_uuid};
pub(crate) use ids::{text_id, uuid_id};
pub use interval::{Interval, IntervalError, IntervalSet};
pub use query::{Criterion, Query, Tag};
pub use text::{Note, NoteError};
