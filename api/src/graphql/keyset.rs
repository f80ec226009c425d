//! Cursors: where a row stands in the order of its list.

use async_graphql::connection::CursorType;
use chrono::{DateTime, SecondsFormat, Utc};
use uuid::Uuid;

/// A column of a list's order, with the value that a row has there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Time(DateTime<Utc>),
    Text(String),
    Id(Uuid),
    Number(i64),
}

/// The kind of a column of a list's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Time,
    Text,
    Id,
    Number,
}

impl Part {
    fn text(&self) -> String {
        match self {
            Self::Time(time) => time.to_rfc3339_opts(SecondsFormat::Micros, true),
            Self::Text(text) => text.clone(),
            Self::Id(id) => id.simple().to_string(),
            Self::Number(number) => number.to_string(),
        }
    }

    fn read(kind: Kind, text: &str) -> Option<Self> {
        match kind {
            Kind::Time => DateTime::parse_from_rfc3339(text).ok().map(|time| Self::Time(time.to_utc())),
            Kind::Text => Some(Self::Text(text.to_owned())),
            Kind::Id => Uuid::try_parse(text).ok().map(Self::Id),
            Kind::Number => text.parse().ok().map(Self::Number),
        }
    }
}

/// An opaque cursor, as the client holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cursor(String);

/// Why a text is not a cursor of a list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is not a cursor of this list: pass what the list gave, unchanged")]
pub(super) struct CursorError;

/// The version of the cursors' shape: older ones are refused by name, not misread.
const VERSION: &str = "1";

impl Cursor {
    /// The cursor of a row of `list` with these values in the order's columns.
    pub(super) fn new(list: &str, key: &[Part]) -> Self {
        let texts = [VERSION.to_owned(), list.to_owned()].into_iter().chain(key.iter().map(Part::text));
        let plain = texts.collect::<Vec<_>>().join("\u{1f}");
        Self(plain.bytes().map(|byte| format!("{byte:02x}")).collect())
    }

    /// What the cursor says, if it is one of `list`.
    pub(super) fn read(text: &str, list: &str, kinds: &[Kind]) -> Result<Vec<Part>, CursorError> {
        let bytes = unhex(text).ok_or(CursorError)?;
        let plain = String::from_utf8(bytes).map_err(|_| CursorError)?;
        let parts: Vec<&str> = plain.split('\u{1f}').collect();
        match parts.split_at_checked(2) {
            Some(([version, of], key)) if *version == VERSION && *of == list && key.len() == kinds.len() => {
                let read = kinds.iter().zip(key).map(|(kind, text)| Part::read(*kind, text));
                read.collect::<Option<_>>().ok_or(CursorError)
            }
            Some(_) | None => Err(CursorError),
        }
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) || digits.len() > 2_000 {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    digits.chunks(2).map(|pair| u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()).collect()
}

impl CursorType for Cursor {
    type Error = std::convert::Infallible;
    fn decode_cursor(text: &str) -> Result<Self, Self::Error> {
        Ok(Self(text.to_owned()))
    }
    fn encode_cursor(&self) -> String {
        self.0.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_cursor_of_another_list_or_version_is_refused() {
        let cursor = Cursor::new("flights", &[Part::Number(7)]).encode_cursor();
        assert_eq!(Cursor::read(&cursor, "flights", &[Kind::Number]), Ok(vec![Part::Number(7)]));
        assert_eq!(Cursor::read(&cursor, "passes", &[Kind::Number]), Err(CursorError));
        assert_eq!(Cursor::read(&cursor, "flights", &[Kind::Time]), Err(CursorError));
        assert_eq!(Cursor::read(&cursor, "flights", &[Kind::Number, Kind::Text]), Err(CursorError));
        for text in ["", "zz", "abc", "31"] {
            assert_eq!(Cursor::read(text, "flights", &[Kind::Number]), Err(CursorError), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_cursor_says_what_was_put_in(micros in 0_i64..4_000_000_000_000_000, text in "[ -~é]{0,40}", id: u128, number: i64) {
            let time = DateTime::from_timestamp_micros(micros).unwrap();
            let key = [Part::Time(time), Part::Text(text), Part::Id(Uuid::from_u128(id)), Part::Number(number)];
            let kinds = [Kind::Time, Kind::Text, Kind::Id, Kind::Number];
            let cursor = Cursor::new("x", &key).encode_cursor();
            prop_assert_eq!(Cursor::read(&cursor, "x", &kinds).unwrap(), key);
        }
    }
}
