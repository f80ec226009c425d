//! Signing secrets and signatures, as Standard Webhooks writes them.
//!
//! `v1` is HMAC-SHA256 with a secret that both sides hold (`whsec_`); `v1a` is Ed25519, whose secret key (`whsk_`) stays
//! here and whose public key (`whpk_`) the receiver has.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use aws_lc_rs::{hmac, rand};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;

const HMAC: &str = "whsec_";
const ED25519_SECRET: &str = "whsk_";
const ED25519_PUBLIC: &str = "whpk_";

/// How a secret signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// `v1`: HMAC-SHA256.
    Hmac,
    /// `v1a`: Ed25519.
    Ed25519,
}

impl Scheme {
    /// The signature's identifier: `v1` or `v1a`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hmac => "v1",
            Self::Ed25519 => "v1a",
        }
    }
}

/// Why a text is no signing secret. The text is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// It begins with neither prefix.
    #[error("a signing secret begins with whsec_ or whsk_")]
    Prefix,
    /// What follows the prefix is not base64.
    #[error("what follows the prefix of a signing secret is base64")]
    Base64,
    /// Too short to be safe, or longer than the algorithm uses.
    #[error("a secret of HMAC has 24 to 64 bytes, one of Ed25519 has 32 (or 64 with the public key at the end)")]
    Length,
    /// The public half is not that of the secret half.
    #[error("the public key in the Ed25519 secret is not its own")]
    Mismatch,
}

#[expect(clippy::large_enum_variant, reason = "there is one per secret, in an Arc")]
enum Key {
    Hmac { bytes: Vec<u8>, key: hmac::Key },
    Ed25519 { seed: [u8; 32], pair: Ed25519KeyPair },
}

/// A secret that signs what one endpoint gets. It is not printed by accident, and cheap to clone.
#[derive(Clone)]
pub struct SigningSecret(Arc<Key>);

impl SigningSecret {
    /// A new one.
    #[must_use]
    pub fn draw(scheme: Scheme) -> Self {
        let mut bytes = [0; 32];
        rand::fill(&mut bytes).expect("the operating system gives random bytes");
        match scheme {
            Scheme::Hmac => Self::hmac(&bytes),
            Scheme::Ed25519 => Self::ed25519(bytes),
        }
    }

    /// Reads `whsec_…` or `whsk_…`.
    ///
    /// # Errors
    /// It is neither.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let decode = |text| STANDARD.decode(text).map_err(|_| SecretError::Base64);
        if let Some(text) = text.strip_prefix(HMAC) {
            let bytes = decode(text)?;
            return if (24..=64).contains(&bytes.len()) { Ok(Self::hmac(&bytes)) } else { Err(SecretError::Length) };
        }
        let bytes = decode(text.strip_prefix(ED25519_SECRET).ok_or(SecretError::Prefix)?)?;
        let (seed, public) = bytes.split_first_chunk::<32>().ok_or(SecretError::Length)?;
        let secret = Self::ed25519(*seed);
        match (public.len(), &*secret.0) {
            (0, _) => Ok(secret),
            (32, Key::Ed25519 { pair, .. }) if pair.public_key().as_ref() == public => Ok(secret),
            (32, _) => Err(SecretError::Mismatch),
            _ => Err(SecretError::Length),
        }
    }

    fn hmac(bytes: &[u8]) -> Self {
        Self(Arc::new(Key::Hmac { bytes: bytes.into(), key: hmac::Key::new(hmac::HMAC_SHA256, bytes) }))
    }

    fn ed25519(seed: [u8; 32]) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).expect("any 32 bytes are a seed of Ed25519");
        Self(Arc::new(Key::Ed25519 { seed, pair }))
    }

    /// How it signs.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        match *self.0 {
            Key::Hmac { .. } => Scheme::Hmac,
            Key::Ed25519 { .. } => Scheme::Ed25519,
        }
    }

    /// Its text, to be shown once or encrypted.
    #[must_use]
    pub fn show(&self) -> String {
        match &*self.0 {
            Key::Hmac { bytes, .. } => format!("{HMAC}{}", STANDARD.encode(bytes)),
            Key::Ed25519 { seed, .. } => format!("{ED25519_SECRET}{}", STANDARD.encode(seed)),
        }
    }

    /// What receivers check signatures with and everybody may know; none where that is the secret itself.
    #[must_use]
    pub fn public(&self) -> Option<String> {
        match &*self.0 {
            Key::Hmac { .. } => None,
            Key::Ed25519 { pair, .. } => Some(format!("{ED25519_PUBLIC}{}", STANDARD.encode(pair.public_key()))),
        }
    }

    /// The signature with its identifier, such as `v1,K5oZ…`.
    fn sign(&self, content: &[u8]) -> String {
        let signature = match &*self.0 {
            Key::Hmac { key, .. } => STANDARD.encode(hmac::sign(key, content)),
            Key::Ed25519 { pair, .. } => STANDARD.encode(pair.sign(content)),
        };
        format!("{},{signature}", self.scheme().name())
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningSecret({}, …)", self.scheme().name())
    }
}

