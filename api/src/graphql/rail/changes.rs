//! Passes as they change.

use async_graphql::{Context, Error, ID, SimpleObject, Subscription};
use futures_util::stream::{Stream, try_unfold};
use vigie_domain::alerts::AlertEvent;
use vigie_domain::rail::RailEvent;
use vigie_domain::support::SiteId;

use super::pass::{Pass, PassRow};
use crate::graphql::context::Parts;
use crate::graphql::error::optional;
use crate::graphql::follow::{Changes, Watched};
use crate::graphql::load::by_key;
use crate::graphql::models::{ALERTS, PASSES};
use crate::graphql::scalars::Position;

/// A pass that has changed, or whose alerts have.
#[derive(SimpleObject)]
pub(crate) struct PassChange {
    /// Resume after it.
    position: Position,
    /// How it is now.
    pass: Pass,
}

/// Subscriptions to train passes.
#[derive(Default)]
pub(crate) struct RailSubscription;

#[Subscription]
impl RailSubscription {
    /// Passes as they change, after a position or from now on.
    async fn pass_changed(
        &self,
        ctx: &Context<'_>,
        site: Option<ID>,
        after: Option<Position>,
    ) -> Result<impl Stream<Item = Result<PassChange, Error>> + use<>, Error> {
        let site = optional("site", site.as_ref().map(|site| site.0.as_str()), SiteId::new)?;
        let kinds = RailEvent::TYPES.iter().chain(AlertEvent::TYPES).map(|known| known.name).collect();
        let watched = Watched { kinds, tag: "pass:", models: &[PASSES, ALERTS], site };
        let changes = Changes::after(ctx, after, watched).await?;
        let snapshot = ctx.snapshot().clone();
        Ok(try_unfold((changes, snapshot), |(mut changes, snapshot)| async move {
            while let Some((position, id)) = changes.next().await? {
                if let Some(row) = by_key::<PassRow>(&snapshot).load_one(id).await? {
                    return Ok(Some((PassChange { position, pass: Pass::from(row) }, (changes, snapshot))));
                }
            }
            Ok(None)
        }))
    }
}
