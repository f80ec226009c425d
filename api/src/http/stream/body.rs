//! What is sent while a stream is open.

use std::convert::Infallible;
use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Name, Response, Value};
use axum::body::{Body, Bytes};
use futures_util::stream::{BoxStream, Stream, StreamExt, once, unfold};
use tokio::sync::mpsc::Receiver;
use tokio::time::timeout;
use tokio_stream::StreamMap;

use super::event;
use super::reserved::{Streams, Told};
use crate::http::graphql::json;
use crate::http::{App, Life};

/// Counts open streams, also when the client hangs up.
struct Open;

impl Open {
    fn enter() -> Self {
        metrics::gauge!("vigie_event_streams_open").increment(1.0);
        Self
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        metrics::gauge!("vigie_event_streams_open").decrement(1.0);
    }
}

/// The results of one operation. `subscription` says whether the server's stop cuts it off: then it does not end with
/// `complete`, and the client comes back; `resumes` is where its items say after which position.
pub(super) fn of_one(
    app: &App,
    answers: BoxStream<'static, Response>,
    subscription: bool,
    resumes: Option<Name>,
) -> Body {
    let life = app.life().clone();
    let events = answers.map(move |mut answer| {
        let position = resumes.as_ref().and_then(|name| position(&answer, name));
        event::next(&json(&mut answer), position)
    });
    let end = async move { (!subscription || !life.is_stopping()).then_some(event::COMPLETE) };
    body(app, events.chain(once(end).filter_map(ready)).boxed())
}

/// The results of every operation that the stream is told of, until the server stops.
pub(super) fn of_many(app: &App, token: String, listener: Receiver<Told>) -> Body {
    let ended = Ended { token, streams: Arc::clone(app.streams()) };
    let many = Many { listener, watched: StreamMap::new(), ended, life: app.life().clone(), said: None };
    body(app, unfold(many, |mut many| async { many.next().await.map(|event| (event, many)) }).boxed())
}

/// The events, a sign of life before them and whenever they leave a gap, and the end when they end.
fn body(app: &App, events: BoxStream<'static, Bytes>) -> Body {
    let gap = app.settings().protocols.keep_alive;
    let alive = unfold((events, Open::enter()), move |(mut events, open)| async move {
        let event = still_here(gap, &mut events).await?;
        Some((event, (events, open)))
    });
    let begin = once(ready(event::STILL_HERE));
    Body::from_stream(begin.chain(alive).map(Ok::<_, Infallible>))
}

async fn still_here(gap: Duration, events: &mut (impl Stream<Item = Bytes> + Unpin)) -> Option<Bytes> {
    timeout(gap, events.next()).await.unwrap_or(Some(event::STILL_HERE))
}

/// The position of an item: subscriptions that resume have one in the value of their only field.
fn position(answer: &Response, name: &Name) -> Option<i64> {
    let Value::Object(data) = &answer.data else { return None };
    match data.values().next()? {
        Value::Object(item) => match item.get(name)? {
            Value::Number(position) => position.as_i64(),
            _ => None,
        },
        _ => None,
    }
}

/// A stream that carries several operations.
struct Many {
    listener: Receiver<Told>,
    watched: StreamMap<String, BoxStream<'static, Option<Response>>>,
    ended: Ended,
    life: Life,
    /// The second half of what two events tell.
    said: Option<Bytes>,
}

impl Many {
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(said) = self.said.take() {
                return Some(said);
            }
            if self.life.is_stopping() && self.watched.is_empty() {
                return None;
            }
            tokio::select! {
                // What was stopped is not heard of any more.
                biased;
                told = self.listener.recv() => match told? {
                    Told::Watch(id, answers) => {
                        let answers = answers.map(Some).chain(once(ready(None))).boxed();
                        self.watched.insert(id, answers);
                    }
                    Told::Done(id, mut answer) => {
                        let next = event::next_of(&id, &json(&mut answer));
                        self.said = Some(self.complete(&id));
                        return Some(next);
                    }
                    Told::Stop(id) => {
                        self.watched.remove(&id);
                        self.ended.end(&id);
                    }
                },
                Some((id, answer)) = self.watched.next() => match answer {
                    Some(mut answer) => return Some(event::next_of(&id, &json(&mut answer))),
                    // Cut off: the client must not take it as done.
                    None if self.life.is_stopping() => {
                        self.watched.remove(&id);
                    }
                    None => return Some(self.complete(&id)),
                },
                () = self.life.stopping(), if !self.life.is_stopping() => {}
            }
        }
    }

    fn complete(&mut self, id: &str) -> Bytes {
        self.watched.remove(id);
        self.ended.end(id);
        event::complete_of(id)
    }
}

/// Forgets the stream when it ends, however it does.
struct Ended {
    token: String,
    streams: Arc<Streams>,
}

impl Ended {
    fn end(&self, id: &str) {
        self.streams.end(&self.token, id);
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        self.streams.remove(&self.token);
    }
}
