//! Running what was admitted: for so long at most, and with its cost told when that is asked for.

use async_graphql::Response;
use futures_util::stream::{BoxStream, StreamExt, once, unfold};
use tokio_util::task::AbortOnDropHandle;

use super::App;
use super::admit::Admitted;
use super::caller::Caller;
use super::lapse;
use crate::limits::{Cost, within};

impl App {
    /// The answer to a query or mutation.
    pub(super) async fn execute(&self, admitted: Admitted, caller: Caller) -> Response {
        let Admitted { request, outline, cost, headers, slot, .. } = admitted;
        let told = self.tells(&caller, cost);
        let (actor, address) = (caller.actor.clone(), caller.arrival.address);
        let (request, snapshot) = self.prepare(request, caller);
        let operation = self.schema().execute(request);
        let mut answer = within(self.settings().limits.operation, operation, snapshot.cancel()).await;
        drop(slot);
        outline.complete(&mut answer);
        self.charge_rest(&actor, address, outline.size(&answer.data), cost.cost).await;
        answer.http_headers.extend(headers);
        tell(&mut answer, told);
        answer
    }

    /// The answers to an operation of any kind, as they come. A subscription ends with the server, and when its caller may
    /// no longer see what it shows; how long it runs is not limited, but how long each of its statements does.
    pub(super) fn answers(&self, admitted: Admitted, caller: Caller) -> BoxStream<'static, Response> {
        if !admitted.is_subscription() {
            let app = self.clone();
            return once(async move { app.execute(admitted, caller).await }).boxed();
        }
        let Admitted { request, needed, outline, cost, slot, .. } = admitted;
        let (told, lapse) = (self.tells(&caller, cost), self.lapses(&caller, needed));
        let answers = self.schema().execute_stream(self.prepare_to_watch(request, caller).0);
        lapse::until(one_by_one(answers.boxed()), lapse)
            .map(move |mut answer| {
                // It is taken for as long as the stream lives.
                let _taken = &slot;
                outline.complete(&mut answer);
                tell(&mut answer, told);
                answer
            })
            .take_until(self.life().clone().cut_off())
            .boxed()
    }

    fn tells(&self, caller: &Caller, cost: Cost) -> Option<Cost> {
        (self.settings().limits.show_cost || caller.wants_cost).then_some(cost)
    }
}

/// Each item is made by a task of its own, begun once the one before is taken. Items of several subscriptions read from one
/// state and take turns: none may stop halfway because its connection waits for a client that does not read.
fn one_by_one(items: BoxStream<'static, Response>) -> BoxStream<'static, Response> {
    unfold(items, |mut items| async move {
        let next = async move { items.next().await.map(|item| (item, items)) };
        // Dropped with the subscription; a task that panics ends it.
        AbortOnDropHandle::new(tokio::spawn(next)).await.ok().flatten()
    })
    .boxed()
}

fn tell(answer: &mut Response, cost: Option<Cost>) {
    if let Some(Cost { cost, limit }) = cost {
        let cost = async_graphql::value!({ "cost": cost, "limit": limit });
        answer.extensions.insert("cost".to_owned(), cost);
    }
}
