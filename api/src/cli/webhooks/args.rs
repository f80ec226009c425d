//! Arguments of `vigie webhooks`.

use vigie_domain::kernel::{IdError, Note};
use vigie_domain::support::SiteId;
use vigie_domain::webhooks::{
    EndpointId, Filter, FilterTag, OnExhaustion, Rate, RetrySchedule, SecretKind, TagKind, TypePattern,
};

use crate::operate::Until;
use crate::webhooks::ReplayWhat;

/// Arguments of `vigie webhooks`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(subcommand)]
    pub(super) action: Action,
    /// Answer in JSON lines.
    #[arg(long, global = true)]
    pub(super) json: bool,
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum Action {
    /// List endpoints: what they receive, and how far they have come.
    List,
    /// Deliver events to a URL from now on; prints the secret, once.
    Register(Box<Register>),
    /// Change what is said of an endpoint, and nothing else of it.
    Change(Box<Changed>),
    /// Deliver nothing to an endpoint until it is enabled.
    Disable(Which),
    /// Deliver to an endpoint again, from where it stopped.
    Enable(Which),
    /// Deliver nothing to an endpoint any more, for good.
    Remove(Which),
    /// Sign with a new secret, and for a while with the old ones too; prints the new one, once.
    Rotate {
        #[command(flatten)]
        which: Which,
        /// Of which kind.
        #[arg(long, default_value = "hmac")]
        kind: Kind,
        /// Minutes that the old ones go on: 0 to 10,080.
        #[arg(long, default_value_t = 1_440, value_parser = clap::value_parser!(u32).range(0..=10_080))]
        overlap_minutes: u32,
    },
    /// Send a signed test event and print the answer; exit code 1 when it is not taken.
    Test(Which),
    /// Print what was tried, newest first.
    Attempts {
        #[command(flatten)]
        which: Which,
        /// Only of the event at this position.
        #[arg(long, value_parser = clap::value_parser!(i64).range(1..))]
        position: Option<i64>,
        /// Only those with an id less than this one.
        #[arg(long, value_name = "ID", value_parser = clap::value_parser!(i64).range(1..))]
        before: Option<i64>,
        /// The most of them.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
        limit: i64,
    },
    /// Print what did not go through at once: what waits, and what was set aside.
    Waiting {
        #[command(flatten)]
        which: Which,
        /// Only those with a number greater than this one.
        #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(i64).range(0..))]
        after: i64,
        /// The most of them.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
        limit: i64,
    },
    /// Send events again, or let go of those that wait.
    Replay {
        #[command(flatten)]
        which: Which,
        /// What of it.
        #[arg(value_enum)]
        what: What,
        #[command(flatten)]
        range: Range,
        /// Why.
        #[arg(long, value_parser = Note::new)]
        reason: Note,
    },
    /// Print what was asked to be sent again or let go, newest first.
    Replays {
        #[command(flatten)]
        which: Which,
        /// The most of them.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(i64).range(1..=10_000))]
        limit: i64,
    },
    /// End a replay that is not done. What it has put on its way still arrives.
    Cancel {
        #[command(flatten)]
        which: Which,
        /// Its number.
        replay: i64,
    },
    /// Print what a filter would have sent, or that of an endpoint, or what a replay would send again or let go.
    Preview(Previewed),
}

#[derive(Debug, clap::Args)]
pub(super) struct Previewed {
    /// What of it; what failed or waits is an endpoint's.
    #[arg(value_enum, default_value = "everything")]
    pub(super) what: What,
    /// An endpoint whose filter and site it is.
    #[arg(long, conflicts_with_all = ["types", "tags", "site"])]
    pub(super) endpoint: Option<EndpointId>,
    #[command(flatten)]
    pub(super) filter: FilterArgs,
    /// Only events of this site.
    #[arg(long)]
    pub(super) site: Option<SiteId>,
    #[command(flatten)]
    pub(super) range: Range,
    /// Events that are printed.
    #[arg(long, default_value_t = 20)]
    pub(super) first: usize,
}

#[derive(Debug, clap::Args)]
pub(super) struct Which {
    /// The endpoint's id.
    pub(super) endpoint: EndpointId,
}

#[derive(Debug, clap::Args)]
pub(super) struct Range {
    /// After this position, or after what was recorded by this time (RFC 3339); without it, or with a time before the log,
    /// from the beginning of the log.
    #[arg(long, value_name = "POSITION|TIME")]
    pub(super) after: Option<Until>,
    /// Up to this position or time; without it, or with a time to come, up to the end of the log.
    #[arg(long, value_name = "POSITION|TIME")]
    pub(super) until: Option<Until>,
}

#[derive(Debug, clap::Args)]
pub(super) struct FilterArgs {
    /// A type such as airport.stand_allocated, or the beginning of some such as airport.*; several times for several.
    #[arg(long = "type")]
    pub(super) types: Vec<TypePattern>,
    /// A tag such as stand:LFW/C03; several times for several, all of which are carried.
    #[arg(long = "tag")]
    pub(super) tags: Vec<FilterTag>,
}

