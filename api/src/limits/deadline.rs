//! How long an operation may run.

use std::time::Duration;

use async_graphql::{Error, ErrorExtensions as _, Response, ServerError, Value};

use super::{Exceeded, Limit};

/// Runs `operation` for `allowed` at most. What it waits for in the database is then cancelled by `cancel`, while the
/// operation still holds its connection, so that nobody else's statement is meant; after that it is dropped.
pub(crate) async fn within(
    allowed: Duration,
    operation: impl Future<Output = Response>,
    cancel: impl Future<Output = ()>,
) -> Response {
    let mut operation = std::pin::pin!(operation);
    match tokio::time::timeout(allowed, &mut operation).await {
        Ok(response) => response,
        Err(_) => {
            cancel.await;
            Response::from_errors(vec![exceeded(allowed).into_error()])
        }
    }
}

/// Whether the answer says that the operation was not done in time.
pub(crate) fn was_in_vain(answer: &Response) -> bool {
    let code = |error: &ServerError| error.extensions.as_ref().and_then(|extensions| extensions.get("code")).cloned();
    answer.errors.iter().any(|error| code(error) == Some(Value::from(Limit::Time.code())))
}

fn exceeded(allowed: Duration) -> Exceeded {
    Limit::Time.exceeded(allowed.as_secs(), allowed.as_secs())
}

/// A statement that Postgres has ended because it took too long.
pub(crate) fn timed_out() -> Error {
    let setting = Limit::Time.setting();
    Error::new(format!("a statement was not done in time ({setting})"))
        .extend_with(|_, extensions| extensions.set("code", Limit::Time.code()))
}
