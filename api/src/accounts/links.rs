//! Links by which somebody can sign in once: the table `sign_in_link`.
//!
//! The secret stands behind `#` in the link, which browsers send nobody: no proxy and no log sees it.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgPool;
use vigie_commands::Order;
use vigie_domain::identity::{IssueLink, UserId};

use super::secret::{Hash, Kind, Secret};
use super::{Accounts, UserError};
use crate::clock;

impl Accounts {
    /// Makes a link's secret for somebody that works once, within `life`; and until when.
    pub(crate) async fn issue_link(
        &self,
        user: UserId,
        life: TimeDelta,
        order: Order,
    ) -> Result<(Secret, DateTime<Utc>), UserError> {
        let (secret, expires_at) = (Secret::draw(Kind::Link), clock::now() + life);
        let hash = secret.hash();
        self.executor().execute(&IssueLink { user, expires_at }, order).await?;
        sqlx::query!(
            "insert into sign_in_link (hash, user_id, expires_at) values ($1, $2, $3)",
            hash.as_slice(),
            user.uuid(),
            expires_at,
        )
        .execute(self.pool())
        .await?;
        Ok((secret, expires_at))
    }
}

/// Whose link it is, which works no more.
pub(super) async fn take(pool: &PgPool, hash: Hash, now: DateTime<Utc>) -> Result<Option<UserId>, sqlx::Error> {
    let taken = sqlx::query!("delete from sign_in_link where hash = $1 returning user_id, expires_at", hash.as_slice());
    let taken = taken.fetch_optional(pool).await?;
    Ok(taken.filter(|link| link.expires_at > now).map(|link| link.user_id.into()))
}
