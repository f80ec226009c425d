//! What an error of the client means.

use std::error::Error;
use std::io;

use tokio_rustls::rustls;

use super::attempt::{Failure, FailureKind};
use super::resolver::NameError;

impl Failure {
    pub(super) fn new(kind: FailureKind, detail: impl ToString) -> Self {
        Self { kind, detail: detail.to_string() }
    }
}

/// What kind of failure an error makes, and what it says at its innermost.
pub(super) fn failure(error: reqwest::Error) -> Failure {
    let connecting = error.is_connect();
    let error = error.without_url();
    let chain: Vec<&(dyn Error + 'static)> = std::iter::successors(error.source(), |e| inner(*e)).collect();
    let named = chain.iter().find_map(|error| named(*error));
    let kind = named.or_else(|| chain.iter().rev().find_map(|error| kind(*error, connecting)));
    let kind = kind.unwrap_or(if connecting { FailureKind::Connect } else { FailureKind::Protocol });
    Failure::new(kind, chain.last().map_or_else(|| error.to_string(), ToString::to_string))
}

/// What an error was made of; errors of the system hide it from `source`.
fn inner<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    wrapped.map(|error| error as &(dyn Error + 'static)).or_else(|| error.source())
}

/// The kind that our own look-up gives, whatever the system said to it.
fn named(error: &(dyn Error + 'static)) -> Option<FailureKind> {
    let refused = matches!(error.downcast_ref::<NameError>()?, NameError::Refused(_));
    Some(if refused { FailureKind::Refused } else { FailureKind::Name })
}

fn kind(error: &(dyn Error + 'static), connecting: bool) -> Option<FailureKind> {
    if error.is::<rustls::Error>() {
        return Some(FailureKind::Tls);
    }
    if let Some(error) = error.downcast_ref::<hyper::Error>() {
        return if error.is_parse() {
            Some(FailureKind::Protocol)
        } else if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
            Some(FailureKind::Closed)
        } else {
            None
        };
    }
    match error.downcast_ref::<io::Error>()?.kind() {
        io::ErrorKind::TimedOut => Some(if connecting { FailureKind::Connect } else { FailureKind::Timeout }),
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof => Some(FailureKind::Closed),
        _ if connecting => Some(FailureKind::Connect),
        _ => None,
    }
}
