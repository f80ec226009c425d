//! What a person types, and nobody else sees.

use std::io::{self, BufRead, IsTerminal, Write};

/// A password: asked for twice on a terminal, else the first line of standard input. Never an argument, which every
/// account of the machine can read.
pub(super) fn password() -> io::Result<String> {
    if !io::stdin().is_terminal() {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line)?;
        return Ok(line.trim_end_matches(['\n', '\r']).to_owned());
    }
    let password = rpassword::prompt_password("password: ")?;
    if rpassword::prompt_password("again: ")? == password {
        Ok(password)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "the two are not the same"))
    }
}

/// Whether a person says yes.
pub(super) fn is_sure(question: &str) -> io::Result<bool> {
    let mut answer = String::new();
    write!(io::stderr(), "{question} [yes/no] ")?;
    io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim() == "yes")
}
