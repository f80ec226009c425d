//! Free text that people write beside what they do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A note by an operator: trimmed, at most 500 characters, without control characters but line breaks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct Note(String);

/// Why a text is not a note.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Longer than [`Note::MAX`] characters.
    #[error("a note has at most {max} characters; this one has {found}", max = Note::MAX)]
    TooLong {
        /// Characters, not bytes.
        found: usize,
    },
    /// A control character other than a line break or tab.
    #[error("a note has no control characters; this one has U+{code:04X}")]
    Control {
        /// The code point.
        code: u32,
    },
}

impl Note {
    /// The most characters (Unicode scalar values, not bytes) in a note.
    pub const MAX: usize = 500;

    /// Checks and trims `text`.
    ///
    /// # Errors
    /// Too long, or control characters.
    pub fn new(text: &str) -> Result<Self, NoteError> {
        let text = text.trim();
        let found = text.chars().count();
        if found > Self::MAX {
            return Err(NoteError::TooLong { found });
        }
        match text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t' | '\r')) {
            Some(c) => Err(NoteError::Control { code: c.into() }),
            None => Ok(Self(text.to_owned())),
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether nothing was noted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryFrom<String> for Note {
    type Error = NoteError;
    fn try_from(text: String) -> Result<Self, NoteError> {
        Self::new(&text)
    }
}

impl From<Note> for String {
    fn from(note: Note) -> Self {
        note.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_counts_characters_not_bytes() {
        assert!(Note::new(&"é".repeat(500)).is_ok());
        assert_eq!(Note::new(&"é".repeat(501)), Err(NoteError::TooLong { found: 501 }));
    }

    #[test]
    fn control_characters_are_refused_but_line_breaks_are_not() {
        assert!(Note::new("a\nb").is_ok());
        assert_eq!(Note::new("a\u{0}b"), Err(NoteError::Control { code: 0 }));
    }
}
