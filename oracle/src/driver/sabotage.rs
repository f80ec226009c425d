//! Breaks a promise on purpose, to show that it is noticed.

use clap::ValueEnum;
use sqlx::{Executor, PgConnection};

use crate::Fault;

/// What is done wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sabotage {
    /// An append lets go of the lock before it commits.
    EarlyUnlock,
    /// A read model's checkpoint is saved in a transaction of its own, before the rows.
    TornCheckpoint,
    /// An append whose outcome is unknown is sent again as a new command.
    BlindRetry,
}

impl Sabotage {
    /// As the processes know it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::EarlyUnlock => "early-unlock",
            Self::TornCheckpoint => "torn-checkpoint",
            Self::BlindRetry => "blind-retry",
        }
    }

    /// Does in the database what is to be done there.
    pub(super) async fn prepare(self, admin: &mut PgConnection) -> Result<(), Fault> {
        match self {
            Self::EarlyUnlock => {
                admin.execute(include_str!("early_unlock.sql")).await?;
            }
            Self::TornCheckpoint | Self::BlindRetry if !cfg!(feature = "sabotage") => {
                return Err("this build cannot break that: build it with the feature `sabotage`".into());
            }
            Self::TornCheckpoint | Self::BlindRetry => {}
        }
        Ok(())
    }
}
