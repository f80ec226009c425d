//! The query tree as it was.

use std::time::Duration;

use async_graphql::{Context, Error, ErrorExtensions as _};
use chrono::{DateTime, Utc};
use vigie_projections::Behind;

use super::Past;
use super::moment::moment;
use super::tree::Tree;
use crate::graphql::context::Parts;
use crate::graphql::scalars::Position;

/// How long the read models may take to reach the moment.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) type PastTree = Tree<Past>;

pub(super) async fn at(
    ctx: &Context<'_>,
    position: Option<Position>,
    time: Option<DateTime<Utc>>,
) -> Result<PastTree, Error> {
    let position = moment(ctx, position, time).await?;
    let waited = ctx.services().reached(position, PATIENCE).await;
    waited.map_err(|behind| not_yet(&behind))?;
    let snapshot = ctx.snapshot().reaching(position).await?;
    Ok(Tree::new(snapshot.at(position).await?.in_the_past(), Past::default()))
}

fn not_yet(behind: &Behind) -> Error {
    Error::new(behind.to_string()).extend_with(|_, extensions| {
        extensions.set("code", "BEHIND");
        extensions.set("readModel", behind.name.as_str());
        extensions.set("position", behind.position);
        extensions.set("wanted", behind.wanted);
    })
}
