//! What is asked for of endpoints.

use async_graphql::{Error, ID, InputObject, MaybeUndefined};
use uuid::Uuid;
use vigie_domain::kernel::{IdError, Note};
use vigie_domain::support::SiteId;
use vigie_domain::webhooks::{
    Change, Filter, FilterTag, LONGEST_OVERLAP_MINUTES, MAX_HEADERS, MAX_PATTERNS, Rate, RetrySchedule, TagKind,
    Timeout, TypePattern,
};

use super::delivery::ReplayOf;
use super::endpoint::{Exhaustion, Signature};
use super::preview::LogRangeInput;
use crate::graphql::error::{argument, bad_input, optional};
use crate::graphql::scalars::Position;
use crate::webhooks::{Changes, NewEndpoint};

/// Which events: of any of the types, carrying all of the tags.
#[derive(Debug, InputObject)]
#[graphql(name = "WebhookFilterInput")]
pub(crate) struct FilterInput {
    /// Types such as `airport.stand_allocated`, or the beginning of some with `*` behind, such as `airport.*`; none is all.
    #[graphql(default)]
    types: Vec<String>,
    /// Tags such as `stand:LFW/C03`.
    #[graphql(default)]
    tags: Vec<String>,
}

impl FilterInput {
    pub(super) fn read(&self, name: &str) -> Result<Filter, Error> {
        if self.types.len() > MAX_PATTERNS || self.tags.len() > MAX_PATTERNS {
            return Err(bad_input(name, format!("at most {MAX_PATTERNS} types and tags each can be asked for")));
        }
        let types = self.types.iter().map(|text| argument(&format!("{name}.types"), TypePattern::new(text)));
        let tags = self.tags.iter().map(|text| argument(&format!("{name}.tags"), FilterTag::new(text)));
        Ok(Filter { types: types.collect::<Result<_, _>>()?, tags: tags.collect::<Result<_, _>>()? })
    }

    /// As what delivers knows it.
    pub(super) fn wire(&self, name: &str, site: Option<String>) -> Result<vigie_integrations::webhooks::Filter, Error> {
        let filter = self.read(name)?;
        argument(&format!("{name}.types"), filter.check_types())?;
        argument(&format!("{name}.tags"), filter.check_tags())?;
        let Filter { types, tags } = filter;
        let (kinds, tags) = (types.iter().map(ToString::to_string), tags.iter().map(ToString::to_string));
        Ok(vigie_integrations::webhooks::Filter { kinds: kinds.collect(), tags: tags.collect(), site })
    }
}

/// A header that each request carries.
#[derive(Debug, InputObject)]
#[graphql(name = "WebhookHeaderInput")]
pub(crate) struct HeaderInput {
    /// Its name.
    name: String,
    /// Its value; kept encrypted, and never shown.
    #[graphql(secret)]
    value: String,
}

fn headers(given: Vec<HeaderInput>) -> Result<Vec<(String, String)>, Error> {
    if given.len() > MAX_HEADERS {
        return Err(bad_input("input.headers", format!("at most {MAX_HEADERS} can be added")));
    }
    Ok(given.into_iter().map(|header| (header.name, header.value)).collect())
}

/// An endpoint to be registered.
#[derive(Debug, InputObject)]
pub(crate) struct RegisterWebhookInput {
    /// Sent again with the same id, the command gets its first answer, without the secrets.
    pub(super) command_id: Option<Uuid>,
    /// The site whose events it receives, for good; without one those of every site and of the installation.
    site: Option<ID>,
    /// What it is for: at most 500 characters.
    #[graphql(default)]
    description: String,
    /// Where to. What stands behind a `?` is kept encrypted, and never shown.
    #[graphql(secret)]
    url: String,
    /// Which events.
    pub(super) filter: FilterInput,
    /// The kind of tag whose events are delivered in the order of the log, such as `stand`; without one in no order.
    ordering: Option<String>,
    /// What becomes of a delivery that has failed as often as it may.
    #[graphql(default_with = "Exhaustion::SetAside")]
    on_exhaustion: Exhaustion,
    /// The most requests per second: 1 to 1,000.
    rate: Option<i64>,
    /// Seconds that a request may take: 15 to 30.
    #[graphql(default = 15)]
    timeout: i64,
    /// Seconds between one failed attempt and the next: 1 to 20 waits, each of 1 to 604,800; without it the usual ones.
    retries: Option<Vec<i64>>,
    /// Headers that each request carries, at most 20.
    #[graphql(default)]
    headers: Vec<HeaderInput>,
    /// How its deliveries are signed.
    #[graphql(default_with = "vec![Signature::Hmac]")]
    signatures: Vec<Signature>,
    /// The position after which its events begin; without one where it is registered.
    after: Option<Position>,
}

