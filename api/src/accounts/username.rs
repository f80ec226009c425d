//! What people call themselves when they sign in.

/// 1 to 64 of `a` to `z`, `A` to `Z`, `0` to `9` and `. _ @ -`; two that differ in capitals only are the same. No other
/// letters: many of them look like these, so that two people could have names that nobody can tell apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Username(String);

/// Why a text is not a username.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a username is 1 to 64 of a to z, A to Z, 0 to 9 and . _ @ -")]
pub(crate) struct UsernameError;

impl Username {
    /// Checks `text`.
    ///
    /// # Errors
    /// It is empty, longer than 64 characters or has other characters.
    pub(crate) fn new(text: &str) -> Result<Self, UsernameError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '@' | '-');
        if (1..=64).contains(&text.chars().count()) && text.chars().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(UsernameError)
        }
    }

    /// As it was given.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Username {
    type Err = UsernameError;
    fn from_str(text: &str) -> Result<Self, UsernameError> {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames_have_1_to_64_plain_characters() {
        for text in ["operator", "zoe.k", "a@b.example", "A-1_2"] {
            assert!(Username::new(text).is_ok(), "{text:?}");
        }
        for text in ["", "two words", "a\nb", "user:1", &"e".repeat(65)] {
            assert_eq!(Username::new(text), Err(UsernameError), "{text:?}");
        }
    }

    #[test]
    fn no_username_looks_like_another_for_its_alphabet() {
        // Cyrillic, Greek, full width, accents composed and not, a mathematical letter, a sharp s, an invisible joiner.
        for text in ["оperator", "οperator", "ｏperator", "zoé", "zoe\u{301}", "𝐨perator", "straße", "op\u{200d}erator"]
        {
            assert_eq!(Username::new(text), Err(UsernameError), "{text:?}");
        }
    }
}
