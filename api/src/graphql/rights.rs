//! What a caller may do.
//!
//! One place decides. Until there are accounts, whoever the server lets in (its own machine, unless the operator has
//! opened it) holds every right, so that callers already ask where the question belongs.

use async_graphql::{Context, Error};

use super::context::Parts;
use super::error::fault;
use crate::http::Caller;

/// What somebody may be allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    /// Look into the past, the audit trail and what was refused; take it away as a file.
    Audit,
    /// Rebuild, pause, resume and retry read models, and skip events.
    OperateProjections,
    /// Switch policies, trigger and pause jobs, retry and discard dead letters.
    OperateJobs,
}

impl Right {
    fn words(self) -> &'static str {
        match self {
            Self::Audit => "look into the audit trail",
            Self::OperateProjections => "operate read models",
            Self::OperateJobs => "operate policies and jobs",
        }
    }
}

/// Goes on only if the caller holds the right now, whatever moment the operation looks at.
///
/// # Errors
/// `FORBIDDEN`, with the right that is missing.
pub(super) fn require(ctx: &Context<'_>, right: Right) -> Result<(), Error> {
    let caller = ctx.caller();
    if holds(caller, right) {
        return Ok(());
    }
    Err(fault("FORBIDDEN", format!("{} may not {}", caller.actor.as_str(), right.words())))
}

/// Every right is held by every caller until accounts tell callers apart.
pub(crate) fn holds(_caller: &Caller, right: Right) -> bool {
    match right {
        Right::Audit | Right::OperateProjections | Right::OperateJobs => true,
    }
}
