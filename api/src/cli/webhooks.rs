//! `vigie webhooks`: who receives which events, what became of deliveries, and sending again. Works on the database itself.

mod print;

use std::process::ExitCode;

use uuid::Uuid;
use vigie_commands::{Done, Failure, Order};
use vigie_domain::kernel::{Decision, Note};
use vigie_domain::support::SiteId;
use vigie_domain::webhooks::{
    Change, DisableEndpoint, DisableReason, EnableEndpoint, EndpointId, Filter, FilterTag, OnExhaustion, Rate,
    RemoveEndpoint, RetrySchedule, SecretKind, TagKind, Timeout, TypePattern, WebhookRefusal,
};
use vigie_integrations::webhooks::Filter as WireFilter;

use super::{CliError, Outcome};
use crate::cli::say::say;
use crate::rights::Scope;
use crate::runtime::Runtime;
use crate::settings::Settings;
use crate::webhooks::{
    AttemptRow, Attempts, Changes, NewEndpoint, ReplayWhat, Shown, WaitingRow, WebhookError, Webhooks, preview, replay,
    texts,
};

/// Arguments of `vigie webhooks`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
    /// Answer in JSON lines.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List endpoints: what they receive, and how far they have come.
    List,
    /// Deliver events to a URL from now on; prints the secret, once.
    Register(Box<Register>),
    /// Change what is said of an endpoint.
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
        /// Minutes that the old ones go on.
        #[arg(long, default_value_t = 1_440)]
        overlap_minutes: u32,
    },
    /// Send a signed test event and print the answer; exit code 1 when it is not taken.
    Test(Which),
    /// Print what was tried, newest first.
    Attempts {
        #[command(flatten)]
        which: Which,
        /// Only of the event at this position.
        #[arg(long)]
        position: Option<i64>,
        /// Only those with an id less than this one.
        #[arg(long, value_name = "ID")]
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
        #[arg(long, default_value_t = 0)]
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
    /// Print what a filter would have sent.
    Preview {
        #[command(flatten)]
        filter: FilterArgs,
        /// Only events of this site.
        #[arg(long)]
        site: Option<SiteId>,
        #[command(flatten)]
        range: Range,
        /// Events that are printed.
        #[arg(long, default_value_t = 20)]
        first: usize,
    },
}

#[derive(Debug, clap::Args)]
struct Which {
    /// The endpoint's id.
    endpoint: EndpointId,
}

#[derive(Debug, clap::Args)]
struct Range {
    /// After this position.
    #[arg(long, default_value_t = 0)]
    after: i64,
    /// Up to this position; without it up to the end of the log.
    #[arg(long)]
    until: Option<i64>,
}

#[derive(Debug, clap::Args)]
struct FilterArgs {
    /// A type such as airport.stand_allocated, or the beginning of some such as airport.*; several times for several.
    #[arg(long = "type")]
    types: Vec<TypePattern>,
    /// A tag such as stand:LFW/C03; several times for several, all of which are carried.
    #[arg(long = "tag")]
    tags: Vec<FilterTag>,
}

impl From<FilterArgs> for Filter {
    fn from(FilterArgs { types, tags }: FilterArgs) -> Self {
        Self { types, tags }
    }
}

#[derive(Debug, clap::Args)]
struct Register {
    /// Where to. What stands behind a ? is kept encrypted.
    url: String,
    /// Only events of this site; without it all, also those of the installation.
    #[arg(long)]
    site: Option<SiteId>,
    /// What it is for.
    #[arg(long, default_value = "", value_parser = Note::new)]
    description: Note,
    #[command(flatten)]
    filter: FilterArgs,
    /// The kind of tag whose events are delivered in order, such as stand.
    #[arg(long)]
    ordering: Option<TagKind>,
    /// Hold back a key whose delivery has failed as often as it may, instead of setting it aside.
    #[arg(long)]
    hold: bool,
    /// The most requests per second: 1 to 1,000.
    #[arg(long)]
    rate: Option<i64>,
    /// Seconds that a request may take: 15 to 30.
    #[arg(long, default_value_t = 15)]
    timeout: i64,
    /// Seconds between one failed attempt and the next, with commas between.
    #[arg(long, value_delimiter = ',')]
    retries: Vec<u32>,
    /// A header of each request, as "name: value"; several times for several. Its value is kept encrypted.
    #[arg(long = "header", value_parser = header)]
    headers: Vec<(String, String)>,
    /// How deliveries are signed; several times for several.
    #[arg(long = "sign", default_value = "hmac")]
    signing: Vec<Kind>,
    /// Begin after this position; without it now.
    #[arg(long)]
    after: Option<i64>,
}

