//! Rows as CSV (RFC 4180) and as JSON lines.
//!
//! A cell of a CSV that begins like a formula would be carried out by the spreadsheet that opens it, and what people
//! wrote into notes stands in cells: such a cell gets an apostrophe before it, which spreadsheets take as "this is text".
//! JSON lines hold everything as it is.

use std::fmt::Write as _;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use super::{AuditRow, RefusalRow};

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// RFC 4180, in UTF-8, with a header line.
    Csv,
    /// One JSON object per line.
    Jsonl,
}

impl Format {
    /// The media type.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Jsonl => "application/jsonl; charset=utf-8",
        }
    }
}

/// A row that can be written down.
pub(crate) trait Exported: Serialize {
    /// The names of the columns of its CSV.
    const COLUMNS: &'static [&'static str];
    /// Its cells, in the order of the columns.
    fn cells(&self) -> Vec<String>;
}

fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

impl Exported for AuditRow {
    const COLUMNS: &'static [&'static str] = &[
        "position",
        "recorded_at",
        "occurred_at",
        "site",
        "actor",
        "action",
        "note",
        "things",
        "type",
        "command",
        "command_id",
        "correlation_id",
        "causation_id",
        "event",
        "changes",
    ];
    fn cells(&self) -> Vec<String> {
        vec![
            self.position.to_string(),
            time(self.recorded_at),
            time(self.occurred_at),
            self.site.clone(),
            self.actor.clone(),
            self.action.clone(),
            self.note.clone(),
            self.things.join(" "),
            self.r#type.clone(),
            self.command.clone(),
            self.command_id.to_string(),
            self.correlation_id.to_string(),
            self.causation_id.map(|id| id.to_string()).unwrap_or_default(),
            self.event.to_string(),
            json(&self.changes),
        ]
    }
}

impl Exported for RefusalRow {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "position",
        "refused_at",
        "site",
        "actor",
        "command",
        "code",
        "message",
        "things",
        "command_id",
        "correlation_id",
        "causation_id",
        "details",
        "input",
    ];
    fn cells(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.position.to_string(),
            time(self.refused_at),
            self.site.clone().unwrap_or_default(),
            self.actor.clone(),
            self.command.clone(),
            self.code.clone(),
            self.message.clone(),
            self.things.join(" "),
            self.command_id.to_string(),
            self.correlation_id.to_string(),
            self.causation_id.map(|id| id.to_string()).unwrap_or_default(),
            json(&self.details),
            json(&self.input),
        ]
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| unreachable!("rows are plain data: {error}"))
}

/// What stands before the first row.
pub(crate) fn header<R: Exported>(format: Format) -> String {
    match format {
        Format::Csv => line(R::COLUMNS.iter().copied()),
        Format::Jsonl => String::new(),
    }
}

/// Rows as text.
pub(crate) fn text<R: Exported>(format: Format, rows: &[R]) -> String {
    let mut text = String::new();
    for row in rows {
        match format {
            Format::Csv => text += &line(row.cells().iter().map(String::as_str)),
            Format::Jsonl => {
                text += &json(row);
                text.push('\n');
            }
        }
    }
    text
}

/// One line of a CSV.
fn line<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    let mut line = String::new();
    for (place, cell) in cells.enumerate() {
        if place > 0 {
            line.push(',');
        }
        let guard = if is_formula(cell) { "'" } else { "" };
        if cell.contains([',', '"', '\r', '\n', '\'']) || !guard.is_empty() {
            write!(line, "\"{guard}{}\"", cell.replace('"', "\"\"")).expect("writing to a text cannot fail");
        } else {
            line.push_str(cell);
        }
    }
    line.push_str("\r\n");
    line
}

/// What a spreadsheet would carry out, or skip on the way to it; also in full width.
fn is_formula(cell: &str) -> bool {
    let start = cell.trim_start_matches([' ', '\u{a0}']);
    start.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠', '|', '%'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads a CSV as RFC 4180 says, without knowing how it was written.
    fn read(text: &str) -> Vec<Vec<String>> {
        let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match (quoted, c) {
                (true, '"') if chars.peek() == Some(&'"') => cell.push(chars.next().unwrap()),
                (_, '"') => quoted = !quoted,
                (false, ',') => row.push(std::mem::take(&mut cell)),
                (false, '\r') if chars.peek() == Some(&'\n') => {
                    chars.next();
                    row.push(std::mem::take(&mut cell));
                    rows.push(std::mem::take(&mut row));
                }
                (_, other) => cell.push(other),
            }
        }
        rows
    }

    #[test]
    fn what_looks_like_a_formula_is_text() {
        for cell in ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "＝1", "=HYPERLINK(\"http://x\")"] {
            assert_eq!(read(&line([cell].into_iter())), [[format!("'{cell}")]], "{cell:?}");
        }
        assert_eq!(line(["a-b", "1=1"].into_iter()), "a-b,1=1\r\n");
    }

    proptest! {
        #[test]
        fn a_csv_is_read_as_it_was_written(cells in prop::collection::vec("[ -~é\r\n\",;]{0,12}", 1..5)) {
            let expected: Vec<String> =
                cells.iter().map(|cell| if is_formula(cell) { format!("'{cell}") } else { cell.clone() }).collect();
            prop_assert_eq!(read(&line(cells.iter().map(String::as_str))), [expected]);
        }
    }
}
