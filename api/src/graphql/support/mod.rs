//! Sites.

mod mutations;
mod site;

use async_graphql::{Context, Data, Error, ID, Object};
use vigie_domain::support::SiteId;

pub(in crate::graphql) use mutations::SupportMutation;
pub(in crate::graphql) use site::{Site, SiteRow};

use super::context::Parts;
use super::error::argument;
use super::list::{List, list};
use super::load::{ByKey, by_key};
use super::page::Page;
use super::snapshot::Snapshot;

pub(in crate::graphql) fn loaders(data: &mut Data, snapshot: &Snapshot) {
    data.insert(by_key::<SiteRow>(snapshot));
}

/// Queries about sites.
#[derive(Default)]
pub(crate) struct SupportQuery;

#[Object]
impl SupportQuery {
    /// Every site, by id.
    async fn sites(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<List<Site>, Error> {
        let page = Page::new(first, after, last, before)?;
        list::<SiteRow, Site>(ctx, page, std::sync::Arc::new(|_, _| {})).await
    }

    /// One site.
    async fn site(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Site>, Error> {
        let id = argument("id", SiteId::new(&id))?;
        Ok(ctx.loader::<ByKey<SiteRow>>().one(id.to_string()).await?.map(Site))
    }
}
