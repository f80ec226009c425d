//! One attempt to sign in, which only the browser that began it can finish.

use aws_lc_rs::{constant_time, rand};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// What the browser keeps until it comes back. Everything that must be guessed by nobody follows from it, so that no
/// process has to remember it, and any process can finish what another one began.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Attempt(String);

impl Attempt {
    /// A new one.
    pub(crate) fn draw() -> Self {
        let mut bytes = [0; 32];
        rand::fill(&mut bytes).expect("the operating system gives random bytes");
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// What a browser has brought back, if it can be one.
    pub(crate) fn kept(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        (bytes.len() == 32).then(|| Self(text.to_owned()))
    }

    /// For the browser to keep.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// What the provider sends back with the browser.
    pub(super) fn state(&self) -> String {
        self.derived("state")
    }

    /// What the provider writes into the token.
    pub(super) fn nonce(&self) -> String {
        self.derived("nonce")
    }

    /// What proves that who exchanges the code is who asked for it.
    pub(super) fn verifier(&self) -> String {
        self.derived("verifier")
    }

    /// What the provider knows of the verifier before.
    pub(super) fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier()))
    }

    /// Whether an answer is the one to this attempt.
    pub(crate) fn is_answered_by(&self, state: &str) -> bool {
        constant_time::verify_slices_are_equal(self.state().as_bytes(), state.as_bytes()).is_ok()
    }

    fn derived(&self, what: &str) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{what}:{}", self.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_follows_from_what_the_browser_keeps_and_differs() {
        let attempt = Attempt::draw();
        let again = Attempt::kept(attempt.as_str()).unwrap();
        assert!(again.is_answered_by(&attempt.state()));
        let all = [attempt.state(), attempt.nonce(), attempt.verifier(), attempt.challenge(), attempt.0.clone()];
        for (at, one) in all.iter().enumerate() {
            assert_eq!(one.len(), 43);
            assert!(!all[..at].contains(one), "{at}");
        }
        assert!(!Attempt::draw().is_answered_by(&attempt.state()) && !attempt.is_answered_by(""));
    }

    #[test]
    fn nonsense_is_no_attempt() {
        for text in ["", "abc", "!".repeat(43).as_str(), "A".repeat(44).as_str(), "A".repeat(42).as_str()] {
            assert!(Attempt::kept(text).is_none(), "{text}");
        }
    }
}
