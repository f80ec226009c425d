//! A command on its way, and what comes of it.

use uuid::Uuid;
use vigie_domain::DecodeError;
use vigie_eventlog::LogError;

/// Who gives a command, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// A command sent twice has the same id, and gets its first answer.
    pub command_id: Uuid,
    /// Who or what, such as `operator:local`, `feed:hkia` or `policy:alerts.spring_out_of_limits`.
    pub actor: String,
    /// The first command of the chain; this one if it starts a chain.
    pub correlation_id: Option<Uuid>,
    /// The event that is reacted to.
    pub causation_id: Option<Uuid>,
    /// W3C trace context of the request.
    pub traceparent: Option<String>,
    /// Whether the first answer is only for the same actor with the same command. Ids that clients choose may be used
    /// twice by mistake; those that follow from a fact cannot, though a later version may word their command otherwise.
    pub exact: bool,
}

impl Order {
    /// A command that starts a chain.
    pub fn new(command_id: Uuid, actor: impl Into<String>) -> Self {
        let actor = actor.into();
        Self { command_id, actor, correlation_id: None, causation_id: None, traceparent: None, exact: false }
    }

    /// The same, whose id was chosen by a client.
    #[must_use]
    pub fn exact(self) -> Self {
        Self { exact: true, ..self }
    }
}

/// An accepted command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done<A> {
    /// What the caller is told.
    pub answer: A,
    /// The log position at which the answer holds: the last appended event, or what was read when nothing was to do.
    pub position: i64,
    /// Number of events that this call appended; 0 if the wish was already true or the command is repeated.
    pub appended: usize,
    /// How often it was decided anew because somebody else was faster.
    pub retries: u32,
}

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum Failure<R> {
    /// A rule forbids it.
    #[error("refused")]
    Refused(R),
    /// Others were faster every time.
    #[error("gave up after {attempts} attempts: others kept changing what the decision depends on")]
    Contended {
        /// How often it was tried.
        attempts: u32,
    },
    /// The log failed.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The decision made events that the log cannot store.
    #[error("the decision made events that cannot be stored")]
    Malformed {
        /// Why.
        source: vigie_eventlog::AppendError,
    },
    /// The log holds an event within the decision's boundary that this build cannot read.
    #[error("the event at position {position} cannot be read")]
    Unreadable {
        /// Where.
        position: i64,
        /// Why.
        source: DecodeError,
    },
    /// The command id was used before, for another command or by another actor.
    #[error("command id {command_id} was used before, for another command or by somebody else")]
    CommandIdReused {
        /// The id.
        command_id: Uuid,
    },
}

/// An error with its causes, in one line.
#[must_use]
pub fn reason(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
