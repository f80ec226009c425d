//! The answer that the log keeps with a command, for whoever sends the command again.

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use uuid::Uuid;
use vigie_domain::kernel::{Decision, derived_uuid, plain};

use crate::Order;

/// The answer to an order that is [exact](Order::exact). To others the answer stands by itself.
#[derive(Serialize, Deserialize)]
struct Exact<A> {
    /// Follows from the command and who sent it.
    #[serde(rename = "$sent")]
    sent: Uuid,
    answer: A,
}

/// What the log keeps.
pub(crate) fn write<D: Decision>(command: &D, order: &Order, answer: &D::Answer) -> Box<RawValue> {
    let kept = match order.exact {
        true => to_raw_value(&Exact { sent: sent(command, order), answer }),
        false => to_raw_value(answer),
    };
    kept.expect("answers are plain data and always serialise")
}

/// The answer in what the log has kept; none if it is to another command, or was for somebody else.
pub(crate) fn read<D: Decision>(command: &D, order: &Order, kept: &RawValue) -> Option<D::Answer> {
    match serde_json::from_str::<Exact<D::Answer>>(kept.get()) {
        Ok(exact) => (!order.exact || exact.sent == sent(command, order)).then_some(exact.answer),
        Err(_) => serde_json::from_str(kept.get()).ok(),
    }
}

fn sent<D: Decision>(command: &D, order: &Order) -> Uuid {
    derived_uuid(D::NAME, &format!("{}\u{1f}{}", order.actor, plain(command)))
}
