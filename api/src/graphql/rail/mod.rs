//! Train passes: cars and springs, judged by limits, confirmed by people.

mod changes;
mod measured;
mod mutations;
mod pass;

use async_graphql::{Context, Data, Error, ID, Object};
use vigie_domain::rail::PassId;
use vigie_domain::support::SiteId;

pub(in crate::graphql) use changes::RailSubscription;
pub(in crate::graphql) use mutations::RailMutation;
pub(in crate::graphql) use pass::Pass;

use measured::{CarsOfPass, Limits, LimitsRow, SpringsOfCar};
use pass::{PassFilter, PassRow, passes};

use super::context::Parts;
use super::error::argument;
use super::list::List;
use super::load::by_key;
use super::loader::Loader;
use super::page::Page;
use super::snapshot::{Snapshot, unreadable};

pub(in crate::graphql) fn loaders(data: &mut Data, snapshot: &Snapshot) {
    data.insert(by_key::<PassRow>(snapshot));
    data.insert(Loader::new(CarsOfPass(snapshot.clone())));
    data.insert(Loader::new(SpringsOfCar(snapshot.clone())));
}

/// Queries about train passes.
#[derive(Default)]
pub(crate) struct RailQuery;

#[Object]
impl RailQuery {
    /// Passes, newest first.
    async fn passes(
        &self,
        ctx: &Context<'_>,
        filter: Option<PassFilter>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<List<Pass>, Error> {
        passes(ctx, filter.unwrap_or_default(), Page::new(first, after, last, before)?).await
    }

    /// One pass.
    async fn pass(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Pass>, Error> {
        let id = argument("id", PassId::new(&id))?;
        Pass::find(ctx, Some(id.to_string())).await
    }

    /// Every version of the limits by which a site judges springs, newest first.
    async fn spring_limits(&self, ctx: &Context<'_>, site: ID) -> Result<Vec<Limits>, Error> {
        let site = argument("site", SiteId::new(&site))?;
        let view = ctx.snapshot().view();
        let mut sql = view.sql("select * from ");
        sql.push(view.rows("spring_limits")).push(" where site = ").push_bind(site.as_str());
        sql.push(" order by version desc");
        let mut reading = ctx.snapshot().read().await?;
        let rows: Result<Vec<LimitsRow>, _> = sql.build_query_as().fetch_all(reading.connection()).await;
        Ok(rows.map_err(unreadable)?.into_iter().map(Limits::from).collect())
    }
}
