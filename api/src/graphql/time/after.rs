//! The query tree once something can be read.

use std::time::Duration;

use async_graphql::{Context, Error, MergedObject, Union};

use super::tree::Tree;
use crate::graphql::Contexts;
use crate::graphql::command::BehindObject;
use crate::graphql::context::Parts;
use crate::graphql::error::bad_input;
use crate::graphql::scalars::Position;

/// The longest wait, in milliseconds.
const MAX: i32 = 30_000;

/// Everything as it is.
#[derive(MergedObject, Default)]
pub(crate) struct Now(Contexts);

/// Everything as it is once the position can be read; or the read model that had not come so far in time.
#[derive(Union)]
pub(crate) enum Awaited {
    Now(Tree<Now>),
    Behind(BehindObject),
}

pub(super) async fn after(ctx: &Context<'_>, position: Position, timeout_ms: i32) -> Result<Awaited, Error> {
    let Position(position) = position;
    if position < 0 {
        return Err(bad_input(
            "position",
            format!("positions begin at 1, and 0 is before all: there is no {position}"),
        ));
    }
    let timeout = u64::try_from(timeout_ms).ok().filter(|_| timeout_ms <= MAX).map(Duration::from_millis);
    let timeout = timeout.ok_or_else(|| bad_input("timeoutMs", format!("a wait takes 0 to {MAX} ms")))?;
    if let Err(behind) = ctx.services().reached(position, timeout).await {
        return Ok(Awaited::Behind(behind.into()));
    }
    Ok(Awaited::Now(Tree::new(ctx.snapshot().reaching(position).await?, Now::default())))
}
