//! Registering and changing endpoints.

use uuid::Uuid;
use vigie_commands::{Done, Failure, Order};
use vigie_domain::kernel::Decision;
use vigie_domain::kernel::Note;
use vigie_domain::support::SiteId;
use vigie_domain::webhooks::{
    Change, ChangeEndpoint, EndpointId, EndpointSettings, Filter, OnExhaustion, Rate, RegisterEndpoint, RetrySchedule,
    RotateSecret, SecretKind, TagKind, Timeout, WebhookRefusal,
};
use vigie_eventlog::Log;

use super::draw::{Sealed, Shown, forget};
use super::{WebhookError, Webhooks};

/// An endpoint to be.
#[derive(Debug, Clone)]
pub(crate) struct NewEndpoint {
    pub(crate) site: Option<SiteId>,
    pub(crate) description: Note,
    /// With its query.
    pub(crate) url: String,
    pub(crate) filter: Filter,
    pub(crate) ordering: Option<TagKind>,
    pub(crate) on_exhaustion: OnExhaustion,
    pub(crate) rate: Option<Rate>,
    pub(crate) timeout: Timeout,
    pub(crate) retries: Option<RetrySchedule>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) signing: Vec<SecretKind>,
    pub(crate) after: Option<i64>,
}

/// What is to be changed of an endpoint.
#[derive(Debug, Clone, Default)]
pub(crate) struct Changes {
    pub(crate) description: Change<Note>,
    pub(crate) url: Option<String>,
    pub(crate) filter: Change<Filter>,
    pub(crate) ordering: Change<Option<TagKind>>,
    pub(crate) on_exhaustion: Change<OnExhaustion>,
    pub(crate) rate: Change<Option<Rate>>,
    pub(crate) timeout: Change<Timeout>,
    pub(crate) retries: Change<Option<RetrySchedule>>,
    pub(crate) headers: Option<Vec<(String, String)>>,
}

/// A command with what it keeps secret, not given yet.
pub(crate) struct Given<D> {
    /// The command.
    pub(crate) command: D,
    endpoint: EndpointId,
    sealed: Sealed,
    shown: Vec<Shown>,
}

impl Webhooks {
    /// What registers an endpoint. What it is to begin after must be in the log, with all that follows.
    pub(crate) async fn registration(
        &self,
        new: NewEndpoint,
        log: &Log,
    ) -> Result<Given<RegisterEndpoint>, WebhookError> {
        if let Some(after) = new.after {
            let head = log.head().await?;
            if !(0..=head).contains(&after) {
                return Err(WebhookError::Position { after, head });
            }
            log.require(after, head).await?;
        }
        let (endpoint, mut sealed) = (EndpointId::from(Uuid::now_v7()), Sealed::default());
        let drawn = new.signing.iter().map(|kind| Ok(sealed.draw(self.key()?, endpoint, *kind)));
        let (secrets, shown) = drawn.collect::<Result<Vec<_>, WebhookError>>()?.into_iter().unzip();
        let settings = EndpointSettings {
            description: new.description,
            target: sealed.target(self, endpoint, &new.url)?,
            filter: new.filter,
            ordering: new.ordering,
            on_exhaustion: new.on_exhaustion,
            rate: new.rate,
            timeout: new.timeout,
            retries: new.retries,
            headers: sealed.headers(self, endpoint, &new.headers)?,
        };
        let command = RegisterEndpoint { endpoint, site: new.site, settings, secrets, after: new.after };
        Ok(Given { command, endpoint, sealed, shown })
    }

    /// What changes an endpoint.
    pub(crate) fn change(&self, endpoint: EndpointId, changes: Changes) -> Result<Given<ChangeEndpoint>, WebhookError> {
        let mut sealed = Sealed::default();
        let target = changes.url.map(|url| sealed.target(self, endpoint, &url)).transpose()?;
        let headers = changes.headers.map(|headers| sealed.headers(self, endpoint, &headers)).transpose()?;
        let command = ChangeEndpoint {
            endpoint,
            description: changes.description,
            target: target.into(),
            filter: changes.filter,
            ordering: changes.ordering,
            on_exhaustion: changes.on_exhaustion,
            rate: changes.rate,
            timeout: changes.timeout,
            retries: changes.retries,
            headers: headers.into(),
        };
        Ok(Given { command, endpoint, sealed, shown: Vec::new() })
    }

    /// What replaces a secret.
    pub(crate) fn rotation(
        &self,
        endpoint: EndpointId,
        kind: SecretKind,
        overlap_minutes: u32,
    ) -> Result<Given<RotateSecret>, WebhookError> {
        let mut sealed = Sealed::default();
        let (secret, shown) = sealed.draw(self.key()?, endpoint, kind);
        let command = RotateSecret { endpoint, secret, overlap_minutes };
        Ok(Given { command, endpoint, sealed, shown: vec![shown] })
    }

    /// Gives the command. What it has made secret is told only by the call that has recorded it.
    pub(crate) async fn give<D>(
        &self,
        given: Given<D>,
        order: Order,
    ) -> Result<(Done<EndpointId>, Vec<Shown>), WebhookError>
    where
        D: Decision<Answer = EndpointId, Refusal = WebhookRefusal>,
    {
        let Given { command, endpoint, sealed, shown } = given;
        sealed.store(self, endpoint).await?;
        let done = self.executor().execute(&command, order).await;
        match done {
            Ok(done) if done.appended > 0 => Ok((done, shown)),
            // Sent again, or already so: nothing names what was drawn.
            Ok(done) => {
                sealed.take_back(self.pool()).await?;
                Ok((done, Vec::new()))
            }
            Err(refused @ Failure::Refused(_)) => {
                sealed.take_back(self.pool()).await?;
                Err(refused.into())
            }
            // Whether it was recorded is not known: what is kept without need does no harm.
            Err(failure) => Err(failure.into()),
        }
    }

    /// Forgets what is secret of an endpoint that was removed.
    pub(crate) async fn forget(&self, endpoint: EndpointId) -> Result<(), sqlx::Error> {
        forget(self.pool(), endpoint).await
    }
}
