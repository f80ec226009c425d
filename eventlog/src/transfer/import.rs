//! From a file into the log.

use std::io::BufRead;

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use sqlx::{Connection, PgConnection, PgTransaction};

use super::insert::{Batch, Command};
use super::{Closing, Digest, End, FORMAT, Header, Line, TransferError, VERSION};
use crate::append::is_storable;
use crate::event::has_nul;

/// How many events go to the database together.
const BATCH: usize = 2_000;
/// How the closing line begins, and no other.
const CLOSING: &str = r#"{"end":"#;

/// What was taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Number of events.
    pub events: i64,
    /// Position of the last one.
    pub last: i64,
}

/// Takes a file of [`super::export()`] into the log that ends right before it; tells `progress` the position. All of it or
/// nothing: one transaction, which holds the log's head, so that nobody appends meanwhile. Memory stays flat.
///
/// Positions, times and answers are those of the file, so this bypasses `log_append` and needs the owner's connection.
/// What the events say is not looked at: `vigie log check` does that.
///
/// # Errors
/// A log that ends elsewhere, a line that is wrong or cannot be stored (with its number), a file that is not whole, or
/// a failing database.
pub async fn import(
    owner: &mut PgConnection,
    file: &str,
    input: impl BufRead + Send,
    progress: &(dyn Fn(i64) + Send + Sync),
) -> Result<Imported, TransferError> {
    let mut transaction = owner.begin().await.map_err(TransferError::database("begin"))?;
    let head = sqlx::query_scalar!("select position from log_head for update")
        .fetch_one(&mut *transaction)
        .await
        .map_err(TransferError::database("lock the log's head"))?;
    let newest = sqlx::query_scalar!("select recorded_at from event where position = $1", head)
        .fetch_optional(&mut *transaction)
        .await
        .map_err(TransferError::database("read the last event"))?;
    let mut lines = Lines { file, input, number: 0, text: String::new(), digest: Digest::default() };
    let first = lines.header()?;
    if first != head + 1 {
        return Err(TransferError::NotNext { file: file.to_owned(), first, head });
    }
    let course = Course { position: head, recorded_at: newest.unwrap_or(DateTime::<Utc>::MIN_UTC), command: None };
    let imported = take_in(&mut lines, course, &mut transaction, progress).await?;
    transaction.commit().await.map_err(TransferError::database("commit the import"))?;
    Ok(imported)
}

async fn take_in(
    lines: &mut Lines<'_, impl BufRead + Send>,
    mut course: Course,
    transaction: &mut PgTransaction<'_>,
    progress: &(dyn Fn(i64) + Send + Sync),
) -> Result<Imported, TransferError> {
    let head = course.position;
    let mut batch = Batch::new(lines.file);
    let end = loop {
        match lines.next()? {
            Next::Event(line) => {
                let done = course.take(lines.number, &line).map_err(|problem| lines.wrong(problem))?;
                batch.commands.extend(done);
                batch.events.push((lines.number, *line));
            }
            Next::End(end) => break end,
        }
        if batch.events.len() >= BATCH {
            batch.insert(transaction).await?;
            progress(course.position);
        }
    };
    batch.commands.extend(course.command.take());
    batch.insert(transaction).await?;
    let imported = Imported { events: course.position - head, last: course.position };
    lines.is_whole(&end, &imported)?;
    Ok(imported)
}

/// Where the file is, to see whether a line follows from the ones before it.
struct Course {
    position: i64,
    recorded_at: DateTime<Utc>,
    /// The command whose events are being read.
    command: Option<Command>,
}