impl From<FilterArgs> for Filter {
    fn from(FilterArgs { types, tags }: FilterArgs) -> Self {
        Self { types, tags }
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct Register {
    /// Where to. What stands behind a ? is kept encrypted.
    pub(super) url: String,
    /// Only events of this site; without it all, also those of the installation.
    #[arg(long)]
    pub(super) site: Option<SiteId>,
    /// What it is for.
    #[arg(long, default_value = "", value_parser = Note::new)]
    pub(super) description: Note,
    #[command(flatten)]
    pub(super) filter: FilterArgs,
    /// The kind of tag whose events are delivered in order, such as stand.
    #[arg(long)]
    pub(super) ordering: Option<TagKind>,
    /// Hold back a key whose delivery has failed as often as it may, instead of setting it aside.
    #[arg(long)]
    pub(super) hold: bool,
    #[command(flatten)]
    pub(super) pace: Pace,
    /// Seconds that a request may take: 15 to 30.
    #[arg(long, default_value_t = 15)]
    pub(super) timeout: i64,
    /// A header of each request, as "name: value"; several times for several. Its value is kept encrypted.
    #[arg(long = "header", value_parser = header)]
    pub(super) headers: Vec<(String, String)>,
    /// How deliveries are signed; several times for several.
    #[arg(long = "sign", default_value = "hmac")]
    pub(super) signing: Vec<Kind>,
    /// Begin after this position; without it now.
    #[arg(long)]
    pub(super) after: Option<i64>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Changed {
    #[command(flatten)]
    pub(super) which: Which,
    /// Where to.
    #[arg(long)]
    pub(super) url: Option<String>,
    /// What it is for.
    #[arg(long, value_parser = Note::new)]
    pub(super) description: Option<Note>,
    #[command(flatten)]
    pub(super) filter: FilterArgs,
    /// The kind of tag whose events are delivered in order, such as stand.
    #[arg(long)]
    pub(super) ordering: Option<TagKind>,
    /// Deliver in no order.
    #[arg(long, conflicts_with = "ordering")]
    pub(super) unordered: bool,
    /// What becomes of a delivery that has failed as often as it may.
    #[arg(long)]
    pub(super) on_exhaustion: Option<Exhaustion>,
    #[command(flatten)]
    pub(super) pace: Pace,
    /// Seconds that a request may take: 15 to 30.
    #[arg(long)]
    pub(super) timeout: Option<i64>,
    /// Headers of each request, all of them, as "name: value".
    #[arg(long = "header", value_parser = header)]
    pub(super) headers: Vec<(String, String)>,
}

/// How fast, and how often again.
#[derive(Debug, clap::Args)]
pub(super) struct Pace {
    /// The most requests per second: 1 to 1,000. 0, as at first, is no limit.
    #[arg(long)]
    rate: Option<i64>,
    /// Seconds between one failed attempt and the next: 1 to 20 waits with commas between, each of 1 to 604,800. 0 alone,
    /// as at first, is the usual ones: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h.
    #[arg(long, value_delimiter = ',', allow_hyphen_values = true)]
    retries: Vec<i64>,
}

impl Pace {
    /// The most requests per second, if that is said; none is no limit.
    pub(super) fn rate(&self) -> Result<Option<Option<Rate>>, IdError> {
        self.rate.map(|rate| if rate == 0 { Ok(None) } else { Rate::new(rate).map(Some) }).transpose()
    }

    /// The waits, if they are said; none is the usual ones.
    pub(super) fn retries(&self) -> Result<Option<Option<RetrySchedule>>, IdError> {
        match &self.retries[..] {
            [] => Ok(None),
            [0] => Ok(Some(None)),
            waits => RetrySchedule::new(waits.iter().copied()).map(|waits| Some(Some(waits))),
        }
    }
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(super) enum Kind {
    Hmac,
    Ed25519,
}

impl From<Kind> for SecretKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Hmac => Self::Hmac,
            Kind::Ed25519 => Self::Ed25519,
        }
    }
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(super) enum What {
    /// Every event that the endpoint asks for.
    Everything,
    /// What was set aside, and what waits for its next try.
    Failed,
    /// What waits is let go.
    Skip,
}

impl From<What> for ReplayWhat {
    fn from(what: What) -> Self {
        match what {
            What::Everything => Self::Everything,
            What::Failed => Self::Failed,
            What::Skip => Self::Skip,
        }
    }
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(super) enum Exhaustion {
    /// It is tried again at the last wait, and its key waits.
    Hold,
    /// It is set aside, and its key goes on.
    SetAside,
}

impl From<Exhaustion> for OnExhaustion {
    fn from(exhaustion: Exhaustion) -> Self {
        match exhaustion {
            Exhaustion::Hold => Self::Hold,
            Exhaustion::SetAside => Self::SetAside,
        }
    }
}

fn header(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once(':').ok_or("a header is written as \"name: value\"")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}