impl RegisterWebhookInput {
    pub(super) fn read(self) -> Result<NewEndpoint, Error> {
        let id = |name, text: Option<String>| optional(name, text.as_deref(), TagKind::new);
        Ok(NewEndpoint {
            site: optional("input.site", self.site.as_ref().map(|site| site.as_str()), SiteId::new)?,
            description: argument("input.description", Note::new(&self.description))?,
            url: self.url,
            filter: self.filter.read("input.filter")?,
            ordering: id("input.ordering", self.ordering)?,
            on_exhaustion: self.on_exhaustion.into(),
            rate: self.rate.map(|rate| argument("input.rate", Rate::new(rate))).transpose()?,
            timeout: argument("input.timeout", Timeout::new(self.timeout))?,
            retries: self.retries.map(|waits| argument("input.retries", RetrySchedule::new(waits))).transpose()?,
            headers: headers(self.headers)?,
            signing: self.signatures.into_iter().map(Into::into).collect(),
            after: self.after.map(|position| position.0),
        })
    }
}

/// What is to be changed of an endpoint; what is left out stays as it is.
#[derive(Debug, InputObject)]
pub(crate) struct ChangeWebhookInput {
    /// Sent again with the same id, the command gets its first answer.
    pub(super) command_id: Option<Uuid>,
    /// Which one.
    pub(super) endpoint: ID,
    /// What it is for.
    description: Option<String>,
    /// Where to, with its query.
    #[graphql(secret)]
    url: Option<String>,
    /// Which events, from where it has come to.
    filter: Option<FilterInput>,
    /// The kind of tag whose events are delivered in the order of the log; null is no order.
    ordering: MaybeUndefined<String>,
    /// What becomes of a delivery that has failed as often as it may.
    on_exhaustion: Option<Exhaustion>,
    /// The most requests per second; null is no limit.
    rate: MaybeUndefined<i64>,
    /// Seconds that a request may take.
    timeout: Option<i64>,
    /// Seconds between one failed attempt and the next; null is the usual ones.
    retries: MaybeUndefined<Vec<i64>>,
    /// Headers that each request carries: all of them.
    headers: Option<Vec<HeaderInput>>,
}

/// What becomes of a setting that can be null.
fn nullable<T, V>(
    name: &str,
    given: MaybeUndefined<V>,
    read: impl FnOnce(V) -> Result<T, IdError>,
) -> Result<Change<Option<T>>, Error> {
    Ok(match given {
        MaybeUndefined::Undefined => Change::Keep,
        MaybeUndefined::Null => Change::To(None),
        MaybeUndefined::Value(value) => Change::To(Some(argument(name, read(value))?)),
    })
}

impl ChangeWebhookInput {
    pub(super) fn read(self) -> Result<Changes, Error> {
        let description = self.description.as_deref().map(|text| argument("input.description", Note::new(text)));
        let filter = self.filter.as_ref().map(|filter| filter.read("input.filter")).transpose()?;
        let timeout = self.timeout.map(|seconds| argument("input.timeout", Timeout::new(seconds))).transpose()?;
        Ok(Changes {
            description: description.transpose()?.into(),
            url: self.url,
            filter: filter.into(),
            ordering: nullable("input.ordering", self.ordering, |text| TagKind::new(&text))?,
            on_exhaustion: self.on_exhaustion.map(Into::into).into(),
            rate: nullable("input.rate", self.rate, Rate::new)?,
            timeout: timeout.into(),
            retries: nullable("input.retries", self.retries, RetrySchedule::new)?,
            headers: self.headers.map(headers).transpose()?,
        })
    }
}

/// An endpoint to which something is to happen.
#[derive(Debug, InputObject)]
pub(crate) struct WebhookInput {
    /// Sent again with the same id, the command gets its first answer.
    pub(super) command_id: Option<Uuid>,
    /// Which one.
    pub(super) endpoint: ID,
}

/// A secret to be replaced.
#[derive(Debug, InputObject)]
pub(crate) struct RotateWebhookSecretInput {
    /// Sent again with the same id, the command gets its first answer, without the secret.
    pub(super) command_id: Option<Uuid>,
    /// Of which endpoint.
    pub(super) endpoint: ID,
    /// Of which kind; the first of a kind replaces none.
    #[graphql(default_with = "Signature::Hmac")]
    pub(super) kind: Signature,
    /// Minutes that those that it replaces go on: 0 to 10,080.
    #[graphql(default = 1440)]
    overlap_minutes: i64,
}

impl RotateWebhookSecretInput {
    /// How long those that it replaces go on.
    pub(super) fn overlap(&self) -> Result<u32, Error> {
        let wrong = |_| bad_input("input.overlapMinutes", format!("0 to {LONGEST_OVERLAP_MINUTES} minutes"));
        u32::try_from(self.overlap_minutes).map_err(wrong)
    }
}

/// What is to be sent again, or let go.
#[derive(Debug, InputObject)]
pub(crate) struct ReplayWebhookInput {
    /// To which endpoint.
    pub(super) endpoint: ID,
    /// What of it.
    pub(super) what: ReplayOf,
    /// Of which part of the log.
    pub(super) range: LogRangeInput,
    /// Why: at most 500 characters.
    pub(super) reason: String,
}
