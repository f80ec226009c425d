//! The life of one socket.

use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use futures_util::SinkExt;
use futures_util::future::BoxFuture;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};

use super::SUBPROTOCOL;
use super::message::{self, Closing, Said};
use super::operations::{Happened, Operations};
use crate::actor::Actor;
use crate::http::App;
use crate::http::caller::Caller;
use crate::http::graphql::is_request_error;
use crate::rights::Lapse;

/// How often a silent client is asked whether it is still there.
const PING_EVERY: Duration = Duration::from_secs(20);
/// A client that has said nothing for so long, not even a pong, is gone; so is one that takes nothing for so long.
const SILENCE: Duration = Duration::from_secs(60);

/// Why a session ends.
enum End {
    /// The server closes.
    Close(Closing),
    /// The client has gone.
    Gone,
}

struct Session {
    socket: WebSocket,
    app: App,
    caller: Caller,
    /// When the caller may do nothing any more.
    ends: BoxFuture<'static, Lapse>,
    operations: Operations,
    acknowledged: bool,
    draining: bool,
    heard: Instant,
}

/// Serves a socket until either side ends it.
pub(super) async fn run(socket: WebSocket, app: App, caller: Caller) {
    metrics::gauge!("vigie_websockets_open").increment(1.0);
    let spoken = socket.protocol().is_some_and(|protocol| protocol == SUBPROTOCOL);
    let operations = Operations::default();
    let heard = Instant::now();
    let ends = app.ends(&caller);
    let mut session = Session { socket, app, caller, ends, operations, acknowledged: false, draining: false, heard };
    let end = if spoken { session.serve().await } else { End::Close(Closing::subprotocol()) };
    let code = match end {
        End::Close(closing) => {
            let code = closing.0;
            // The client may be gone already; then there is nobody left to tell.
            let _ = tokio::time::timeout(PING_EVERY, session.socket.send(closing.frame())).await;
            code
        }
        End::Gone => 1006,
    };
    metrics::gauge!("vigie_websockets_open").decrement(1.0);
    metrics::counter!("vigie_websockets_closed_total", "code" => code.to_string()).increment(1);
    tracing::debug!(websocket.code = code, actor = session.caller.actor.as_str(), "socket closed");
}

/// How a socket is closed whose caller may do nothing any more.
fn closing(lapse: Lapse) -> Closing {
    match lapse {
        Lapse::Right(_) => Closing::forbidden("no rights are left"),
        Lapse::Denied(_) => Closing::unauthorized(),
    }
}

impl Session {
    async fn serve(&mut self) -> End {
        let opened = Instant::now();
        let init_by = opened + self.app.settings().ws_init_timeout;
        let mut pings = interval_at(opened + PING_EVERY, PING_EVERY);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let life = self.app.life().clone();
        loop {
            if self.draining && self.operations.is_empty() {
                return End::Close(Closing::restart());
            }
            let done = tokio::select! {
                lapse = &mut self.ends => Err(End::Close(closing(lapse))),
                frame = self.socket.recv() => match frame {
                    Some(Ok(frame)) => self.heard(frame).await,
                    Some(Err(_)) | None => Err(End::Gone),
                },
                (id, happened) = self.operations.next() => self.happened(&id, happened).await,
                () = sleep_until(init_by), if !self.acknowledged => Err(End::Close(Closing::init_timeout())),
                _ = pings.tick() => self.ping().await,
                () = life.stopping(), if !self.draining => {
                    // Requests run to their end; subscriptions say how far they have come.
                    self.draining = true;
                    Ok(())
                }
            };
            if let Err(end) = done {
                return end;
            }
        }
    }

    async fn ping(&mut self) -> Result<(), End> {
        if self.heard.elapsed() > SILENCE {
            return Err(End::Gone);
        }
        self.send(Message::Ping(Default::default())).await
    }

