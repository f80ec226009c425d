//! Commands of somebody who may not give them.
//!
//! To whoever may see nothing of a thing, it does not exist: the rule is asked as if nothing had ever happened to it, and
//! answers as it does about what never was. Nothing is appended, whatever it says.

use std::sync::Arc;

use metrics::counter;
use vigie_domain::kernel::{Context, Decision, Need, Refused, Tag};

use crate::executor::look;
use crate::refusals::Refusal;
use crate::views::Kept;
use crate::{Executor, Failure, Order};

/// The code of what is forbidden.
const FORBIDDEN: &str = "FORBIDDEN";

impl Executor {
    /// What a command comes to when nothing is known of the things that `hides` tells: its refusal, which is recorded, or
    /// that it would be accepted.
    ///
    /// # Errors
    /// Refused by its rule, or the log failed.
    pub async fn judge_without<D: Decision>(
        &self,
        command: &D,
        order: &Order,
        hides: &(dyn Fn(&Tag) -> bool + Sync),
    ) -> Result<(), Failure<D::Refusal>> {
        let context = Context { command_id: order.command_id, now: self.now() };
        let judged = self.log().head().await?;
        let mut views: Vec<Arc<Kept>> = Vec::new();
        let refusal = loop {
            match look(command, &context, &views) {
                Ok(ruling) => match ruling.result {
                    Ok(_) => return Ok(()),
                    Err(refusal) => break refusal,
                },
                Err(need) if is_hidden(&need, hides) => views.push(Arc::new(Kept::of_nothing(need))),
                Err(need) => views.push(self.view(need, judged).await?),
            }
        };
        counter!("vigie_commands_total", "command" => D::NAME, "outcome" => refusal.code()).increment(1);
        let failure = Failure::Refused(refusal);
        if let Some(refusal) = Refusal::of(command, order, &failure, judged, context.now) {
            self.record(refusal).await;
        }
        Err(failure)
    }

    /// Records that a command was not looked at, since whoever gave it may not; `message` says what they lack.
    pub async fn forbid<D: Decision>(&self, command: &D, order: &Order, message: &str) {
        counter!("vigie_commands_total", "command" => D::NAME, "outcome" => FORBIDDEN).increment(1);
        let judged = *self.log().seen().borrow();
        self.record(Refusal::forbidden(command, order, (FORBIDDEN, message), judged, self.now())).await;
    }

    /// The same of a command that was not even read, since whoever gave it may give it nowhere: all that is known is what
    /// they call it, one of few names.
    pub async fn forbid_unread(&self, command: String, order: &Order, message: &str) {
        counter!("vigie_commands_total", "command" => command.clone(), "outcome" => FORBIDDEN).increment(1);
        let judged = *self.log().seen().borrow();
        self.record(Refusal::unread(command, order, (FORBIDDEN, message), judged, self.now())).await;
    }
}

fn is_hidden(need: &Need, hides: &(dyn Fn(&Tag) -> bool + Sync)) -> bool {
    need.query.criteria.iter().flat_map(|criterion| &criterion.tags).any(hides)
}
