//! Entries on a terminal.

use std::io::{self, Write};

use serde::Serialize;

use crate::audit::{AuditRow, RefusalRow};

/// A row as a line for people.
pub(super) trait Line: Serialize {
    /// Its fields, in columns.
    fn line(&self) -> String;
}

impl Line for AuditRow {
    fn line(&self) -> String {
        let at = self.recorded_at.format("%Y-%m-%d %H:%M:%S");
        let note =
            if self.note.is_empty() { String::new() } else { format!("  \u{201c}{}\u{201d}", plain(&self.note)) };
        let Self { position, site, actor, action, .. } = self;
        format!("{position:>8}  {at}  {site:<10} {actor:<24} {}{note}", plain(action))
    }
}

impl Line for RefusalRow {
    fn line(&self) -> String {
        let at = self.refused_at.format("%Y-%m-%d %H:%M:%S");
        let site = self.site.as_deref().unwrap_or("-");
        let Self { position, actor, command, code, message, .. } = self;
        format!("{position:>8}  {at}  {site:<10} {actor:<24} {command}: {code}: {}", plain(message))
    }
}

/// What people wrote must not move the cursor or clear the screen.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Prints rows to standard output.
pub(super) fn rows<R: Line>(rows: &[R], json: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for row in rows {
        let line = if json { serde_json::to_string(row)? } else { row.line() };
        writeln!(out, "{line}")?;
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn a_note_cannot_steer_the_terminal() {
        assert_eq!(plain("ice\u{1b}[2Jgone\n"), "ice [2Jgone ");
    }
}
