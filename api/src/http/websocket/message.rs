//! The messages of `graphql-transport-ws`, and the codes that sockets are closed with.

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::http::request::{Asked, Malformed, from_json};
use crate::limits::Limit;

/// What a client says.
pub(super) enum Said {
    Init(Map<String, Value>),
    Ping,
    Pong,
    Subscribe(String, Box<Asked>),
    Complete(String),
}

/// Why a socket is closed: code and reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Closing(pub(super) u16, pub(super) String);

impl Closing {
    pub(super) fn bad(reason: impl std::fmt::Display) -> Self {
        Self(4400, reason.to_string())
    }
    pub(super) fn unauthorized() -> Self {
        Self(4401, "Unauthorized".to_owned())
    }
    pub(super) fn forbidden(reason: impl std::fmt::Display) -> Self {
        Self(4403, format!("Forbidden: {reason}"))
    }
    pub(super) fn subprotocol() -> Self {
        Self(4406, "Subprotocol not acceptable: graphql-transport-ws is spoken here".to_owned())
    }
    pub(super) fn init_timeout() -> Self {
        Self(4408, "Connection initialisation timeout".to_owned())
    }
    pub(super) fn duplicate(id: &str) -> Self {
        Self(4409, format!("Subscriber for {id} already exists"))
    }
    pub(super) fn second_init() -> Self {
        Self(4429, "Too many initialisation requests".to_owned())
    }
    /// The code is that of WebSockets themselves, for a message that is too big.
    pub(super) fn too_large(size: usize, limit: usize) -> Self {
        let [asked, allowed] = [size, limit].map(|bytes| u64::try_from(bytes).unwrap_or(u64::MAX));
        Self(1009, Limit::Body.exceeded(asked, allowed).counted().message())
    }
    /// The server stops; another one, or the same one again, will take the client.
    pub(super) fn restart() -> Self {
        Self(1012, "Service restart".to_owned())
    }

    /// A reason has at most 123 bytes in the frame.
    pub(super) fn frame(self) -> Message {
        let mut reason = self.1;
        while reason.len() > 123 {
            reason.pop();
        }
        Message::Close(Some(CloseFrame { code: self.0, reason: reason.into() }))
    }
}

/// Reads a message.
pub(super) fn read(text: &str) -> Result<Said, Closing> {
    let Ok(Value::Object(mut message)) = serde_json::from_str(text) else {
        return Err(Closing::bad("Invalid message: not a JSON object"));
    };
    let Some(Value::String(kind)) = message.remove("type") else {
        return Err(Closing::bad("Invalid message: type is missing or not a text"));
    };
    match kind.as_str() {
        "connection_init" => Ok(Said::Init(payload(&mut message)?)),
        "ping" => payload(&mut message).map(|_| Said::Ping),
        "pong" => payload(&mut message).map(|_| Said::Pong),
        "subscribe" => {
            let id = id(&mut message)?;
            let payload = message.remove("payload").unwrap_or_default();
            let request =
                from_json(payload).map_err(|Malformed(why)| Closing::bad(format!("Invalid payload: {why}")))?;
            Ok(Said::Subscribe(id, Box::new(request)))
        }
        "complete" => id(&mut message).map(Said::Complete),
        _ => Err(Closing::bad("Invalid message: unknown type")),
    }
}

fn payload(message: &mut Map<String, Value>) -> Result<Map<String, Value>, Closing> {
    match message.remove("payload") {
        Some(Value::Object(payload)) => Ok(payload),
        Some(Value::Null) | None => Ok(Map::new()),
        Some(_) => Err(Closing::bad("Invalid message: payload is not an object")),
    }
}

fn id(message: &mut Map<String, Value>) -> Result<String, Closing> {
    match message.remove("id") {
        Some(Value::String(id)) if (1..=128).contains(&id.len()) => Ok(id),
        _ => Err(Closing::bad("Invalid message: id is not a text of 1 to 128 bytes")),
    }
}

/// The client is welcome.
pub(super) fn ack() -> Message {
    text(&Sent::<()> { kind: "connection_ack", id: None, payload: None })
}

/// Answer to a ping.
pub(super) fn pong() -> Message {
    text(&Sent::<()> { kind: "pong", id: None, payload: None })
}

/// One result of an operation.
pub(super) fn next(id: &str, answer: &async_graphql::Response) -> Message {
    text(&Sent { kind: "next", id: Some(id), payload: Some(answer) })
}

/// The operation was never started.
pub(super) fn error(id: &str, errors: &[async_graphql::ServerError]) -> Message {
    text(&Sent { kind: "error", id: Some(id), payload: Some(errors) })
}

/// The operation has ended.
pub(super) fn complete(id: &str) -> Message {
    text(&Sent::<()> { kind: "complete", id: Some(id), payload: None })
}

/// What the server says. Written as it is, so that the fields of a payload stay in their order.
#[derive(Serialize)]
struct Sent<'a, P: ?Sized> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'a P>,
}

fn text<P: Serialize + ?Sized>(sent: &Sent<'_, P>) -> Message {
    let text = serde_json::to_string(sent).expect("answers are plain data with text keys and always serialise");
    Message::Text(Utf8Bytes::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_message_closes_with_4400() {
        for text in [
            "",
            "[]",
            "{}",
            r#"{"type":1}"#,
            r#"{"type":"start","id":"1"}"#,
            r#"{"type":"subscribe","payload":{"query":"{a}"}}"#,
            r#"{"type":"subscribe","id":"","payload":{"query":"{a}"}}"#,
            r#"{"type":"subscribe","id":"1"}"#,
            r#"{"type":"subscribe","id":"1","payload":{"query":1}}"#,
            r#"{"type":"subscribe","id":"1","payload":{"query":"{a}","variables":"x"}}"#,
            r#"{"type":"ping","payload":"x"}"#,
            r#"{"type":"complete"}"#,
        ] {
            assert_eq!(read(text).err().map(|closing| closing.0), Some(4400), "{text}");
        }
    }

    #[test]
    fn a_long_reason_fits_the_frame() {
        let Message::Close(Some(frame)) = Closing::bad("é".repeat(100)).frame() else { panic!("not a close frame") };
        assert!(frame.reason.len() <= 123);
    }
}
