//! Whether a command may be carried out: its right must be held at every site that it touches.
//!
//! Of a site of which nothing may be seen nothing exists: there a command is answered as it would be if the things that
//! it names never had been.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_graphql::{Context, Error};
use quick_cache::sync::Cache;
use uuid::Uuid;
use vigie_commands::{Failure, Order, refusals};
use vigie_domain::kernel::{Decision, Tag};
use vigie_eventlog::{Log, LogError, Query, Read};

use super::command::failed;
use super::context::Parts;
use super::events::log_fault;
use crate::rights::{Right, Rights, Sites, forbidden, right_of};

/// Things whose site is remembered.
const KEPT: usize = 10_000;

/// The sites of things whose ids do not say it. A thing never changes its site. Cheap to clone.
#[derive(Clone)]
pub(in crate::graphql) struct Places(Arc<Cache<String, Arc<str>>>);

impl Default for Places {
    fn default() -> Self {
        Self(Arc::new(Cache::new(KEPT)))
    }
}

impl Places {
    /// The site of the first event about a thing. What is archived counts as unknown: nobody can act on it.
    async fn find(&self, log: &Log, thing: &Tag) -> Result<Option<Arc<str>>, Error> {
        if let Some(site) = self.0.get(thing.as_str()) {
            return Ok(Some(site));
        }
        let first = match log.read(&Query::tag(thing.as_str()), Read::after(0).limit(1)).await {
            Ok(first) => first.into_iter().next(),
            Err(LogError::Archived { .. }) => None,
            Err(error) => return Err(log_fault(&error)),
        };
        let site: Option<Arc<str>> = first.map(|event| event.site.into());
        if let Some(site) = &site {
            self.0.insert(thing.as_str().to_owned(), Arc::clone(site));
        }
        Ok(site)
    }
}

/// Whether a command may be carried out.
enum Permit {
    /// It may.
    Granted,
    /// It touches what the caller may know nothing of: these, besides what is at sites of which nothing is seen.
    Hidden(BTreeSet<Tag>),
    /// The right is missing.
    Denied,
}

async fn permit<D: Decision>(ctx: &Context<'_>, right: Right, command: &D) -> Result<Permit, Error> {
    let rights = &ctx.caller().rights;
    if rights.sites(right) == Sites::All {
        return Ok(Permit::Granted);
    }
    let places: &Places = ctx.data_unchecked();
    let (mut hidden, mut sites) = (BTreeSet::new(), BTreeSet::new());
    for thing in command.things() {
        let site = match refusals::site(thing.as_str()) {
            Some(site) => Some(site.into()),
            None => places.find(&ctx.services().log, &thing).await?,
        };
        match site {
            Some(site) if rights.know(&site) => drop(sites.insert(site)),
            Some(_) | None => drop(hidden.insert(thing)),
        }
    }
    Ok(match sites.iter().all(|site| rights.hold_at(right, site)) {
        _ if !hidden.is_empty() => Permit::Hidden(hidden),
        true if !sites.is_empty() => Permit::Granted,
        true | false => Permit::Denied,
    })
}

/// Goes on if the caller may give this command. Otherwise the answer to it: a refusal, if nothing is to be known of what
/// it names and a rule refuses it therefore.
///
/// # Errors
/// `FORBIDDEN`, with the right that is missing; a fault.
pub(super) async fn permitted<D: Decision>(
    ctx: &Context<'_>,
    command: &D,
    order: &Order,
) -> Result<Result<(), D::Refusal>, Error> {
    let field = ctx.field().name();
    let right = right_of("Mutation", field);
    let rights = &ctx.caller().rights;
    match permit(ctx, right, command).await? {
        Permit::Granted => return Ok(Ok(())),
        Permit::Denied => {}
        Permit::Hidden(hidden) => {
            let hides = |tag: &Tag| hidden.contains(tag) || is_elsewhere(rights, tag);
            match ctx.services().executor.judge_without(command, order, &hides).await {
                Ok(()) => {}
                Err(Failure::Refused(refusal)) => return Ok(Err(refusal)),
                Err(failure) => return Err(failed(D::NAME, &failure)),
            }
        }
    }
    let error = forbidden(right, field);
    ctx.services().executor.forbid(command, order, &error.message).await;
    Err(Error { message: error.message, extensions: error.extensions, source: None })
}

fn is_elsewhere(rights: &Rights, tag: &Tag) -> bool {
    refusals::site(tag.as_str()).is_some_and(|site| !rights.know(site))
}

/// Whether the caller may hear what a command of that id was answered, if one was carried out before: it may have been
/// somebody else's, at a site of which they know nothing.
///
/// # Errors
/// The log cannot be read.
pub(super) async fn may_hear(ctx: &Context<'_>, command_id: Uuid) -> Result<bool, Error> {
    let right = right_of("Mutation", ctx.field().name());
    let (rights, log) = (&ctx.caller().rights, &ctx.services().log);
    if rights.sites(right) == Sites::All {
        return Ok(true);
    }
    let before = log.appended(command_id).await.map_err(|error| log_fault(&error))?;
    let Some(position) = before.map(|before| before.last) else { return Ok(true) };
    let read = Read::after(position - 1).until(position).limit(1);
    let found = log.read(&Query::all(), read).await.map_err(|error| log_fault(&error))?;
    Ok(found.first().is_none_or(|event| rights.hold_at(right, &event.site)))
}
