//! Lines of bounded length from a reader.

use std::borrow::Cow;
use std::io::{self, BufRead, ErrorKind};

use super::{MAX_LINE, PassLine, SetAside, node, part};

/// Reads the parts of passes line by line. Blank lines are skipped, but counted.
pub fn read<R: BufRead>(input: R) -> PassLines<R> {
    PassLines { input, line: 0, buffer: Vec::new(), ended: false }
}

/// Made by [`read`].
#[derive(Debug)]
pub struct PassLines<R> {
    input: R,
    line: u64,
    buffer: Vec<u8>,
    ended: bool,
}

enum Filled {
    Line,
    TooLong,
    End,
}

impl<R: BufRead> PassLines<R> {
    /// Fills the buffer with the next line, without its end. Of a line that is too long nothing is kept.
    fn fill(&mut self) -> io::Result<Filled> {
        self.buffer.clear();
        let (mut any, mut too_long) = (false, false);
        loop {
            let chunk = match self.input.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if chunk.is_empty() {
                break;
            }
            any = true;
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let rest = &chunk[..end.unwrap_or(chunk.len())];
            too_long |= self.buffer.len() + rest.len() > MAX_LINE;
            if too_long {
                self.buffer.clear();
            } else {
                self.buffer.extend_from_slice(rest);
            }
            let used = rest.len() + usize::from(end.is_some());
            self.input.consume(used);
            if end.is_some() {
                break;
            }
        }
        Ok(if too_long {
            Filled::TooLong
        } else if any {
            Filled::Line
        } else {
            Filled::End
        })
    }

    /// The line that was read last, as it came; empty if it was too long to be kept.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.buffer)
    }

    /// Bytes that the line buffer takes up.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.buffer.capacity()
    }

    /// The line in the buffer; none if it is blank.
    fn parse(&self) -> Option<Result<PassLine, SetAside>> {
        // Some systems begin a file with a byte order mark.
        let mark: &[u8] = if self.line == 1 { b"\xef\xbb\xbf" } else { b"" };
        let text = self.buffer.strip_prefix(mark).unwrap_or(&self.buffer).trim_ascii();
        if text.is_empty() {
            return None;
        }
        let read = node::read(text).and_then(|node| part::read(&node));
        let line = self.line;
        Some(match read {
            Ok(command) => Ok(PassLine { line, command }),
            Err(wrong) => Err(SetAside { line, pointer: wrong.pointer, reason: wrong.reason }),
        })
    }
}

impl<R: BufRead> Iterator for PassLines<R> {
    type Item = io::Result<Result<PassLine, SetAside>>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            let filled = self.fill();
            self.line += 1;
            match filled {
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
                Ok(Filled::End) => self.ended = true,
                Ok(Filled::TooLong) => {
                    let reason = format!("the line is longer than {MAX_LINE} bytes");
                    return Some(Ok(Err(SetAside { line: self.line, pointer: String::new(), reason })));
                }
                Ok(Filled::Line) => {
                    if let Some(parsed) = self.parse() {
                        return Some(Ok(parsed));
                    }
                }
            }
        }
        None
    }
}
