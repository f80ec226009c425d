//! One thing that happens.

use chrono::{DateTime, Utc};
use serde::Serialize;
use vigie_domain::airport::{
    AllocateStand, CloseStand, DefineStand, FreeStand, LinkTurnaround, ObserveFlight, ReopenStand, SetAllocationRules,
    SetTurnaroundRule,
};
use vigie_domain::alerts::AcknowledgeAlert;
use vigie_domain::rail::{ConfirmPass, RecordPassPart, SetLimits};
use vigie_domain::support::DefineSite;

/// A command that somebody gives at a time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// When.
    pub at: DateTime<Utc>,
    /// Who or what gives it, such as `operator:demo`.
    pub actor: &'static str,
    /// The command.
    pub command: Command,
    /// What happens, for people.
    pub says: String,
}

macro_rules! commands {
    ($($name:ident),* $(,)?) => {
        /// The commands of a demo day.
        #[derive(Debug, Clone, PartialEq, Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Command {
            $(#[doc = concat!("See [`", stringify!($name), "`].")] $name(Box<$name>),)*
        }

        $(impl From<$name> for Command {
            fn from(command: $name) -> Self { Self::$name(Box::new(command)) }
        })*
    };
}

commands!(
    DefineSite,
    DefineStand,
    SetAllocationRules,
    SetTurnaroundRule,
    SetLimits,
    ObserveFlight,
    LinkTurnaround,
    AllocateStand,
    CloseStand,
    ReopenStand,
    FreeStand,
    RecordPassPart,
    AcknowledgeAlert,
    ConfirmPass,
);

impl Step {
    pub(super) fn new(at: DateTime<Utc>, actor: &'static str, command: impl Into<Command>, says: String) -> Self {
        Self { at, actor, command: command.into(), says }
    }
}
