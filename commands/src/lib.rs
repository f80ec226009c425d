//! The write side: carries decisions out.
//!
//! One [`Executor`] serves every decision: it loads the views that the decision asks for, lets it decide, appends
//! under the guards that it collected, and decides again when somebody was faster. [`policies`] react to facts with
//! commands of their own. What a rule forbids is kept in [`refusals`], and what is left to do by hand in [`dead_letters`].
//! [`time`] is the clock that all of it goes by.

mod answer;
pub mod dead_letters;
mod executor;
mod hidden;
pub mod jobs;
mod order;
pub mod policies;
pub mod refusals;
pub mod time;
mod turns;
mod views;

pub use executor::{Clock, Executor};
pub use order::{Done, Failure, Order, reason};
