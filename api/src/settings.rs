//! Settings: environment variables over a TOML file over defaults.

/// Everything that can be set. A wrong value stops the start with a message that names it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `DATABASE_URL`: the Postgres to use; a private one under the data folder without it.
    pub database_url: Option<String>,
}

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{name}: {problem}")]
pub struct SettingsError {
    /// The environment variable, or the file and the key.
    pub name: String,
    /// What is wrong and what would be right.
    pub problem: String,
}

impl Settings {
    /// Reads the environment and the file that `VIGIE_CONFIG` names.
    ///
    /// # Errors
    /// A value that cannot be used.
    pub fn load() -> Result<Self, SettingsError> {
        Ok(Self { database_url: std::env::var("DATABASE_URL").ok() })
    }
}
