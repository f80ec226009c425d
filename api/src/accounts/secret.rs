//! Random secrets: whoever holds one shows it, and only its hash is kept here.
//!
//! They are 256 random bits, so that one round of SHA-256 keeps them as safe as a slow hash keeps a password.

use std::fmt;

use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// What a secret is kept as.
pub(crate) type Hash = [u8; 32];

/// What a secret is for. Its text begins with that, so that scanners of source code and logs recognise it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A program's key.
    Key,
    /// A browser's session.
    Cookie,
    /// The next access token of a session.
    Refresh,
    /// A link that signs in once.
    Link,
}

impl Kind {
    /// How such a secret begins.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Key => "vgk_",
            Self::Cookie => "vgs_",
            Self::Refresh => "vgr_",
            Self::Link => "vgl_",
        }
    }
}

/// A secret that was just made, to be shown once. It is not printed by accident.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    /// A new one.
    pub(crate) fn draw(kind: Kind) -> Self {
        let mut bytes = [0; 32];
        fill(&mut bytes);
        Self(format!("{}{}", kind.prefix(), URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// A password that nobody has chosen: 24 letters and digits that cannot be mistaken for one another, 120 bits.
    pub(crate) fn password() -> Self {
        const SIGNS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz123456789";
        let mut bytes = [0; 24];
        fill(&mut bytes);
        let signs: Vec<char> = bytes.iter().map(|byte| char::from(SIGNS[usize::from(byte % 32)])).collect();
        Self(signs.chunks(6).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-"))
    }

    /// Its text, for whoever is to hold it.
    pub(crate) fn show(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    pub(crate) fn hash(&self) -> Hash {
        hash(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What is kept of a secret that somebody shows.
pub(crate) fn hash(shown: &str) -> Hash {
    Sha256::digest(shown.as_bytes()).into()
}

fn fill(bytes: &mut [u8]) {
    rand::fill(bytes).expect("the operating system gives random bytes");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_differ_and_are_not_printed() {
        let (one, other) = (Secret::draw(Kind::Key), Secret::draw(Kind::Key));
        assert_ne!(one.show(), other.show());
        assert!(one.show().starts_with("vgk_") && one.show().len() == 47);
        assert_eq!(hash(one.show()), one.hash());
        assert_eq!(format!("{one:?}"), "Secret(…)");
    }

    #[test]
    fn a_made_up_password_has_four_groups_of_six() {
        let password = Secret::password();
        assert_eq!(password.show().split('-').map(str::len).collect::<Vec<_>>(), [6, 6, 6, 6]);
    }
}
