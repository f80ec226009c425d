//! Alerts as they change.

use async_graphql::{Context, Error, ID, SimpleObject, Subscription};
use futures_util::stream::{Stream, try_unfold};
use vigie_domain::alerts::AlertEvent;
use vigie_domain::support::SiteId;

use super::alert::{Alert, AlertRow};
use crate::graphql::context::Parts;
use crate::graphql::error::optional;
use crate::graphql::follow::{Changes, Watched};
use crate::graphql::load::by_key;
use crate::graphql::models::ALERTS;
use crate::graphql::scalars::Position;

/// An alert that has been raised, acknowledged or resolved.
#[derive(SimpleObject)]
pub(crate) struct AlertChange {
    /// Resume after it.
    position: Position,
    /// How it is now.
    alert: Alert,
}

/// Subscriptions to alerts.
#[derive(Default)]
pub(crate) struct AlertsSubscription;

#[Subscription]
impl AlertsSubscription {
    /// Alerts as they change, after a position or from now on.
    async fn alert_changed(
        &self,
        ctx: &Context<'_>,
        site: Option<ID>,
        after: Option<Position>,
    ) -> Result<impl Stream<Item = Result<AlertChange, Error>> + use<>, Error> {
        let site = optional("site", site.as_ref().map(|site| site.0.as_str()), SiteId::new)?;
        let kinds = AlertEvent::TYPES.iter().map(|known| known.name).collect();
        let changes = Changes::after(ctx, after, Watched { kinds, tag: "alert:", models: &[ALERTS], site }).await?;
        let snapshot = ctx.snapshot().clone();
        Ok(try_unfold((changes, snapshot), |(mut changes, snapshot)| async move {
            while let Some((position, id)) = changes.next().await? {
                let Ok(id) = uuid::Uuid::try_parse(&id) else { continue };
                if let Some(row) = by_key::<AlertRow>(&snapshot).load_one(id).await? {
                    return Ok(Some((AlertChange { position, alert: Alert::from(row) }, (changes, snapshot))));
                }
            }
            Ok(None)
        }))
    }
}
