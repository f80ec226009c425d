//! The events of a stream, as text: <https://html.spec.whatwg.org/multipage/server-sent-events.html>,
//! <https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md>.

use axum::body::Bytes;
use serde::Serialize;

/// Says that the stream is still there; readers pass over it.
pub(super) const STILL_HERE: Bytes = Bytes::from_static(b":\n\n");

/// The end of an operation that has a stream of its own. Browsers drop events without data, even empty.
pub(super) const COMPLETE: Bytes = Bytes::from_static(b"event: complete\ndata: \n\n");

/// A result of an operation that has a stream of its own; `position` is what the client names to go on after it.
pub(super) fn next<T: Serialize + ?Sized>(answer: &T, position: Option<i64>) -> Bytes {
    let id = position.map(|position| format!("id: {position}\n")).unwrap_or_default();
    format!("{id}event: next\ndata: {}\n\n", json(answer)).into()
}

/// A result of one operation of several.
pub(super) fn next_of<T: Serialize + ?Sized>(id: &str, answer: &T) -> Bytes {
    #[derive(Serialize)]
    struct Data<'a, T: ?Sized> {
        id: &'a str,
        payload: &'a T,
    }
    format!("event: next\ndata: {}\n\n", json(&Data { id, payload: answer })).into()
}

/// The end of one operation of several.
pub(super) fn complete_of(id: &str) -> Bytes {
    #[derive(Serialize)]
    struct Data<'a> {
        id: &'a str,
    }
    format!("event: complete\ndata: {}\n\n", json(&Data { id })).into()
}

/// Without line ends, which would end the data: JSON escapes those in texts and has none between.
fn json<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).expect("answers are plain data with text keys and always serialise")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_a_block_of_lines() {
        assert_eq!(next("a\nb", Some(7)), "id: 7\nevent: next\ndata: \"a\\nb\"\n\n");
        assert_eq!(next(&1, None), "event: next\ndata: 1\n\n");
        assert_eq!(next_of("x", &1), "event: next\ndata: {\"id\":\"x\",\"payload\":1}\n\n");
        assert_eq!(complete_of("x"), "event: complete\ndata: {\"id\":\"x\"}\n\n");
    }
}
