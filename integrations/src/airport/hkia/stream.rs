//! A capture as a stream: one JSON object whose `flights` are handed out one by one, never all at once.

use std::cell::Cell;
use std::fmt;
use std::io::{self, BufReader, Read};
use std::ops::ControlFlow;
use std::rc::Rc;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// The most bytes in one row, or in one other field of a capture.
pub const LONGEST_ROW: u64 = 256 * 1024;
/// The most rows in one capture.
pub const MOST_ROWS: u32 = 100_000;

/// What a capture says of itself.
#[derive(Debug, Default)]
pub(super) struct Header {
    pub(super) generated_at: Option<Value>,
    pub(super) declared: Option<u64>,
    pub(super) has_flights: bool,
    /// Rows that were begun, the last of them perhaps broken.
    pub(super) rows: u32,
}

/// Why a capture ended before its end.
#[derive(Debug)]
pub(super) enum Broken {
    /// The text is not a capture from here on.
    Text(String),
    /// The file could not be read.
    Io(io::Error),
    /// The caller has had enough.
    Stopped,
}

/// Hands every row to `each`, which is told its place from 1 on.
pub(super) fn rows(
    input: impl Read,
    header: &mut Header,
    each: &mut dyn FnMut(u32, &RawValue) -> ControlFlow<()>,
) -> Result<(), Broken> {
    let budget = Rc::new(Cell::new(LONGEST_ROW));
    let input = Budgeted { input: BufReader::with_capacity(64 * 1024, input), left: Rc::clone(&budget) };
    let mut text = serde_json::Deserializer::from_reader(input);
    let mut stopped = false;
    let capture = Capture { header, budget: &budget, stopped: &mut stopped, each };
    match capture.deserialize(&mut text).and_then(|()| text.end()) {
        Ok(()) => Ok(()),
        Err(_) if stopped => Err(Broken::Stopped),
        Err(_) if budget.get() == 0 => Err(Broken::Text(format!("a row or field is longer than {LONGEST_ROW} bytes"))),
        Err(error) if error.is_io() => Err(Broken::Io(error.into())),
        Err(error) => Err(Broken::Text(error.to_string())),
    }
}

/// Refuses to read on when a row is too long to be held.
struct Budgeted<R> {
    input: R,
    left: Rc<Cell<u64>>,
}

impl<R: Read> Read for Budgeted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        let left = self.left.get().saturating_sub(read as u64);
        self.left.set(left);
        if left == 0 { Err(io::Error::other("too long")) } else { Ok(read) }
    }
}

struct Capture<'a> {
    header: &'a mut Header,
    budget: &'a Cell<u64>,
    stopped: &'a mut bool,
    each: &'a mut dyn FnMut(u32, &RawValue) -> ControlFlow<()>,
}

impl<'de> DeserializeSeed<'de> for Capture<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, text: D) -> Result<(), D::Error> {
        text.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Capture<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a capture: an object with date, generatedAt and flights")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        loop {
            self.budget.set(LONGEST_ROW);
            let Some(key) = map.next_key::<String>()? else { return Ok(()) };
            match key.as_str() {
                "generatedAt" => self.header.generated_at = Some(map.next_value()?),
                "totalFlights" => self.header.declared = map.next_value::<Value>()?.as_u64(),
                "flights" if self.header.has_flights => return Err(M::Error::custom("a second list of flights")),
                "flights" => {
                    self.header.has_flights = true;
                    let rows = Rows {
                        header: &mut *self.header,
                        budget: self.budget,
                        stopped: &mut *self.stopped,
                        each: &mut *self.each,
                    };
                    map.next_value_seed(rows)?;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
    }
}

struct Rows<'a> {
    header: &'a mut Header,
    budget: &'a Cell<u64>,
    stopped: &'a mut bool,
    each: &'a mut dyn FnMut(u32, &RawValue) -> ControlFlow<()>,
}

impl<'de> DeserializeSeed<'de> for Rows<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, text: D) -> Result<(), D::Error> {
        text.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Rows<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of flights")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut rows: S) -> Result<(), S::Error> {
        loop {
            self.budget.set(LONGEST_ROW);
            let Some(row) = rows.next_element_seed(Row(&mut self.header.rows))? else { return Ok(()) };
            if self.header.rows > MOST_ROWS {
                return Err(S::Error::custom(format!("a capture has at most {MOST_ROWS} rows")));
            }
            if (self.each)(self.header.rows, &row).is_break() {
                *self.stopped = true;
                return Err(S::Error::custom("stopped"));
            }
        }
    }
}

/// Counts the row as soon as it begins, so that a broken one is known by its number.
struct Row<'a>(&'a mut u32);

impl<'de> DeserializeSeed<'de> for Row<'_> {
    type Value = Box<RawValue>;
    fn deserialize<D: Deserializer<'de>>(self, text: D) -> Result<Box<RawValue>, D::Error> {
        *self.0 += 1;
        serde::Deserialize::deserialize(text)
    }
}
