//! The settings of accounts.

use std::path::PathBuf;
use std::time::Duration;

use chrono::TimeDelta;

use super::table::{Declared, number};
use crate::accounts::Keep;

/// What can be chosen about accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accounts {
    /// `VIGIE_TOKEN_MINUTES`: how long an access token works.
    pub token: TimeDelta,
    /// `VIGIE_SIGNING_HOURS`: how long a key signs access tokens.
    pub signing: TimeDelta,
    /// `VIGIE_SESSION_HOURS`: how long a session lasts, whatever is done with it.
    pub session: TimeDelta,
    /// `VIGIE_SESSION_IDLE_MINUTES`: how long a session lasts when nothing is done with it.
    pub idle: TimeDelta,
    /// `VIGIE_SIGN_IN_ATTEMPTS`: sign-ins of one account in the window; one address has a number of accounts' worth.
    pub attempts: u64,
    /// `VIGIE_SIGN_IN_MINUTES`: the window.
    pub attempt_window: Duration,
    /// `VIGIE_SIGN_IN_RECORDS`: how many failed sign-ins are kept.
    pub records: i64,
    /// `VIGIE_PASSWORD_MIN`: the shortest password, in characters.
    pub password_min: usize,
    /// `VIGIE_PASSWORD_MAX`: the longest.
    pub password_max: usize,
    /// `VIGIE_PASSWORD_KIB`: memory of argon2id.
    pub password_kib: u32,
    /// `VIGIE_PASSWORD_PASSES`: passes of argon2id.
    pub password_passes: u32,
    /// `VIGIE_PASSWORD_HASHES`: how many hashes are computed at once.
    pub password_hashes: usize,
    /// `VIGIE_BREACHED_PASSWORDS`: a file of passwords that others have lost.
    pub breached: Option<PathBuf>,
}

impl Accounts {
    /// How much is kept of sign-ins that failed.
    pub(crate) fn keep(&self) -> Keep {
        Keep { attempts: self.records, age: TimeDelta::days(90) }
    }
}

impl Default for Accounts {
    fn default() -> Self {
        Self {
            token: TimeDelta::minutes(10),
            signing: TimeDelta::hours(24),
            session: TimeDelta::hours(12),
            idle: TimeDelta::minutes(240),
            attempts: 10,
            attempt_window: Duration::from_secs(10 * 60),
            records: 10_000,
            password_min: 12,
            password_max: 128,
            password_kib: 19 * 1024,
            password_passes: 2,
            password_hashes: 4,
            breached: None,
        }
    }
}

/// Every setting of accounts.
pub(super) const TABLE: &[Declared] = &[
    Declared {
        variable: "VIGIE_TOKEN_MINUTES",
        default: "10",
        says: "Minutes that an access token works: 1 to 60. [Accounts](accounts.md) tells of this one and the following.",
        read: |settings, text| {
            number(text, 1, 60).map(|minutes: i64| settings.accounts.token = TimeDelta::minutes(minutes))
        },
    },
    Declared {
        variable: "VIGIE_SIGNING_HOURS",
        default: "24",
        says: "Hours after which a process signs access tokens with a new key: 1 to 720.",
        read: |settings, text| {
            number(text, 1, 720).map(|hours: i64| settings.accounts.signing = TimeDelta::hours(hours))
        },
    },
    Declared {
        variable: "VIGIE_SESSION_HOURS",
        default: "12",
        says: "Hours after which a session ends, whatever is done with it: 1 to 720.",
        read: |settings, text| {
            number(text, 1, 720).map(|hours: i64| settings.accounts.session = TimeDelta::hours(hours))
        },
    },
    Declared {
        variable: "VIGIE_SESSION_IDLE_MINUTES",
        default: "240",
        says: "Minutes without a request after which a session ends: 5 to 43,200.",
        read: |settings, text| {
            number(text, 5, 43_200).map(|minutes: i64| settings.accounts.idle = TimeDelta::minutes(minutes))
        },
    },
    Declared {
        variable: "VIGIE_SIGN_IN_ATTEMPTS",
        default: "10",
        says: "Sign-ins that are tried for one username in `VIGIE_SIGN_IN_MINUTES`: 3 to 1,000. One address may try \
               `VIGIE_ADDRESS_SHARE` times as many. Shared by all processes when there is a Redis.",
        read: |settings, text| number(text, 3, 1_000).map(|most| settings.accounts.attempts = most),
    },
    Declared {
        variable: "VIGIE_SIGN_IN_MINUTES",
        default: "10",
        says: "Minutes in which these come back: 1 to 1,440.",
        read: |settings, text| {
            number(text, 1, 1_440)
                .map(|minutes: u64| settings.accounts.attempt_window = Duration::from_secs(60 * minutes))
        },
    },
    Declared {
        variable: "VIGIE_SIGN_IN_RECORDS",
        default: "10000",
        says: "The newest failed sign-ins that are kept, for 90 days at most: 100 to 1,000,000.",
        read: |settings, text| number(text, 100, 1_000_000).map(|most| settings.accounts.records = most),
    },
    Declared {
        variable: "VIGIE_PASSWORD_MIN",
        default: "12",
        says: "Characters of the shortest password: 8 to 64.",
        read: |settings, text| number(text, 8, 64).map(|least| settings.accounts.password_min = least),
    },
    Declared {
        variable: "VIGIE_PASSWORD_MAX",
        default: "128",
        says: "Characters of the longest password: 64 to 1,024.",
        read: |settings, text| number(text, 64, 1_024).map(|most| settings.accounts.password_max = most),
    },
    Declared {
        variable: "VIGIE_PASSWORD_KIB",
        default: "19456",
        says: "Memory of argon2id for one password in KiB: 8,192 to 1,048,576. Who signs in gets a new hash when this or the \
               next has changed.",
        read: |settings, text| number(text, 8_192, 1_048_576).map(|kib| settings.accounts.password_kib = kib),
    },
    Declared {
        variable: "VIGIE_PASSWORD_PASSES",
        default: "2",
        says: "Passes of argon2id over that memory: 1 to 20.",
        read: |settings, text| number(text, 1, 20).map(|passes| settings.accounts.password_passes = passes),
    },
    Declared {
        variable: "VIGIE_PASSWORD_HASHES",
        default: "4",
        says: "Passwords that are hashed at once, which bounds the memory for it: 1 to 64.",
        read: |settings, text| number(text, 1, 64).map(|most| settings.accounts.password_hashes = most),
    },
    Declared {
        variable: "VIGIE_BREACHED_PASSWORDS",
        default: "(a short list of common ones)",
        says: "A file of passwords that nobody may choose: one per line, or SHA-1 hashes in hex in their order (`HASH` or \
               `HASH:count`), however large.",
        read: |settings, text| {
            settings.accounts.breached = Some(text.into());
            Ok(())
        },
    },
];
