//! Passwords that others have lost: a short built-in list, and a file of any size.
//!
//! A file of hashes in their order is searched by halves where it lies, so that it may be larger than memory. A file of
//! plain passwords is kept as hashes.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use sha2::{Digest, Sha256};

/// The most common ones that are long enough to be chosen, in small letters.
const COMMON: &str = include_str!("common.txt");

/// The longest line of a file of hashes: 40 digits, a colon and a count.
const LINE: u64 = 64;

/// Passwords that nobody may choose.
pub(super) enum Breached {
    /// Only the built-in ones.
    Common,
    /// Hashes of those of a file.
    Plain(HashSet<[u8; 32]>),
    /// A file of SHA-1 hashes in their order.
    Hashes(PathBuf),
}

impl Breached {
    /// Opens the file, if there is one.
    pub(super) fn open(path: Option<&Path>) -> io::Result<Self> {
        let Some(path) = path else { return Ok(Self::Common) };
        let mut lines = BufReader::new(File::open(path)?).lines();
        let Some(first) = lines.next().transpose()? else { return Ok(Self::Common) };
        if is_hash(&first) {
            return Ok(Self::Hashes(path.to_owned()));
        }
        let kept = |line: &str| -> [u8; 32] { Sha256::digest(line.as_bytes()).into() };
        let mut plain = HashSet::from([kept(&first)]);
        for line in lines {
            plain.insert(kept(&line?));
        }
        Ok(Self::Plain(plain))
    }

    /// Whether a password is among them.
    pub(super) fn contains(&self, password: &str) -> io::Result<bool> {
        if COMMON.lines().any(|common| common == password.to_lowercase()) {
            return Ok(true);
        }
        match self {
            Self::Common => Ok(false),
            Self::Plain(plain) => {
                let kept: [u8; 32] = Sha256::digest(password.as_bytes()).into();
                Ok(plain.contains(&kept))
            }
            Self::Hashes(path) => find(&mut File::open(path)?, &sha1(password)),
        }
    }
}

fn is_hash(line: &str) -> bool {
    let hash = line.split(':').next().unwrap_or_default();
    hash.len() == 40 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn sha1(password: &str) -> String {
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
    hash.as_ref().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02X}");
        hex
    })
}

/// Looks for a line that begins with `wanted` in a file whose lines are in order: halves the part that it must be in.
fn find(file: &mut (impl Read + Seek), wanted: &str) -> io::Result<bool> {
    let (mut from, mut to) = (0, file.seek(SeekFrom::End(0))?);
    while from < to {
        let middle = from + (to - from) / 2;
        let (start, line) = line_at(file, middle, from)?;
        let hash = line.get(..40.min(line.len())).unwrap_or_default().to_ascii_uppercase();
        match hash.as_str().cmp(wanted) {
            std::cmp::Ordering::Equal => return Ok(true),
            std::cmp::Ordering::Less => from = start + line.len() as u64 + 1,
            std::cmp::Ordering::Greater => to = start,
        }
    }
    Ok(false)
}

/// The line in which a byte stands, and where it starts; nothing before `least` is looked at.
fn line_at(file: &mut (impl Read + Seek), byte: u64, least: u64) -> io::Result<(u64, String)> {
    let from = byte.saturating_sub(LINE).max(least);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.by_ref().take(byte - from + LINE).read_to_end(&mut bytes)?;
    let place = usize::try_from(byte - from).unwrap_or_default().min(bytes.len());
    let start = bytes[..place].iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    let end = bytes[start..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |length| start + length);
    Ok((from + start as u64, String::from_utf8_lossy(&bytes[start..end]).into_owned()))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn the_common_ones_are_long_enough_to_be_chosen_and_in_small_letters() {
        for common in COMMON.lines() {
            assert!(common.chars().count() >= 8 && common == common.to_lowercase(), "{common:?}");
        }
        assert!(Breached::Common.contains("Password1234").unwrap());
        assert!(!Breached::Common.contains("stands and trains").unwrap());
    }

    #[test]
    fn every_line_of_a_sorted_file_is_found_and_nothing_else() {
        let passwords: Vec<String> = (0..500).map(|n| format!("password-{n}")).collect();
        let mut lines: Vec<String> = passwords.iter().map(|password| format!("{}:{}", sha1(password), 17)).collect();
        lines.sort();
        for end in ["\n", "\r\n"] {
            for last in ["", end] {
                let mut file = Cursor::new(lines.join(end) + last);
                for password in &passwords {
                    assert!(find(&mut file, &sha1(password)).unwrap(), "{password}");
                }
                for other in (500..1_000).map(|n| format!("password-{n}")) {
                    assert!(!find(&mut file, &sha1(&other)).unwrap(), "{other}");
                }
            }
        }
    }

    #[test]
    fn a_file_is_of_hashes_or_of_passwords() {
        let folder = tempfile::tempdir().unwrap();
        let (plain, hashes) = (folder.path().join("plain"), folder.path().join("hashes"));
        std::fs::write(&plain, "stands and trains\nanother one\n").unwrap();
        std::fs::write(&hashes, format!("{}\n", sha1("stands and trains"))).unwrap();
        for path in [plain, hashes] {
            let breached = Breached::open(Some(&path)).unwrap();
            assert!(breached.contains("stands and trains").unwrap());
            assert!(!breached.contains("stands and planes").unwrap());
        }
        assert!(Breached::open(Some(&folder.path().join("none"))).is_err());
    }
}
