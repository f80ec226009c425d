//! The TOML file: flat keys, each with the line that it stands on.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::SettingsError;

/// A key, its value as text, and its line from 1.
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) value: String,
    pub(super) line: usize,
}

/// The file's name as it is shown, and its text.
pub(super) fn read(path: &Path) -> Result<(String, String), SettingsError> {
    let name = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => Ok((name, text)),
        Err(error) => {
            Err(SettingsError { name: super::CONFIG.to_owned(), problem: format!("{name} cannot be read: {error}") })
        }
    }
}

/// Every key of the file in the order of its lines.
pub(super) fn entries(path: &str, text: &str) -> Result<Vec<Entry>, SettingsError> {
    let line = |offset: usize| 1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count();
    let table = DeTable::parse(text).map_err(|error| SettingsError {
        name: format!("{path}:{}", line(error.span().map_or(0, |span| span.start))),
        problem: error.message().to_owned(),
    })?;
    let mut entries = Vec::new();
    for (key, value) in table.get_ref() {
        let entry = |value| Entry { key: key.get_ref().to_string(), value, line: line(key.span().start) };
        entries.push(match value.get_ref() {
            DeValue::String(text) => entry(text.to_string()),
            DeValue::Integer(number) => entry(number.to_string()),
            DeValue::Boolean(flag) => entry(flag.to_string()),
            DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
                return Err(SettingsError {
                    name: format!("{path}:{}: {}", line(key.span().start), key.get_ref()),
                    problem: "is not a text, an integer, true or false".to_owned(),
                });
            }
        });
    }
    entries.sort_by_key(|entry| entry.line);
    Ok(entries)
}