/// The value of the header `webhook-signature`: one signature per secret, in their order.
pub(super) fn signatures(secrets: &[SigningSecret], id: Uuid, timestamp: i64, body: &str) -> String {
    let content = format!("{id}.{timestamp}.{body}");
    secrets.iter().map(|secret| secret.sign(content.as_bytes())).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};

    use super::*;

    #[test]
    fn secrets_are_read_as_they_are_shown() {
        for (scheme, prefix) in [(Scheme::Hmac, "whsec_"), (Scheme::Ed25519, "whsk_")] {
            let secret = SigningSecret::draw(scheme);
            let shown = secret.show();
            assert!(shown.starts_with(prefix));
            let read = SigningSecret::parse(&shown).unwrap();
            assert_eq!((read.show(), read.public(), read.scheme()), (shown.clone(), secret.public(), scheme));
            assert_ne!(SigningSecret::draw(scheme).show(), shown);
            assert!(!format!("{secret:?}").contains(&shown[prefix.len()..]));
        }
    }

    #[test]
    fn what_is_no_secret_is_refused_without_being_repeated() {
        let of = |prefix: &str, bytes: &[u8]| format!("{prefix}{}", STANDARD.encode(bytes));
        for (text, error) in [
            ("secret".to_owned(), SecretError::Prefix),
            ("whpk_AAAA".to_owned(), SecretError::Prefix),
            ("whsec_not base64!".to_owned(), SecretError::Base64),
            (of("whsec_", &[1; 23]), SecretError::Length),
            (of("whsec_", &[1; 65]), SecretError::Length),
            (of("whsk_", &[1; 31]), SecretError::Length),
            (of("whsk_", &[1; 63]), SecretError::Length),
            (of("whsk_", &[1; 64]), SecretError::Mismatch),
        ] {
            assert_eq!(SigningSecret::parse(&text).unwrap_err(), error, "{text}");
        }
        assert!(SigningSecret::parse(&of("whsec_", &[1; 24])).is_ok());
        assert!(SigningSecret::parse(&of("whsec_", &[1; 64])).is_ok());
    }

    #[test]
    fn an_ed25519_secret_may_carry_its_public_key() {
        let secret = SigningSecret::draw(Scheme::Ed25519);
        let half = |text: &str| STANDARD.decode(text.split_once('_').unwrap().1).unwrap();
        let both = [half(&secret.show()), half(&secret.public().unwrap())].concat();
        let read = SigningSecret::parse(&format!("whsk_{}", STANDARD.encode(both))).unwrap();
        assert_eq!(read.show(), secret.show());
    }

    #[test]
    fn each_secret_signs_id_timestamp_and_body() {
        let secrets = [SigningSecret::draw(Scheme::Hmac), SigningSecret::draw(Scheme::Ed25519)];
        let header = signatures(&secrets, Uuid::nil(), 1_674_087_231, r#"{"a":1}"#);
        let signed = br#"00000000-0000-0000-0000-000000000000.1674087231.{"a":1}"#;
        let (v1, v1a) = header.split_once(' ').unwrap();
        let signature = |text: &str, name| STANDARD.decode(text.strip_prefix(name).unwrap()).unwrap();
        let Key::Hmac { key, .. } = &*secrets[0].0 else { panic!("the first is HMAC's") };
        hmac::verify(key, signed, &signature(v1, "v1,")).unwrap();
        let public = STANDARD.decode(&secrets[1].public().unwrap()[5..]).unwrap();
        UnparsedPublicKey::new(&ED25519, public).verify(signed, &signature(v1a, "v1a,")).unwrap();
    }
}
