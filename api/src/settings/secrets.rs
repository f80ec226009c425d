//! Secrets: from the environment or from files, and none that everybody knows.

use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use reqwest::Url;

use super::{Settings, SettingsError};

/// The settings that are secret, or hold a password. Each may be given as a file instead, named by the variable with
/// `_FILE` behind it.
pub(crate) const SECRETS: &[&str] =
    &["DATABASE_URL", "VIGIE_MIGRATION_DATABASE_URL", "REDIS_URL", "VIGIE_OIDC_CLIENT_SECRET", "VIGIE_WEBHOOK_KEY"];

/// Passwords that come with examples, images and defaults. What is made of one of them and digits is no better.
const KNOWN: &[&str] = &[
    "admin",
    "administrator",
    "changeit",
    "changeme",
    "default",
    "demo",
    "docker",
    "dummy",
    "example",
    "foobared",
    "guest",
    "letmein",
    "pass",
    "passw0rd",
    "password",
    "pg",
    "postgres",
    "postgresql",
    "qwerty",
    "redis",
    "root",
    "sample",
    "secret",
    "test",
    "user",
    "vigie",
    "welcome",
    "yourpassword",
    "yourstrongpassword",
];

/// What a secret must have at least.
const SHORTEST: usize = 12;

/// The variable that names a file with the secret.
pub(crate) fn file_variable(variable: &str) -> String {
    format!("{variable}_FILE")
}

/// The text of a file with a secret; a line end behind it is not part of it.
pub(super) fn read(path: &str) -> Result<String, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path} cannot be read: {error}"))?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    match text.is_empty() {
        true => Err(format!("{path} is empty")),
        false => Ok(text.to_owned()),
    }
}

impl Settings {
    /// Whether secrets may be what they are: a server that others reach has none that everybody can guess.
    ///
    /// # Errors
    /// A weak secret, on an address beyond loopback.
    pub fn check_secrets(&self) -> Result<(), SettingsError> {
        if self.listen.ip().is_loopback() {
            return Ok(());
        }
        self.weak_secrets().into_iter().next().map_or(Ok(()), Err)
    }

    /// Every secret that can be guessed, and why. None of them is repeated.
    #[must_use]
    pub fn weak_secrets(&self) -> Vec<SettingsError> {
        let urls = [
            ("DATABASE_URL", &self.database_url),
            ("VIGIE_MIGRATION_DATABASE_URL", &self.migration_database_url),
            ("REDIS_URL", &self.redis_url),
        ];
        let of_url = |(name, url): (&'static str, &Option<String>)| {
            let (known, password) = login(url.as_deref()?)?;
            Some((name, weakness(&password, &known)?))
        };
        let client = self.oidc.client_secret.as_deref();
        let client = client.and_then(|secret| weakness(secret, std::slice::from_ref(&self.oidc.client_id)));
        let weak =
            urls.into_iter().filter_map(of_url).chain(client.map(|problem| ("VIGIE_OIDC_CLIENT_SECRET", problem)));
        weak.map(|(name, problem)| SettingsError {
            name: name.to_owned(),
            problem: format!("its secret {problem}: choose another one, such as `openssl rand -hex 24` gives"),
        })
        .collect()
    }
}

/// What a URL says besides its password, and the password; nothing for one without.
fn login(url: &str) -> Option<(Vec<String>, String)> {
    let url = Url::parse(url).ok()?;
    let in_query = url.query_pairs().find(|(name, _)| name == "password").map(|(_, value)| value.into_owned());
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let password = in_query.or_else(|| url.password().map(decoded))?;
    let path = url.path().trim_start_matches('/').to_owned();
    let known = vec![decoded(url.username()), path, url.host_str().unwrap_or_default().to_owned()];
    Some((known, password))
}

/// Why a secret can be guessed by who knows what stands beside it.
pub(crate) fn weakness(secret: &str, beside: &[String]) -> Option<&'static str> {
    let lower = secret.to_lowercase();
    let core = lower.trim_matches(|c: char| !c.is_alphabetic());
    let mut characters = secret.chars();
    let first = characters.next();
    if beside.iter().any(|known| !known.is_empty() && known.to_lowercase() == lower) {
        Some("is the name of the user, the database or the host")
    } else if KNOWN.contains(&lower.as_str()) || KNOWN.contains(&core) || core.is_empty() && secret.len() < 24 {
        Some("is one that everybody tries")
    } else if lower.contains("changeme") || lower.contains("change-me") || lower.contains("change_me") {
        Some("is an example")
    } else if characters.all(|character| Some(character) == first) {
        Some("is one character again and again")
    } else if secret.chars().count() < SHORTEST {
        Some("is shorter than 12 characters")
    } else {
        None
    }
}

/// Files that hold secrets and that other accounts of this machine may read.
#[must_use]
pub(crate) fn readable_by_others(files: impl IntoIterator<Item = PathBuf>) -> Vec<PathBuf> {
    use std::os::unix::fs::PermissionsExt;
    let open = |path: &PathBuf| std::fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o004 != 0);
    files.into_iter().filter(open).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weak(url: &str) -> bool {
        let settings = Settings { database_url: Some(url.to_owned()), ..Settings::defaults() };
        !settings.weak_secrets().is_empty()
    }

    #[test]
    fn what_everybody_tries_is_weak() {
        for password in [
            "vigie",
            "Postgres",
            "password",
            "password1",
            "12345678",
            "changeme",
            "please-change-me-soon",
            "aaaaaaaaaaaaaaaa",
            "short-one",
            "operations",
            "p%61ssword",
            "db.example",
        ] {
            let url = format!("postgres://operations:{password}@db.example/vigie");
            assert!(weak(&url), "{password}");
        }
        assert!(weak("postgres://vigie@db.example/x?password=vigie"));
    }

    #[test]
    fn what_nobody_guesses_is_not() {
        for url in [
            "postgres://vigie:9f1c2e7ab04d55e1c3@db.example/vigie",
            "postgres://vigie:correct%20horse%20battery@db.example/vigie",
            // No password: how the server knows its clients is its own affair.
            "postgres://vigie@db.example/vigie?sslcert=client.pem",
            "postgres:///vigie?host=/run/postgresql",
        ] {
            assert!(!weak(url), "{url}");
        }
    }

    #[test]
    fn a_server_that_others_reach_does_not_start_with_a_weak_one() {
        let on = |listen: &str| Settings {
            listen: listen.parse().unwrap(),
            redis_url: Some("redis://:redis@cache/0".to_owned()),
            ..Settings::defaults()
        };
        assert!(on("127.0.0.1:1").check_secrets().is_ok());
        let error = on("0.0.0.0:1").check_secrets().unwrap_err();
        assert_eq!(error.name, "REDIS_URL");
        assert!(!error.to_string().contains(":redis@"), "{error}");
    }
}