impl Course {
    /// Takes an event; the command that ended before it, if another one begins here.
    fn take(&mut self, number: u64, line: &Line) -> Result<Option<Command>, String> {
        if line.position != self.position + 1 {
            return Err(format!("position {} does not follow {}", line.position, self.position));
        }
        if line.recorded_at < self.recorded_at {
            return Err(format!(
                "recorded at {}, before the event ahead of it ({})",
                line.recorded_at, self.recorded_at
            ));
        }
        if line.version == 0 || i16::try_from(line.version).is_err() {
            return Err(format!("{} is no version", line.version));
        }
        let site = Some(&line.site).filter(|site| !site.is_empty());
        let texts = [&line.kind].into_iter().chain(site).chain(&line.tags);
        if let Some(text) = texts.into_iter().find(|text| !is_storable(text)) {
            return Err(format!(
                "a type or tag is empty, or one of them or the site has a control character: {text:?}"
            ));
        }
        if has_nul(line.data.get()) {
            return Err("Postgres cannot hold the character U+0000 in a text".to_owned());
        }
        (self.position, self.recorded_at) = (line.position, line.recorded_at);
        self.take_command(number, line)
    }

    fn take_command(&mut self, number: u64, line: &Line) -> Result<Option<Command>, String> {
        match &mut self.command {
            Some(command) if command.id == line.metadata.command_id => {
                if command.name != line.metadata.command {
                    return Err(format!(
                        "command {} is {} here and {} before",
                        command.id, line.metadata.command, command.name
                    ));
                }
                if line.answer.is_some() {
                    return Err("the answer of a command belongs beside its first event".to_owned());
                }
                command.last = line.position;
                Ok(None)
            }
            _ => Ok(self.command.replace(Command {
                line: number,
                id: line.metadata.command_id,
                name: line.metadata.command.clone(),
                first: line.position,
                last: line.position,
                answer: line.answer.clone(),
            })),
        }
    }
}

enum Next {
    Event(Box<Line>),
    End(End),
}

/// The lines of a file, digested as they are read.
struct Lines<'a, R> {
    file: &'a str,
    input: R,
    number: u64,
    text: String,
    digest: Digest,
}

impl<R: BufRead> Lines<'_, R> {
    /// The first position.
    fn header(&mut self) -> Result<i64, TransferError> {
        let header: Header = match self.read()? {
            true => self.parse().map_err(|_| self.wrong("this is no file of vigie log export"))?,
            false => return Err(self.wrong("the file is empty")),
        };
        if header.format != FORMAT || header.version != VERSION {
            let Header { format, version, .. } = header;
            return Err(self.wrong(format!("{format:?} version {version} cannot be read; upgrade vigie")));
        }
        self.digest.update(self.text.as_bytes());
        Ok(header.first)
    }

    fn next(&mut self) -> Result<Next, TransferError> {
        if !self.read()? {
            return Err(self.wrong("the file ends here without its closing line: it is not whole"));
        }
        if self.text.starts_with(CLOSING) {
            return Ok(Next::End(self.parse::<Closing>()?.end));
        }
        let line = self.parse()?;
        self.digest.update(self.text.as_bytes());
        Ok(Next::Event(Box::new(line)))
    }

    /// Whether the file is what its closing line says, and ends with it.
    fn is_whole(&mut self, end: &End, imported: &Imported) -> Result<(), TransferError> {
        let sha256 = std::mem::take(&mut self.digest).hex();
        let found = End { events: imported.events, last: imported.last, sha256 };
        if *end != found {
            return Err(self.wrong(format!("the file is not what it was: it says {end}, and comes to {found}")));
        }
        if self.read()? {
            return Err(self.wrong("there is more after the closing line"));
        }
        Ok(())
    }

    fn read(&mut self) -> Result<bool, TransferError> {
        self.text.clear();
        let read = self.input.read_line(&mut self.text);
        let read = read.map_err(|source| TransferError::Read { file: self.file.to_owned(), source })?;
        self.number += 1;
        Ok(read > 0)
    }

    fn parse<T: DeserializeOwned>(&self) -> Result<T, TransferError> {
        serde_json::from_str(&self.text).map_err(|error| self.wrong(told(&error)))
    }

    fn wrong(&self, problem: impl ToString) -> TransferError {
        TransferError::Line { file: self.file.to_owned(), line: self.number, problem: problem.to_string() }
    }
}

/// What serde says, without its line: that is always the first of the one line that it sees.
fn told(error: &serde_json::Error) -> String {
    if error.is_eof() {
        return "it is cut off".to_owned();
    }
    let text = error.to_string();
    format!("{}, at column {}", text.split(" at line ").next().unwrap_or_default(), error.column())
}
