//! `vigie webhooks`: who receives which events, what became of deliveries, and sending again. Works on the database itself.

mod args;
mod print;

use std::process::ExitCode;

use uuid::Uuid;
use vigie_commands::{Done, Failure, Order};
use vigie_domain::kernel::Decision;
use vigie_domain::webhooks::{
    Change, DisableEndpoint, DisableReason, EnableEndpoint, EndpointId, Filter, OnExhaustion, RemoveEndpoint, Timeout,
    WebhookRefusal,
};
use vigie_integrations::webhooks::{Endpoint, Filter as WireFilter, preview};

use super::{CliError, Outcome};
use crate::cli::say::say;
use crate::operate::{Until, bounded};
use crate::runtime::Runtime;
use crate::settings::Settings;
use crate::webhooks::{
    AttemptRow, Attempts, Changes, NewEndpoint, ReplayRow, ReplayWhat, Shown, WaitingRow, WebhookError, Webhooks,
    cancel, kept, replay, site_of, texts,
};

pub(super) use args::Args;
use args::{Action, Changed, Previewed, Range, Register, Which};

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
            let given = plainly(webhooks.registration(new(*register)?, &runtime.log).await)?;
            let (done, shown) = plainly(webhooks.give(given, order()).await)?;
            made(&done, &shown);
        }
        Action::Change(changed) => {
            let (webhooks, endpoint) = (open()?, changed.which.endpoint);
            let given = plainly(webhooks.change(endpoint, changes(*changed)?))?;
            let (done, _) = plainly(webhooks.give(given, order()).await)?;
            let became = if done.appended > 0 { "is changed" } else { "is as it was: nothing of it is changed" };
            say!("{endpoint} {became}");
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
            for attempt in AttemptRow::page(pool, there(runtime, &which).await?, wanted, before, limit).await? {
                print::attempt(&attempt, json)?;
            }
        }
        Action::Waiting { which, after, limit } => {
            for delivery in WaitingRow::page(pool, there(runtime, &which).await?, None, after, limit).await? {
                print::delivery(&delivery, json)?;
            }
        }
        Action::Replay { which, what, range, reason } => {
            there(runtime, &which).await?;
            let range = within(runtime, &range).await?;
            let by = (settings.actor.as_str(), reason.as_str());
            print::replay(&replay(pool, &runtime.log, which.endpoint, what.into(), range, by).await?, json)?;
        }
        Action::Replays { which, limit } => {
            for replay in ReplayRow::newest(pool, there(runtime, &which).await?, limit).await? {
                print::replay(&replay, json)?;
            }
        }
        Action::Cancel { which, replay } => match cancel(pool, which.endpoint, replay).await? {
            Some(replay) => print::replay(&replay, json)?,
            None => return Err(format!("no replay {replay} of this endpoint is to be done or running").into()),
        },
        Action::Preview(previewed) => foreseen(previewed, runtime, settings, json).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints what would be sent, or be sent again.
async fn foreseen(asked: Previewed, runtime: &Runtime, settings: &Settings, json: bool) -> Result<(), CliError> {
    let Previewed { what, endpoint, filter, site, range, first } = asked;
    let range = within(runtime, &range).await?;
    let what = ReplayWhat::from(what);
    if what != ReplayWhat::Everything {
        let endpoint = endpoint.ok_or("what failed or waits is an endpoint's: name it with --endpoint")?;
        let endpoint = there(runtime, &Which { endpoint }).await?;
        let found = plainly(kept(&runtime.pool, &runtime.log, endpoint, what, range, first).await)?;
        print::preview(&found, "deliveries", json);
        return Ok(());
    }
    let filter = match endpoint {
        Some(endpoint) => plainly(Webhooks::of(runtime, settings)?.filter(endpoint).await)?,
        None => wire(filter.into(), site.map(String::from))?,
    };
    let own = endpoint.map(|id| Endpoint::tag(id.uuid()));
    let admits = |event: &vigie_eventlog::Recorded| own.as_ref().is_none_or(|own| !event.tags.contains(own));
    print::preview(&preview(&runtime.log, &filter, admits, range, first).await?, "events", json);
    Ok(())
}

/// The id of an endpoint that there is.
async fn there(runtime: &Runtime, Which { endpoint }: &Which) -> Result<Uuid, CliError> {
    match site_of(&runtime.pool, *endpoint).await? {
        Some(_) => Ok(endpoint.uuid()),
        None => Err(format!("there is no endpoint {endpoint}").into()),
    }
}

async fn within(runtime: &Runtime, range: &Range) -> Result<(i64, i64), CliError> {
    let after = match range.after {
        Some(Until::Position(0)) | None => 0,
        Some(after) => bounded(&runtime.log, after).await?,
    };
    let until = match range.until {
        Some(until) => bounded(&runtime.log, until).await?,
        None => runtime.log.head().await?,
    };
    if after > until {
        return Err(format!("the range ends at {until}, before it begins at {after}").into());
    }
    Ok((after, until))
}

fn wire(filter: Filter, site: Option<String>) -> Result<WireFilter, WebhookRefusal> {
    filter.check_types()?;
    filter.check_tags()?;
    Ok(WireFilter { kinds: texts(&filter.types), tags: texts(&filter.tags), site })
}

fn new(register: Register) -> Result<NewEndpoint, CliError> {
    Ok(NewEndpoint {
        site: register.site,
        description: register.description,
        url: register.url,
        filter: register.filter.into(),
        ordering: register.ordering,
        on_exhaustion: if register.hold { OnExhaustion::Hold } else { OnExhaustion::SetAside },
        rate: register.pace.rate()?.flatten(),
        timeout: Timeout::new(register.timeout)?,
        retries: register.pace.retries()?.flatten(),
        headers: register.headers,
        signing: register.signing.into_iter().map(Into::into).collect(),
        after: register.after,
    })
}

fn changes(changed: Changed) -> Result<Changes, CliError> {
    let filter = Filter::from(changed.filter);
    let ordering = changed.ordering.map(Some).or(changed.unordered.then_some(None));
    Ok(Changes {
        description: changed.description.into(),
        url: changed.url,
        filter: if filter == Filter::default() { Change::Keep } else { Change::To(filter) },
        ordering: ordering.into(),
        on_exhaustion: changed.on_exhaustion.map(OnExhaustion::from).into(),
        rate: changed.pace.rate()?.into(),
        timeout: changed.timeout.map(Timeout::new).transpose()?.into(),
        retries: changed.pace.retries()?.into(),
        headers: (!changed.headers.is_empty()).then_some(changed.headers),
    })
}

fn made(done: &Done<EndpointId>, shown: &[Shown]) {
    say!("endpoint    {}", done.answer);
    for Shown { kind, text, public_key } in shown {
        if let Some(text) = text {
            say!("{:<10}  {text}", kind.as_str());
        }
        if let Some(public_key) = public_key {
            say!("public key  {public_key}");
        }
    }
    if shown.iter().any(|one| one.text.is_some()) {
        say!("\nSecrets are shown this once.");
    }
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
