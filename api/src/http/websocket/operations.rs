//! The operations that run on a socket.

use std::pin::Pin;
use std::task::{Context, Poll};

use async_graphql::Response;
use futures_util::stream::{BoxStream, Stream, StreamExt, once};
use tokio_stream::StreamMap;

use crate::http::App;
use crate::http::admit::Refused;
use crate::http::caller::Caller;
use crate::http::request::Asked;
use crate::limits::{Exceeded, Limit};

/// What an operation does next.
pub(super) enum Happened {
    Answered(Box<Response>),
    Ended,
}

/// All operations of a socket, by id.
#[derive(Default)]
pub(super) struct Operations {
    subscriptions: StreamMap<String, BoxStream<'static, Happened>>,
    requests: StreamMap<String, BoxStream<'static, Happened>>,
}

impl Operations {
    pub(super) fn contains(&self, id: &str) -> bool {
        self.subscriptions.contains_key(id) || self.requests.contains_key(id)
    }

    /// Starts an operation.
    pub(super) async fn start(&mut self, app: &App, caller: &Caller, id: String, asked: Asked) -> Result<(), Refused> {
        let running = u64::try_from(self.subscriptions.len() + self.requests.len()).unwrap_or(u64::MAX);
        let room = Limit::SocketOperations.check(running.saturating_add(1), app.settings().limits.socket_operations);
        room.map_err(Exceeded::into_error)?;
        let admitted = app.admit(asked, caller).await?;
        let operations = if admitted.is_subscription() { &mut self.subscriptions } else { &mut self.requests };
        let answers = app.answers(admitted, caller.clone());
        let happens = answers.map(|answer| Happened::Answered(Box::new(answer)));
        operations.insert(id, happens.chain(once(async { Happened::Ended })).boxed());
        Ok(())
    }

    /// Ends an operation; nothing more is heard of it.
    pub(super) fn remove(&mut self, id: &str) {
        self.subscriptions.remove(id);
        self.requests.remove(id);
    }

    pub(super) fn is_subscription(&self, id: &str) -> bool {
        self.subscriptions.contains_key(id)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.subscriptions.is_empty() && self.requests.is_empty()
    }

    /// The next thing that happens; waits for ever when nothing runs.
    pub(super) async fn next(&mut self) -> (String, Happened) {
        std::future::poll_fn(|context| self.poll(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<(String, Happened)> {
        for map in [&mut self.requests, &mut self.subscriptions] {
            if let Poll::Ready(Some(next)) = Pin::new(map).poll_next(context) {
                return Poll::Ready(next);
            }
        }
        Poll::Pending
    }
}
