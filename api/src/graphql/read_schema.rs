//! The schema of the database that the read models are read from.

use std::sync::Arc;

/// A schema that holds read models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadSchema {
    name: Arc<str>,
    until: Option<i64>,
}

impl Default for ReadSchema {
    /// The one that follows the log.
    fn default() -> Self {
        Self { name: "read".into(), until: None }
    }
}

/// What SQL takes for a part of a statement unless it is in quotes: the words that Postgres reserves.
#[rustfmt::skip]
const RESERVED: [&str; 101] = [
    "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "authorization", "binary",
    "both", "case", "cast", "check", "collate", "collation", "column", "concurrently", "constraint", "create",
    "cross", "current_catalog", "current_date", "current_role", "current_schema", "current_time",
    "current_timestamp", "current_user", "default", "deferrable", "desc", "distinct", "do", "else", "end", "except",
    "false", "fetch", "for", "foreign", "freeze", "from", "full", "grant", "group", "having", "ilike", "in",
    "initially", "inner", "intersect", "into", "is", "isnull", "join", "lateral", "leading", "left", "like",
    "limit", "localtime", "localtimestamp", "natural", "not", "notnull", "null", "offset", "on", "only", "or",
    "order", "outer", "overlaps", "placing", "primary", "references", "returning", "right", "select",
    "session_user", "similar", "some", "symmetric", "system_user", "table", "tablesample", "then", "to", "trailing",
    "true", "union", "unique", "user", "using", "variadic", "verbose", "when", "where", "window", "with",
];

/// Why a text is not the name of a schema for read models.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a name for a schema: 1 to 63 of a to z, 0 to 9 and _, not a digit first, not pg_…, no reserved word of \
     SQL, and not one of Vigie's own"
)]
pub struct SchemaError(String);

impl std::str::FromStr for ReadSchema {
    type Err = SchemaError;
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::new(name)
    }
}

impl ReadSchema {
    /// The schemas that are the program's own.
    const TAKEN: [&str; 5] = ["read", "read_rebuild", "read_verify", "public", "information_schema"];

    /// A schema beside those that the program keeps.
    ///
    /// # Errors
    /// The name would need quotes, or is taken.
    pub fn new(name: &str) -> Result<Self, SchemaError> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let fits = !name.is_empty() && name.len() <= 63 && name.chars().all(plain);
        let free = !name.starts_with("pg_") && !Self::TAKEN.contains(&name) && !RESERVED.contains(&name);
        if fits && free && !name.starts_with(|c: char| c.is_ascii_digit()) {
            Ok(Self { name: name.into(), until: None })
        } else {
            Err(SchemaError(name.to_owned()))
        }
    }

    /// The same, which was built up to `position` and stays so.
    #[must_use]
    pub fn built_until(self, position: i64) -> Self {
        Self { until: Some(position), ..self }
    }

    /// The position that it was built until; none of the one that follows the log.
    #[must_use]
    pub fn until(&self) -> Option<i64> {
        self.until
    }

    /// The name; safe in a statement without quotes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_that_needs_quotes_or_is_taken_is_refused() {
        for name in
            ["", "Read", "a-b", "1a", "pg_temp", "then", "read", "read_rebuild", "public", "a\"b", &"a".repeat(64)]
        {
            assert!(ReadSchema::new(name).is_err(), "{name}");
        }
        assert_eq!(ReadSchema::new("as_of_2026").unwrap().as_str(), "as_of_2026");
    }

    #[tokio::test]
    async fn no_word_that_this_postgres_reserves_is_taken_for_a_name() {
        let pool = vigie_eventlog::testing::database().await;
        let reserved = "select word from pg_get_keywords() where catcode in ('R', 'T')";
        let reserved: Vec<String> = sqlx::query_scalar(reserved).fetch_all(&pool).await.unwrap();
        assert!(reserved.len() > 90);
        for word in reserved {
            assert!(ReadSchema::new(&word).is_err(), "{word}");
        }
    }
}
