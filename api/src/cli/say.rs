//! Printing for people and pipes.

use std::fmt;
use std::io::{self, Write};

/// Prints a line. Who has stopped reading, such as `head`, loses nothing and disturbs nothing.
macro_rules! say {
    ($($text:tt)*) => { $crate::cli::say::print(format_args!("{}\n", format_args!($($text)*))) };
}

/// Prints a text as it is.
macro_rules! say_text {
    ($($text:tt)*) => { $crate::cli::say::print(format_args!($($text)*)) };
}
pub(crate) use {say, say_text};

/// Prints; a reader that has gone is not a fault, and the work goes on to its end.
pub(crate) fn print(text: fmt::Arguments<'_>) {
    if let Err(error) = io::stdout().write_fmt(text)
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        tracing::warn!(error = %error, "cannot print");
    }
}