    async fn heard(&mut self, frame: Message) -> Result<(), End> {
        self.heard = Instant::now();
        match frame {
            Message::Text(text) if text.len() > self.app.settings().body_limit => {
                Err(End::Close(Closing::too_large(text.len(), self.app.settings().body_limit)))
            }
            Message::Text(text) => match message::read(&text) {
                Ok(said) => self.said(said).await,
                Err(closing) => Err(End::Close(closing)),
            },
            Message::Binary(_) => Err(End::Close(Closing::bad("Invalid message: binary frames are not read"))),
            Message::Ping(_) | Message::Pong(_) => Ok(()),
            Message::Close(_) => {
                // The answering close frame is queued by now; the client waits for it.
                let _ = self.socket.flush().await;
                Err(End::Gone)
            }
        }
    }

    async fn said(&mut self, said: Said) -> Result<(), End> {
        match said {
            Said::Init(_) if self.acknowledged => Err(End::Close(Closing::second_init())),
            Said::Init(payload) => {
                self.introduce(&payload).await?;
                self.ends = self.app.ends(&self.caller);
                self.acknowledged = true;
                self.send(message::ack()).await
            }
            Said::Ping => self.send(message::pong()).await,
            Said::Pong => Ok(()),
            Said::Subscribe(..) if !self.acknowledged => Err(End::Close(Closing::unauthorized())),
            Said::Subscribe(id, _) if self.operations.contains(&id) => Err(End::Close(Closing::duplicate(&id))),
            // What comes after the signal to stop is for the next server.
            Said::Subscribe(..) if self.draining => Ok(()),
            Said::Subscribe(id, asked) => {
                let caller =
                    self.caller.again(&self.app).map_err(|denied| End::Close(closing(Lapse::Denied(denied))))?;
                match self.operations.start(&self.app, &caller, id.clone(), *asked).await {
                    Ok(()) => Ok(()),
                    Err(refused) => {
                        let mut answer = refused.into_answer();
                        crate::graphql::finish(&mut answer);
                        self.send(message::error(&id, &answer.errors)).await
                    }
                }
            }
            Said::Complete(id) => {
                self.operations.remove(&id);
                Ok(())
            }
        }
    }

    /// Browsers cannot set headers on sockets, so the first message may say what the headers would: who asks, by an access
    /// token or API key, or on an open server by a name.
    async fn introduce(&mut self, payload: &serde_json::Map<String, serde_json::Value>) -> Result<(), End> {
        let text = |name: &str| match payload.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)) {
            Some((_, value)) => value.as_str().map(Some).ok_or_else(|| format!("{name}: not a text")),
            None => Ok(None),
        };
        let forbidden = |why: String| End::Close(Closing::forbidden(why));
        let named = text("Vigie-Actor").map_err(forbidden)?;
        if self.app.settings().open {
            if let Some(named) = named {
                self.caller.actor = Actor::new(named).map_err(|error| forbidden(format!("Vigie-Actor: {error}")))?;
            }
            return Ok(());
        }
        if named.is_some() {
            return Err(forbidden("Vigie-Actor names actors on open servers alone".to_owned()));
        }
        let unauthorized = || End::Close(Closing::unauthorized());
        match text("Authorization").map_err(forbidden)? {
            Some(shown) => {
                let shown = shown.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
                let (_, shown) = shown.ok_or_else(unauthorized)?;
                self.caller = self.caller.proved_by(shown.trim(), &self.app).await.map_err(|_| unauthorized())?;
                Ok(())
            }
            None if self.caller.who.is_some() => Ok(()),
            None => Err(unauthorized()),
        }
    }

    async fn happened(&mut self, id: &str, happened: Happened) -> Result<(), End> {
        match happened {
            Happened::Answered(mut answer) => {
                crate::graphql::finish(&mut answer);
                if is_request_error(&answer) {
                    self.operations.remove(id);
                    return self.send(message::error(id, &answer.errors)).await;
                }
                self.send(message::next(id, &answer)).await
            }
            Happened::Ended => {
                let cut_off = self.operations.is_subscription(id) && self.app.life().is_stopping();
                self.operations.remove(id);
                if cut_off {
                    // It goes on at another server: the socket's close says so, and the client must not take it as done.
                    return Ok(());
                }
                self.send(message::complete(id)).await
            }
        }
    }

    async fn send(&mut self, message: Message) -> Result<(), End> {
        match tokio::time::timeout(SILENCE, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Gone),
        }
    }
}
