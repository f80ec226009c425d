//! Which entries `vigie audit` lists.

use async_graphql::ID;
use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgPool;
use uuid::Uuid;
use vigie_domain::identity::Holder;
use vigie_domain::support::SiteId;

use super::Fault;
use crate::accounts::person_called;
use crate::audit::{AuditFilter, RefusalFilter};
use crate::cli::events::known_type;

/// Which entries.
#[derive(Debug, clap::Args)]
pub(super) struct Which {
    /// About this thing, such as stand:LFW/C03; several must all be there.
    #[arg(long = "thing", value_name = "TAG")]
    things: Vec<String>,
    /// By this person or program: a username, or an actor such as operator:zoe.
    #[arg(long)]
    actor: Option<String>,
    /// From commands of this name, such as airport.allocate_stand.
    #[arg(long)]
    command: Option<String>,
    /// From this command.
    #[arg(long, value_name = "UUID")]
    command_id: Option<Uuid>,
    /// From this command and from all that reacted to it.
    #[arg(long, value_name = "UUID")]
    caused_by: Option<Uuid>,
    /// Of the chain that this command began.
    #[arg(long, value_name = "UUID")]
    correlation_id: Option<Uuid>,
    /// Events of this type, such as airport.stand_allocated; one of several.
    #[arg(long = "type", value_name = "TYPE", value_parser = known_type)]
    types: Vec<String>,
    /// At this site.
    #[arg(long)]
    site: Option<SiteId>,
    /// From this time on, such as 2026-01-15T06:00:00Z.
    #[arg(long, value_name = "TIME")]
    from: Option<DateTime<Utc>>,
    /// Before this time.
    #[arg(long, value_name = "TIME")]
    to: Option<DateTime<Utc>>,
    /// On this day in the zone of the site.
    #[arg(long, value_name = "YYYY-MM-DD", requires = "site", conflicts_with_all = ["from", "to"])]
    day: Option<NaiveDate>,
    /// After this position of the log.
    #[arg(long, value_name = "POSITION", value_parser = clap::value_parser!(i64).range(0..))]
    after: Option<i64>,
    /// Up to this position of the log.
    #[arg(long, value_name = "POSITION", value_parser = clap::value_parser!(i64).range(0..))]
    until: Option<i64>,
    /// With words in the note that begin like each of these.
    #[arg(long)]
    text: Option<String>,
}

impl Which {
    /// Takes an actor that is a username for the person who is called so now.
    pub(super) async fn find_actor(&mut self, pool: &PgPool) -> Result<(), Fault> {
        let Some(actor) = &mut self.actor else { return Ok(()) };
        if let Some(person) = person_called(pool, actor).await? {
            *actor = Holder::User(person.user).to_string();
        }
        Ok(())
    }

    pub(super) fn things(&self) -> &[String] {
        &self.things
    }

    pub(super) fn entries(&self) -> AuditFilter {
        AuditFilter {
            thing: None,
            things: (!self.things.is_empty()).then(|| self.things.clone()),
            actor: self.actor.clone(),
            command: self.command.clone(),
            command_id: self.command_id,
            caused_by: self.caused_by,
            correlation_id: self.correlation_id,
            kind: None,
            types: (!self.types.is_empty()).then(|| self.types.clone()),
            site: self.site.as_ref().map(|site| ID(site.to_string())),
            from: self.from,
            to: self.to,
            day: self.day,
            after_position: self.after,
            until_position: self.until,
            text: self.text.clone(),
        }
    }

    pub(super) fn refusals(&self, code: Option<&str>) -> Result<RefusalFilter, Fault> {
        if self.things.len() > 1 {
            return Err("refusals are asked for by one --thing at most".into());
        }
        Ok(RefusalFilter {
            thing: self.things.first().cloned(),
            actor: self.actor.clone(),
            command: self.command.clone(),
            command_id: self.command_id,
            correlation_id: self.correlation_id,
            code: code.map(ToOwned::to_owned),
            site: self.site.as_ref().map(|site| ID(site.to_string())),
            from: self.from,
            to: self.to,
            day: self.day,
            after_position: self.after,
            until_position: self.until,
        })
    }
}
