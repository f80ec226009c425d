//! Secrets at rest: AES-256-GCM with a key from the configuration.
//!
//! What is sealed is bound to its place, the endpoint and the secret's id: moved to another row it does not open. There
//! may be several keys, so that they can be changed: the first seals, each opens.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{digest, rand};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;

/// The form of what is sealed: this byte, the key's id, the nonce, the ciphertext with its tag.
const FORM: u8 = 1;
const ID_LEN: usize = 8;

/// Why something is not sealed or opened. No key and no secret is repeated.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// There is no key.
    #[error("there is no key for the secrets of webhooks")]
    NoKey,
    /// Not a key.
    #[error(
        "key {0} for the secrets of webhooks is not 32 bytes in base64: make one with `openssl rand -base64 32`; \
         several are separated by spaces or line ends"
    )]
    Malformed(usize),
    /// What is sealed was sealed with a key that is not there.
    #[error("a secret of a webhook endpoint is sealed with the key {0}, which is not among those of the configuration")]
    UnknownKey(String),
    /// What is sealed was changed, or belongs elsewhere.
    #[error("a sealed secret of a webhook endpoint was changed, or belongs to another one")]
    Changed,
    /// The key's file cannot be read or made.
    #[error("the file with the key for the secrets of webhooks cannot be used")]
    File(#[source] io::Error),
}

/// Whose secret it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The endpoint.
    pub endpoint: Uuid,
    /// The secret's id.
    pub secret: Uuid,
}

struct Key {
    id: [u8; ID_LEN],
    key: LessSafeKey,
}

/// Seals and opens.
pub struct Vault {
    first: Key,
    older: Vec<Key>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vault({}, and {} older)", self.current(), self.older.len())
    }
}

impl Vault {
    /// Reads keys, each 32 bytes in base64, separated by white space; the first one seals.
    ///
    /// # Errors
    /// There is none, or one that is no key.
    pub fn parse(text: &str) -> Result<Self, VaultError> {
        let keys = text.split_ascii_whitespace().enumerate();
        let read = |(n, text)| Key::parse(text).ok_or(VaultError::Malformed(n + 1));
        let mut keys = keys.map(read).collect::<Result<Vec<_>, _>>()?.into_iter();
        let first = keys.next().ok_or(VaultError::NoKey)?;
        Ok(Self { first, older: keys.collect() })
    }

    /// Reads the keys of a file. If there is none, one is drawn and written to it, for its owner alone to read (mode 0600).
    ///
    /// # Errors
    /// The file cannot be read or made, or holds no keys.
    pub fn of_file(path: &Path) -> Result<Self, VaultError> {
        match made(path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(VaultError::File(error)),
        }
        let mut text = String::new();
        File::open(path).and_then(|mut file| file.read_to_string(&mut text)).map_err(VaultError::File)?;
        Self::parse(&text)
    }

    /// A name for the key that seals; it says nothing of the key.
    #[must_use]
    pub fn current(&self) -> String {
        hex(&self.first.id)
    }

    /// Whether it has the key of this name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        std::iter::once(&self.first).chain(&self.older).any(|key| hex(&key.id) == name)
    }

    /// Encrypts a text for its place.
    #[must_use]
    pub fn seal(&self, place: Place, plain: &str) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        rand::fill(&mut nonce).expect("the operating system gives random bytes");
        let mut text = plain.as_bytes().to_vec();
        let sealed = self.first.key.seal_in_place_append_tag(Nonce::from(&nonce), aad(place), &mut text);
        sealed.expect("a secret is far below what AES-GCM takes");
        [&[FORM][..], &self.first.id, &nonce, &text].concat()
    }

    /// Decrypts what was sealed for this place.
    ///
    /// # Errors
    /// It was changed, sealed for another place, or with a key that is not there.
    pub fn open(&self, place: Place, sealed: &[u8]) -> Result<String, VaultError> {
        let (id, rest) = key_of(sealed).ok_or(VaultError::Changed)?;
        let key = std::iter::once(&self.first).chain(&self.older).find(|key| key.id == *id);
        let key = key.ok_or_else(|| VaultError::UnknownKey(hex(id)))?;
        let (nonce, text) = rest.split_first_chunk::<NONCE_LEN>().ok_or(VaultError::Changed)?;
        let mut text = text.to_vec();
        let plain =
            key.key.open_in_place(Nonce::from(nonce), aad(place), &mut text).map_err(|_| VaultError::Changed)?;
        String::from_utf8(plain.to_vec()).map_err(|_| VaultError::Changed)
    }

    /// Whether the key that seals has sealed it: what an older one has sealed is to be sealed anew before that key goes.
    #[must_use]
    pub fn is_current(&self, sealed: &[u8]) -> bool {
        key_of(sealed).is_some_and(|(id, _)| *id == self.first.id)
    }
}