#[derive(Debug, clap::Args)]
struct Changed {
    #[command(flatten)]
    which: Which,
    /// Where to.
    #[arg(long)]
    url: Option<String>,
    /// What it is for.
    #[arg(long, value_parser = Note::new)]
    description: Option<Note>,
    #[command(flatten)]
    filter: FilterArgs,
    /// The most requests per second; 0 is no limit.
    #[arg(long)]
    rate: Option<i64>,
    /// Seconds that a request may take: 15 to 30.
    #[arg(long)]
    timeout: Option<i64>,
    /// Headers of each request, all of them, as "name: value".
    #[arg(long = "header", value_parser = header)]
    headers: Vec<(String, String)>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Kind {
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
enum What {
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

fn header(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once(':').ok_or("a header is written as \"name: value\"")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// Runs it.
pub(super) async fn run(args: Args, settings: Settings) -> Outcome {
    let runtime = Runtime::open(&settings).await?;
    let outcome = act(args, &runtime, &settings).await;
    runtime.close().await;
    outcome
}

async fn act(args: Args, runtime: &Runtime, settings: &Settings) -> Outcome {
    let (pool, json) = (&runtime.pool, args.json);
    let open = || Webhooks::of(runtime, settings);
    let order = || Order::new(Uuid::now_v7(), settings.actor.as_str());
    match args.action {
        Action::List => print::endpoints(runtime, json).await?,
        Action::Register(register) => {
            let webhooks = open()?;
            let given = plainly(webhooks.registration(new(*register)?))?;
            let (done, shown) = plainly(webhooks.give(given, order()).await)?;
            made(&done, &shown);
        }
        Action::Change(changed) => {
            let (webhooks, endpoint) = (open()?, changed.which.endpoint);
            let given = plainly(webhooks.change(endpoint, changes(*changed)?))?;
            plainly(webhooks.give(given, order()).await)?;
            say!("{endpoint} is changed");
        }
        Action::Disable(Which { endpoint }) => {
            let command = DisableEndpoint { endpoint, reason: DisableReason::Operator };
            carry_out(runtime, command, order()).await?;
            say!("{endpoint} is disabled");
        }
        Action::Enable(Which { endpoint }) => {
            carry_out(runtime, EnableEndpoint { endpoint }, order()).await?;
            say!("{endpoint} is enabled");
        }
        Action::Remove(Which { endpoint }) => {
            carry_out(runtime, RemoveEndpoint { endpoint }, order()).await?;
            open()?.forget(endpoint).await?;
            say!("{endpoint} is removed");
        }
        Action::Rotate { which, kind, overlap_minutes } => {
            let webhooks = open()?;
            let given = plainly(webhooks.rotation(which.endpoint, kind.into(), overlap_minutes))?;
            let (done, shown) = plainly(webhooks.give(given, order()).await)?;
            made(&done, &shown);
        }
        Action::Test(Which { endpoint }) => {
            let attempt = plainly(open()?.test(endpoint).await)?;
            print::attempt(&attempt, json)?;
            let taken = attempt.outcome == crate::webhooks::Outcome::Delivered;
            return Ok(if taken { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        Action::Attempts { which, position, before, limit } => {
            let wanted = Attempts { position, outcome: None };
            for attempt in AttemptRow::page(pool, which.endpoint.uuid(), wanted, before, limit).await? {
                print::attempt(&attempt, json)?;
            }
        }
        Action::Waiting { which, after, limit } => {
            for delivery in WaitingRow::page(pool, which.endpoint.uuid(), None, after, limit).await? {
                print::delivery(&delivery, json)?;
            }
        }
        Action::Replay { which, what, range, reason } => {
            let range = within(runtime, &range).await?;
            let by = (settings.actor.as_str(), reason.as_str());
            print::replay(&replay(pool, which.endpoint, what.into(), range, by).await?, json)?;
        }
        Action::Preview { filter, site, range, first } => {
            let (range, scope) = (within(runtime, &range).await?, Scope::whole());
            let (types, tags) = (texts(&filter.types), texts(&filter.tags));
            let filter = WireFilter { kinds: types, tags, site: site.map(String::from) };
            let found = preview(&runtime.log, (&filter, None), &scope, range, first).await?;
            print::preview(&found, json);
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn within(runtime: &Runtime, range: &Range) -> Result<(i64, i64), CliError> {
    let head = runtime.log.head().await?;
    let until = range.until.map_or(head, |until| until.min(head));
    if range.after < 0 || range.after > until {
        return Err(format!("the range from {} to {until} ends before it begins", range.after).into());
    }
    Ok((range.after, until))
}

fn new(register: Register) -> Result<NewEndpoint, CliError> {
    Ok(NewEndpoint {
        site: register.site,
        description: register.description,
        url: register.url,
        filter: register.filter.into(),
        ordering: register.ordering,
        on_exhaustion: if register.hold { OnExhaustion::Hold } else { OnExhaustion::SetAside },
        rate: register.rate.map(Rate::new).transpose()?,
        timeout: Timeout::new(register.timeout)?,
        retries: (!register.retries.is_empty()).then(|| RetrySchedule::new(register.retries)).transpose()?,
        headers: register.headers,
        signing: register.signing.into_iter().map(Into::into).collect(),
        after: register.after,
    })
}

fn changes(changed: Changed) -> Result<Changes, CliError> {
    let filter = Filter::from(changed.filter);
    let rate = changed.rate.map(|rate| if rate == 0 { Ok(None) } else { Rate::new(rate).map(Some) }).transpose()?;
    Ok(Changes {
        description: changed.description.into(),
        url: changed.url,
        filter: if filter == Filter::default() { Change::Keep } else { Change::To(filter) },
        rate: rate.into(),
        timeout: changed.timeout.map(Timeout::new).transpose()?.into(),
        headers: (!changed.headers.is_empty()).then_some(changed.headers),
        ..Changes::default()
    })
}

fn made(done: &Done<EndpointId>, shown: &[Shown]) {
    say!("endpoint    {}", done.answer);
    for Shown { kind, text, public_key } in shown {
        say!("{:<10}  {text}", kind.as_str());
        if let Some(public_key) = public_key {
            say!("public key  {public_key}");
        }
    }
    say!("\nSecrets are shown this once.");
}

async fn carry_out<D>(runtime: &Runtime, command: D, order: Order) -> Result<Done<D::Answer>, CliError>
where
    D: Decision<Refusal = WebhookRefusal>,
{
    plainly(runtime.executor.execute(&command, order).await.map_err(WebhookError::from))
}

fn plainly<T>(result: Result<T, WebhookError>) -> Result<T, CliError> {
    result.map_err(|error| match error {
        WebhookError::Command(Failure::Refused(refusal)) => refusal.into(),
        other => other.into(),
    })
}
