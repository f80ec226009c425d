//! What runs ends when its caller may no longer see it.

use std::sync::Arc;

use async_graphql::{Response, ServerError};
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{BoxStream, StreamExt, unfold};

use super::App;
use super::caller::Caller;
use crate::rights::{Denied, Lapse, Right, forbidden};

impl App {
    /// Completes when the caller no longer holds one of these rights at every site at which they hold it now, or what they
    /// showed is worth nothing any more. Never on an open server.
    pub(super) fn lapses(&self, caller: &Caller, needed: Vec<Right>) -> BoxFuture<'static, Lapse> {
        let Some(who) = caller.who else { return std::future::pending().boxed() };
        let (held, ends_at) = (Arc::clone(&caller.rights), caller.ends_at);
        match self.services().directory.watch(who) {
            Some(watching) => async move { watching.lapses(&held, &needed, ends_at).await }.boxed(),
            None => std::future::ready(Lapse::Denied(Denied::Ended)).boxed(),
        }
    }

    /// Completes when the caller may do nothing at all any more.
    pub(super) fn ends(&self, caller: &Caller) -> BoxFuture<'static, Lapse> {
        let Some(who) = caller.who else { return std::future::pending().boxed() };
        let ends_at = caller.ends_at;
        match self.services().directory.watch(who) {
            Some(watching) => watching.ends(ends_at).boxed(),
            None => std::future::ready(Lapse::Denied(Denied::Ended)).boxed(),
        }
    }
}

/// The answers until the caller may not have them any more; then one that says so, and the end.
pub(super) fn until(
    answers: BoxStream<'static, Response>,
    lapse: BoxFuture<'static, Lapse>,
) -> BoxStream<'static, Response> {
    unfold(Some((answers, lapse)), |running| async move {
        let (mut answers, mut lapse) = running?;
        tokio::select! {
            biased;
            lapsed = &mut lapse => Some((Response::from_errors(vec![error(lapsed)]), None)),
            answer = answers.next() => answer.map(|answer| (answer, Some((answers, lapse)))),
        }
    })
    .boxed()
}

fn error(lapse: Lapse) -> ServerError {
    match lapse {
        Lapse::Right(right) => forbidden(right, "this"),
        Lapse::Denied(denied) => {
            let mut error = ServerError::new(denied.to_string(), None);
            error.extensions.get_or_insert_default().set("code", denied.code());
            error
        }
    }
}
