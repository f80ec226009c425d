//! Setting sites up.

use async_graphql::{Context, Error, ID, InputObject, Object, SimpleObject};
use uuid::Uuid;
use vigie_domain::support::{self as domain, DefineSite, SiteDefined, SiteId, Zone};

use super::Site;
use super::site::{SiteKind, SiteRow};
use crate::graphql::command::{Receipt, carry_out, told};
use crate::graphql::context::Parts;
use crate::graphql::error::{argument, optional};
use crate::graphql::load::ByKey;
use crate::graphql::models::SITES;
use crate::graphql::refusal::{SiteRefusal, Told, results};

/// A site's description.
#[derive(Debug, InputObject)]
pub(crate) struct DefineSiteInput {
    /// Sent again with the same id, the command gets its first answer.
    command_id: Option<Uuid>,
    /// 2 to 16 capital letters, digits or hyphens.
    site: ID,
    /// What people call it: 1 to 80 characters.
    name: String,
    /// What moves there.
    kind: SiteKind,
    /// A name of the IANA time zone database.
    zone: String,
    /// ICAO location indicator of an airport: 4 capital letters.
    icao: Option<String>,
}

/// The site is set up.
#[derive(SimpleObject)]
pub(crate) struct SitePayload {
    #[graphql(flatten)]
    receipt: Receipt,
    /// The site.
    site: Option<Site>,
}

enum Refused {
    SiteRefusal(Told),
}

results! {
    /// The site, or why it cannot be set up.
    DefineSiteResult = SitePayload, Refused [SiteRefusal];
}

/// Mutations of sites.
#[derive(Default)]
pub(crate) struct SupportMutation;

#[Object]
impl SupportMutation {
    /// Sets a site up, or changes its description.
    async fn define_site(&self, ctx: &Context<'_>, input: DefineSiteInput) -> Result<DefineSiteResult, Error> {
        let icao = |text: &str| match text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_uppercase()) {
            true => Ok(text.to_owned()),
            false => Err("an ICAO location indicator has 4 capital letters, such as DXXX"),
        };
        let command = DefineSite(SiteDefined {
            site: argument("input.site", SiteId::new(&input.site))?,
            name: input.name,
            kind: match input.kind {
                SiteKind::Airport => domain::SiteKind::Airport,
                SiteKind::Rail => domain::SiteKind::Rail,
            },
            zone: argument("input.zone", Zone::new(&input.zone))?,
            icao: optional("input.icao", input.icao.as_deref(), icao)?,
        });
        let (receipt, site) = match carry_out(ctx, command, input.command_id, &[SITES]).await? {
            Ok(done) => done,
            Err(refusal) => return Ok(Refused::SiteRefusal(told(&refusal)).into()),
        };
        let loader = ctx.loader::<ByKey<SiteRow>>();
        let site = if receipt.is_readable() { loader.one(site.to_string()).await?.map(Site) } else { None };
        Ok(SitePayload { receipt, site }.into())
    }
}
