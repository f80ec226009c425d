//! Rows as JSON objects, one after the other, until they are written.

use serde::Serialize;

use super::epoch::epoch;

/// JSON objects in order, each without whitespace.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    json: Vec<u8>,
    ends: Vec<usize>,
}

impl Lines {
    /// Adds a row.
    pub(crate) fn push(&mut self, row: &impl Serialize) {
        if let Err(error) = serde_json::to_writer(&mut self.json, row) {
            unreachable!("a row is plain data and serialises: {error}");
        }
        self.ends.push(self.json.len());
    }

    /// Adds what a row was from `position` to before `until`.
    pub(crate) fn push_version(&mut self, row: &impl Serialize, position: i64, until: i64) {
        self.push(row);
        // In place of the closing brace.
        self.json.pop();
        let epoch = epoch(position, until);
        self.json.extend_from_slice(format!(",\"until\":{until},\"epoch\":{epoch}}}").as_bytes());
        self.ends.pop();
        self.ends.push(self.json.len());
    }

    /// Adds the rows of another.
    pub(crate) fn append(&mut self, other: &Self) {
        let before = self.json.len();
        self.json.extend_from_slice(&other.json);
        self.ends.extend(other.ends.iter().map(|end| before + end));
    }

    /// All of them; room for as many is kept for those that come.
    pub(crate) fn take(&mut self) -> Self {
        let room = Self { json: Vec::with_capacity(self.json.len()), ends: Vec::with_capacity(self.ends.len()) };
        std::mem::replace(self, room)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Bytes of all of them.
    pub(crate) fn size(&self) -> usize {
        self.json.len()
    }

    /// One after the other.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |end| &self.json[std::mem::replace(&mut start, *end)..*end])
    }

    /// All of them as one JSON array.
    pub(crate) fn array(&self) -> String {
        let mut array = Vec::with_capacity(self.json.len() + self.ends.len() + 2);
        for line in self.iter() {
            array.push(if array.is_empty() { b'[' } else { b',' });
            array.extend_from_slice(line);
        }
        if array.is_empty() {
            array.push(b'[');
        }
        array.push(b']');
        String::from_utf8(array).unwrap_or_else(|error| unreachable!("JSON is UTF-8: {error}"))
    }
}

/// The fields of a JSON object without whitespace, in order: name and value as text.
pub(crate) fn fields(object: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = object.strip_prefix(b"{").unwrap_or_default();
    std::iter::from_fn(move || {
        let name_end = 1 + rest.get(1..)?.iter().position(|byte| *byte == b'"')?;
        let name = &rest[1..name_end];
        let value = rest.get(name_end + 2..)?;
        let length = value_length(value);
        rest = value.get(length + 1..).unwrap_or_default();
        Some((name, &value[..length]))
    })
}

/// Up to the comma or brace that ends the value.
fn value_length(value: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(byte) = value.get(at) {
        match byte {
            b'"' => at += string_length(&value[at..]) - 1,
            b'[' | b'{' => depth += 1,
            b',' | b'}' if depth == 0 => return at,
            b']' | b'}' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    at
}

/// Of a string, with its quotes.
fn string_length(value: &[u8]) -> usize {
    let mut at = 1;
    while let Some(byte) = value.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::{Lines, fields};

    #[test]
    fn rows_come_out_as_they_went_in() {
        let mut lines = Lines::default();
        assert_eq!((lines.array().as_str(), lines.is_empty()), ("[]", true));
        lines.push(&serde_json::json!({ "a": 1 }));
        lines.push_version(&serde_json::json!({ "a": 2 }), 6, 7);
        assert_eq!(lines.array(), r#"[{"a":1},{"a":2,"until":7,"epoch":0}]"#);
        assert_eq!(lines.iter().collect::<Vec<_>>(), [br#"{"a":1}"#.as_slice(), br#"{"a":2,"until":7,"epoch":0}"#]);
    }

    #[test]
    fn fields_are_told_apart_whatever_they_hold() {
        let object = br#"{"a":"x,\"}","b":[{"c":"]"},[1,2]],"d":null,"e":-1.5,"f":{},"g":"\\"}"#;
        let found: Vec<_> = fields(object)
            .map(|(name, value)| (str::from_utf8(name).unwrap(), str::from_utf8(value).unwrap()))
            .collect();
        let expected = [
            ("a", r#""x,\"}""#),
            ("b", r#"[{"c":"]"},[1,2]]"#),
            ("d", "null"),
            ("e", "-1.5"),
            ("f", "{}"),
            ("g", r#""\\""#),
        ];
        assert_eq!(found, expected);
        assert_eq!(fields(b"{}").count(), 0);
    }
}
