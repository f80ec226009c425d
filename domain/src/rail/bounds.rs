//! How large the parts of a pass may be, and which texts they may carry.
//!
//! The contract with the camera system (`docs/train-pass.schema.json`) states the same bounds; a test holds the two
//! together.

use std::fmt;

use serde::Serialize;

/// The most cars in a train; the cars of a pass are numbered from 1.
pub const MAX_CARS: u16 = 200;

/// The most readings of one car.
pub const MAX_READINGS: usize = 64;

/// A text that the camera system sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TextField {
    /// The track that the train passed on.
    Track,
    /// The train's number.
    Train,
    /// The camera.
    Camera,
    /// The vehicle's number.
    Vehicle,
    /// Place of a spring in its car.
    Spring,
    /// What was measured.
    Quantity,
    /// The unit of a value.
    Unit,
}

/// A text that breaks the rule of its field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[error("the {field} is {expected}, not {text:?}")]
pub struct TextError {
    /// Which text.
    pub field: TextField,
    /// What it may be, in words.
    pub expected: String,
    /// The text as given, cut at 80 characters.
    pub text: String,
}

impl TextField {
    /// The field's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Track => "track",
            Self::Train => "train",
            Self::Camera => "camera",
            Self::Vehicle => "vehicle",
            Self::Spring => "spring",
            Self::Quantity => "quantity",
            Self::Unit => "unit",
        }
    }

    /// The most characters (Unicode scalar values, not bytes).
    #[must_use]
    pub fn max(self) -> usize {
        match self {
            Self::Unit => 16,
            Self::Track | Self::Spring | Self::Quantity => 32,
            Self::Train | Self::Camera | Self::Vehicle => 64,
        }
    }

    /// Whether it is a name of letters, digits, dots, hyphens and underscores. Springs and quantities are: alerts are
    /// told apart by them.
    fn is_name(self) -> bool {
        match self {
            Self::Spring | Self::Quantity => true,
            Self::Track | Self::Train | Self::Camera | Self::Vehicle | Self::Unit => false,
        }
    }

    /// Checks a text of this field.
    ///
    /// # Errors
    /// Empty, longer than [`TextField::max`], or with characters that the field does not take.
    pub fn check(self, text: &str) -> Result<(), TextError> {
        let allowed = |c: char| {
            if self.is_name() { c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') } else { !c.is_control() }
        };
        if (1..=self.max()).contains(&text.chars().count()) && text.chars().all(allowed) {
            return Ok(());
        }
        let what = if self.is_name() {
            "letters, digits, dots, hyphens or underscores"
        } else {
            "characters, none of control"
        };
        Err(TextError {
            field: self,
            expected: format!("1 to {} {what}", self.max()),
            text: text.chars().take(80).collect(),
        })
    }
}

impl fmt::Display for TextField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_count_characters_not_bytes() {
        assert!(TextField::Camera.check(&"é".repeat(64)).is_ok());
        assert!(TextField::Camera.check(&"é".repeat(65)).is_err());
        assert!(TextField::Unit.check("°C").is_ok());
    }

    #[test]
    fn a_spring_is_a_name_without_blanks() {
        assert!(TextField::Spring.check("L1-outer.a_b").is_ok());
        for text in ["", "L 1", "L/1", "é"] {
            assert!(TextField::Spring.check(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn control_characters_are_refused() {
        let error = TextField::Track.check("1\n").unwrap_err();
        assert_eq!(error.to_string(), "the track is 1 to 32 characters, none of control, not \"1\\n\"");
    }
}
