//! Train passes from the camera system: one JSON object per line, see `docs/train-passes.md`.
//!
//! ```
//! let file = std::io::BufReader::new(&b"{\"kind\":\"car\"}\n"[..]);
//! for line in vigie_integrations::rail::passes::read(file) {
//!     match line.expect("readable") {
//!         Ok(part) => println!("line {}: carry out {:?}", part.line, part.command),
//!         Err(aside) => println!("{aside}"), // line 1, /contract: missing
//!     }
//! }
//! ```
//!
//! The outer error is the reader's own; nothing can be read after it. The inner one is a line that was set aside. What
//! the reader lets through has the shape of the contract; whether it fits what is known of the pass is the decision's
//! to say, when the command is carried out.
//!
//! Memory stays flat: one line is held at a time, and of a line longer than [`MAX_LINE`] nothing.

mod fields;
mod lines;
mod node;
mod part;

use std::fmt;

use serde::Serialize;
use vigie_domain::rail::RecordPassPart;

pub use lines::{PassLines, read};

/// The most bytes in a line, its end not counted.
pub const MAX_LINE: usize = 1 << 20;

/// The version of the contract that this build reads.
pub const CONTRACT: u16 = 1;

/// A line that holds a part of a pass.
#[derive(Debug, Clone, PartialEq)]
pub struct PassLine {
    /// Its number, from 1.
    pub line: u64,
    /// The command that records the part.
    pub command: RecordPassPart,
}

/// A line that does not have the shape of the contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SetAside {
    /// Its number, from 1.
    pub line: u64,
    /// Where in the line, as a JSON pointer (RFC 6901); empty for the line as a whole.
    pub pointer: String,
    /// What is wrong there.
    pub reason: String,
}

impl fmt::Display for SetAside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, pointer, reason } = self;
        let place = if pointer.is_empty() { "" } else { ", " };
        write!(f, "line {line}{place}{pointer}: {reason}")
    }
}

#[cfg(test)]
mod contract_tests;
#[cfg(test)]
mod tests;
