//! Operating read models and policies, for the command line and the API alike.

mod place;
mod skip;

pub(crate) use place::{EventName, PlaceError, Until, bounded, find_event, position_until};
pub(crate) use skip::{SkipError, Skipping, known, skip, stopped_by};
