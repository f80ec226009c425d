//! Rows that were set aside are dead letters until an import takes them.
//!
//! A row is known by its text: the same text from the same feed is the same letter, in whatever file and place it comes.
//! A row that had to be put right has another text, so its letter is discarded by hand.

use serde_json::json;
use sqlx::PgPool;
use uuid::Uuid;
use vigie_commands::dead_letters::{self, Source, Undone};
use vigie_domain::kernel::derived_uuid;

use super::SetAside;

/// The most bytes of a row that are kept.
const LARGEST: usize = 16 * 1024;

/// The dead letters of a feed. What cannot be written is logged, and the import goes on.
#[derive(Debug)]
pub struct Letters {
    pool: PgPool,
    feed: &'static str,
    /// Whether there may be open ones: rows that are taken are looked up only then.
    open: bool,
    undone: Vec<Undone>,
    taken: Vec<Uuid>,
}

impl Letters {
    /// The letters of a feed.
    pub async fn open(pool: PgPool, feed: &'static str) -> Self {
        let open = dead_letters::has_open(&pool, feed).await.unwrap_or_else(|error| {
            tracing::warn!(error = &error as &dyn std::error::Error, feed, "dead letters cannot be read");
            true
        });
        Self { pool, feed, open, undone: Vec::new(), taken: Vec::new() }
    }

    /// A row was set aside.
    pub(super) fn put(&mut self, aside: &SetAside) {
        let SetAside { file, place, pointer, reason, row } = aside;
        self.open = true;
        let kept = row.floor_char_boundary(LARGEST);
        let mut payload = json!({ "file": file, "place": place, "pointer": pointer, "row": row[..kept] });
        if kept < row.len() {
            payload["row_bytes"] = row.len().into();
        }
        self.undone.push(Undone {
            source: Source::Import,
            name: self.feed.to_owned(),
            command_id: if row.is_empty() { self.id(&format!("{file}#{pointer}")) } else { self.id(row) },
            payload,
            reason: reason.clone(),
            code: code(reason).map(ToOwned::to_owned),
        });
    }

    /// A row was taken.
    pub(super) fn took(&mut self, row: &str) {
        if self.open {
            self.taken.push(self.id(row));
        }
    }

    /// Writes what has come since, those that were set aside first.
    pub(super) async fn write(&mut self, now: chrono::DateTime<chrono::Utc>) {
        let (undone, taken) = (std::mem::take(&mut self.undone), std::mem::take(&mut self.taken));
        if !undone.is_empty() {
            dead_letters::record(&self.pool, &undone, now).await;
        }
        if !taken.is_empty()
            && let Err(error) = dead_letters::close_imported(&self.pool, self.feed, &taken, now).await
        {
            tracing::warn!(error = &error as &dyn std::error::Error, self.feed, "dead letters cannot be closed");
        }
    }

    fn id(&self, row: &str) -> Uuid {
        derived_uuid("import-row", &format!("{}/{row}", self.feed))
    }
}

/// The rule that a reason begins with, if a rule has refused the row.
fn code(reason: &str) -> Option<&str> {
    let (code, _) = reason.split_once(": ")?;
    let upper = |byte: u8| byte.is_ascii_uppercase() || byte == b'_';
    (!code.is_empty() && code.bytes().all(upper)).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::code;

    #[test]
    fn a_rule_stands_before_its_words() {
        assert_eq!(code("SITE_UNKNOWN: there is no site X"), Some("SITE_UNKNOWN"));
        assert_eq!(code("expected a number: at line 1"), None);
        assert_eq!(code("no colon"), None);
    }
}
