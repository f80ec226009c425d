//! Plays a demo day through the same commands that people and feeds give.
//!
//! A step's command id follows from seed, date and place in the day, so that a day that was played before, in part or
//! whole, adds nothing: playing goes on after the last step that the log holds. The commands are carried out at the
//! time of the demo day, not at that of the wall.

pub(crate) mod accounts;
mod carry_out;
#[cfg(test)]
mod end_to_end;
pub mod live;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use vigie_commands::{Executor, Order};
use vigie_domain::kernel::derived_uuid;
use vigie_eventlog::LogError;
use vigie_integrations::demo::{self, Day, Step};

pub use carry_out::Came;

/// How fast the demo's time goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speed {
    /// So many times as fast as the wall's.
    Times(u32),
    /// Without waiting.
    Max,
}

/// Not a speed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a speed: a number from 1 to 86400, such as 60 for an hour a minute, or max")]
pub struct SpeedError(String);

impl std::str::FromStr for Speed {
    type Err = SpeedError;
    fn from_str(text: &str) -> Result<Self, SpeedError> {
        match text {
            "max" => Ok(Self::Max),
            _ => {
                let times = text.parse().ok().filter(|times| (1..=86_400).contains(times));
                times.map(Self::Times).ok_or_else(|| SpeedError(text.to_owned()))
            }
        }
    }
}

/// What came of playing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Played {
    /// Steps that were carried out now.
    pub steps: usize,
    /// Steps that had been played before.
    pub before: usize,
    /// Steps that a rule refused, because somebody had done something else meanwhile.
    pub refused: usize,
    /// Events that were appended.
    pub events: usize,
}

/// The demo cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    /// The log failed.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A step could not be carried out, for a reason that is not its own.
    #[error("{says}: could not be carried out")]
    Fault {
        /// The step.
        says: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Plays one day.
#[derive(Debug, Clone, Copy)]
pub struct Player {
    /// Which day.
    pub day: Day,
}

impl Player {
    /// Sets the demo sites up. What was set up by the demo before is left as it is now.
    ///
    /// # Errors
    /// The log failed.
    pub async fn set_up(&self, executor: &Executor) -> Result<Played, PlayError> {
        let mut played = Played::default();
        for step in demo::set_up() {
            // Not by place: a demo that sets more up later does not take one step for another.
            let cause = serde_json::to_string(&step.command).expect("a command is plain data");
            let order = Order::new(derived_uuid("demo.setup", &cause), step.actor);
            played.count(&carry_out::step(executor, &step, order).await?);
        }
        Ok(played)
    }

    /// Plays the day: without waiting up to `start`, from there at `speed`, until its end or until told to stop. `say`
    /// is told of every step that is carried out.
    ///
    /// # Errors
    /// The log failed.
    pub async fn run(
        &self,
        executor: &Executor,
        speed: Speed,
        start: DateTime<Utc>,
        cancel: &CancellationToken,
        say: &mut (dyn FnMut(&Step, &Came) + Send),
    ) -> Result<Played, PlayError> {
        let steps = self.day.steps();
        let before = self.played_before(executor, steps.len()).await?;
        let mut played = Played { before, ..Played::default() };
        let clock = Arc::new(AtomicI64::new(0));
        let told = Arc::clone(&clock);
        let now = move || DateTime::from_timestamp_micros(told.load(Ordering::Relaxed)).unwrap_or_default();
        let executor = executor.on_clock(Arc::new(now));
        let begun = Instant::now();
        for (place, step) in steps.iter().enumerate().skip(before) {
            let due = begun + wait(speed, step.at - start);
            tokio::select! {
                biased;
                () = cancel.cancelled() => break,
                () = tokio::time::sleep_until(due) => {}
            }
            clock.store(step.at.timestamp_micros(), Ordering::Relaxed);
            let came = carry_out::step(&executor, step, Order::new(self.command_id(place), step.actor)).await?;
            played.count(&came);
            say(step, &came);
        }
        Ok(played)
    }

    /// The time of the first step that is not in the log yet; none if the day was played to its end.
    ///
    /// # Errors
    /// The log failed.
    pub async fn next_at(&self, executor: &Executor) -> Result<Option<DateTime<Utc>>, PlayError> {
        let steps = self.day.steps();
        let before = self.played_before(executor, steps.len()).await?;
        Ok(steps.get(before).map(|step| step.at))
    }

    /// How many steps lie before the first that the log does not hold. Not every step leaves a trace in it, so the
    /// last one that does is looked for.
    async fn played_before(&self, executor: &Executor, steps: usize) -> Result<usize, LogError> {
        for place in (0..steps).rev() {
            if executor.log().appended(self.command_id(place)).await?.is_some() {
                return Ok(place + 1);
            }
        }
        Ok(0)
    }

    fn command_id(&self, place: usize) -> uuid::Uuid {
        derived_uuid("demo", &format!("{}/{}/{place}", self.day.seed, self.day.date))
    }
}

impl Played {
    fn count(&mut self, came: &Came) {
        self.steps += 1;
        match came {
            Came::Done { appended, .. } => self.events += appended,
            Came::Refused { .. } => self.refused += 1,
        }
    }
}

/// How long the wall's time takes for `ahead` of the demo's.
fn wait(speed: Speed, ahead: TimeDelta) -> Duration {
    match speed {
        Speed::Max => Duration::ZERO,
        Speed::Times(times) => ahead.to_std().unwrap_or(Duration::ZERO) / times,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_demo_hour_takes_a_minute_at_speed_60() {
        assert_eq!(wait(Speed::Times(60), TimeDelta::hours(1)), Duration::from_secs(60));
        assert_eq!(wait(Speed::Times(60), TimeDelta::hours(-1)), Duration::ZERO);
        assert_eq!(wait(Speed::Max, TimeDelta::hours(1)), Duration::ZERO);
    }

    #[test]
    fn a_speed_is_a_number_or_max() {
        assert_eq!("60".parse(), Ok(Speed::Times(60)));
        assert_eq!("max".parse(), Ok(Speed::Max));
        for text in ["0", "fast", "-1", "86401", ""] {
            assert_eq!(text.parse::<Speed>(), Err(SpeedError(text.to_owned())));
        }
    }
}