impl Key {
    fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; 32] = STANDARD.decode(text).ok()?.try_into().ok()?;
        let named = digest::digest(&digest::SHA256, &[&b"vigie webhook key"[..], &bytes].concat());
        let id = *named.as_ref().first_chunk()?;
        Some(Self { id, key: LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &bytes).ok()?) })
    }
}

/// Which key has sealed it, and the rest.
fn key_of(sealed: &[u8]) -> Option<(&[u8; ID_LEN], &[u8])> {
    sealed.strip_prefix(&[FORM])?.split_first_chunk()
}

fn aad(place: Place) -> Aad<[u8; 33]> {
    let mut bytes = [FORM; 33];
    bytes[1..17].copy_from_slice(place.endpoint.as_bytes());
    bytes[17..].copy_from_slice(place.secret.as_bytes());
    Aad::from(bytes)
}

fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Makes the file with a new key. It is there whole or not at all: it is written beside its place and then linked.
fn made(path: &Path) -> io::Result<()> {
    if path.try_exists()? {
        return Ok(());
    }
    let mut key = [0; 32];
    rand::fill(&mut key).expect("the operating system gives random bytes");
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    let linked = file
        .write_all(format!("{}\n", STANDARD.encode(key)).as_bytes())
        .and_then(|()| file.sync_all())
        .and_then(|()| std::fs::hard_link(&beside, path));
    std::fs::remove_file(&beside)?;
    linked
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn key(byte: u8) -> String {
        STANDARD.encode([byte; 32])
    }

    fn place(endpoint: u128, secret: u128) -> Place {
        Place { endpoint: Uuid::from_u128(endpoint), secret: Uuid::from_u128(secret) }
    }

    #[test]
    fn what_is_sealed_opens_in_its_place_alone() {
        let vault = Vault::parse(&key(1)).unwrap();
        let sealed = vault.seal(place(1, 2), "whsec_abc");
        assert_eq!(vault.open(place(1, 2), &sealed).unwrap(), "whsec_abc");
        assert!(matches!(vault.open(place(1, 3), &sealed), Err(VaultError::Changed)));
        assert!(matches!(vault.open(place(2, 2), &sealed), Err(VaultError::Changed)));
        assert_ne!(vault.seal(place(1, 2), "whsec_abc"), sealed, "each has a nonce of its own");
        assert!(!sealed.windows(3).any(|bytes| bytes == b"abc"));
    }

    #[test]
    fn whatever_byte_is_changed_it_does_not_open() {
        let vault = Vault::parse(&key(1)).unwrap();
        let sealed = vault.seal(place(1, 2), "secret");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(vault.open(place(1, 2), &changed).is_err(), "byte {at}");
            assert!(vault.open(place(1, 2), &sealed[..at]).is_err(), "the first {at} bytes");
        }
    }

    #[test]
    fn keys_are_changed_by_putting_the_new_one_first() {
        let old = Vault::parse(&key(1)).unwrap();
        let sealed = old.seal(place(1, 2), "secret");
        let both = Vault::parse(&format!("{}\n{}\n", key(2), key(1))).unwrap();
        assert_eq!(both.open(place(1, 2), &sealed).unwrap(), "secret");
        assert!(old.is_current(&sealed) && !both.is_current(&sealed));
        let anew = both.seal(place(1, 2), "secret");
        let new = Vault::parse(&key(2)).unwrap();
        assert!(new.is_current(&anew));
        assert_eq!(new.open(place(1, 2), &anew).unwrap(), "secret");
        let error = new.open(place(1, 2), &sealed).unwrap_err().to_string();
        assert!(error.contains(&old.current()), "{error}");
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_repeated() {
        assert!(matches!(Vault::parse(" \n"), Err(VaultError::NoKey)));
        let error = Vault::parse(&format!("{} c2hvcnQ=", key(1))).unwrap_err().to_string();
        assert!(error.contains("key 2") && !error.contains("c2hvcnQ"), "{error}");
        assert!(!format!("{:?}", Vault::parse(&key(1)).unwrap()).contains(&key(1)));
    }

    #[test]
    fn a_file_is_made_once_and_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("webhooks.key");
        let first = Vault::of_file(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Vault::of_file(&path).unwrap().current(), first.current());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(matches!(Vault::of_file(&folder.path().join("none/webhooks.key")), Err(VaultError::File(_))));
    }
}
