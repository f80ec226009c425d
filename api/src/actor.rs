//! Who gives a command: a person or key by their id, or on an open server whoever the request names.

/// The name of a person or program, such as `operator:local`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor(String);

/// Why a text is not an actor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an actor is 1 to 64 letters, digits or : . _ @ -")]
pub struct ActorError;

impl Actor {
    /// The header that names the actor of a request.
    pub const HEADER: &str = "vigie-actor";

    /// Checks `text`.
    ///
    /// # Errors
    /// It is empty, longer than 64 characters or has other characters.
    pub fn new(text: &str) -> Result<Self, ActorError> {
        let allowed = |c: char| c.is_alphanumeric() || matches!(c, ':' | '.' | '_' | '@' | '-');
        if (1..=64).contains(&text.chars().count()) && text.chars().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ActorError)
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name, owned.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_1_to_64_plain_characters() {
        assert!(Actor::new("operator:zoé@lfw").is_ok());
        assert!(Actor::new(&"é".repeat(64)).is_ok());
        for text in ["", "two words", "a\nb", &"é".repeat(65)] {
            assert_eq!(Actor::new(text), Err(ActorError), "{text:?}");
        }
    }
}
