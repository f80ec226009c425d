//! Top-level errors: wrong input, and faults. What a rule refuses is part of the result instead.

use async_graphql::{Error, ErrorExtensions as _, Response, ServerError};

/// An argument that cannot be used; `argument` is its path, such as `input.stand`.
pub(super) fn bad_input(argument: &str, problem: impl std::fmt::Display) -> Error {
    Error::new(format!("{argument}: {problem}")).extend_with(|_, extensions| {
        extensions.set("code", "BAD_INPUT");
        extensions.set("argument", argument);
    })
}

/// An argument that names what is not there; `argument` is its path.
pub(super) fn not_found(argument: &str, problem: impl std::fmt::Display) -> Error {
    Error::new(format!("{argument}: {problem}")).extend_with(|_, extensions| {
        extensions.set("code", "NOT_FOUND");
        extensions.set("argument", argument);
    })
}

/// Something that is not the caller's doing.
pub(super) fn fault(code: &'static str, message: impl Into<String>) -> Error {
    Error::new(message).extend_with(|_, extensions| extensions.set("code", code))
}

/// Reads an argument, or says which one it was.
pub(super) fn argument<T, E: std::fmt::Display>(name: &str, read: Result<T, E>) -> Result<T, Error> {
    read.map_err(|problem| bad_input(name, problem))
}

/// Reads an argument that may be left out.
pub(super) fn optional<T, E: std::fmt::Display>(
    name: &str,
    text: Option<&str>,
    read: impl FnOnce(&str) -> Result<T, E>,
) -> Result<Option<T>, Error> {
    text.map(|text| argument(name, read(text))).transpose()
}

/// Gives each error that has no code yet one: what is wrong with the document, or with a value in it.
pub fn finish(response: &mut Response) {
    for error in &mut response.errors {
        if code(error).is_none() {
            let code = if error.path.is_empty() { "BAD_REQUEST" } else { "BAD_INPUT" };
            error.extensions.get_or_insert_default().set("code", code);
        }
    }
}

fn code(error: &ServerError) -> Option<&async_graphql::Value> {
    error.extensions.as_ref().and_then(|extensions| extensions.get("code"))
}
