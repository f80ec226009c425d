//! `vigie serve`.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use sqlx::postgres::PgPoolOptions;
use tokio::net::TcpListener;
use vigie_projections::{MODELS, Projections, complete};

use super::greeting::greeting;
use super::{CliError, Outcome};
use crate::accounts::Accounts;
use crate::background::Background;
use crate::cli::say::say;
use crate::demo::Speed;
use crate::demo::accounts::{DemoAccounts, make as demo_accounts};
use crate::documents::check::broken;
use crate::documents::{Documents, LoadError, load};
use crate::graphql::{ReadSchema, Services};
use crate::http::{App, Life, ServeError, Tls, recorder, serve};
use crate::rights::Directory;
use crate::runtime::Runtime;
use crate::settings::Settings;
use crate::webhooks::Webhooks;

/// Arguments of `vigie serve`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where to serve, instead of VIGIE_LISTEN.
    #[arg(long)]
    listen: Option<SocketAddr>,
    /// Set up the demo sites and play a demo day: today up to now at once, the rest and tomorrow at --speed.
    #[arg(long)]
    demo: bool,
    /// How fast the demo goes on: 60 plays an hour a minute.
    #[arg(long, default_value = "60", requires = "demo")]
    speed: Speed,
    /// Serve what `vigie replay` has built into this schema, as it was then.
    #[arg(long, value_name = "SCHEMA", requires = "read_only", conflicts_with = "demo")]
    schema: Option<ReadSchema>,
    /// Change nothing: no commands, no policies, no jobs. Goes with --schema.
    #[arg(long, requires = "schema")]
    read_only: bool,
}

/// Serves until SIGTERM or Ctrl-C, then ends what runs and stops everything that it started.
pub(super) async fn run(args: Args, settings: Settings) -> Outcome {
    let settings = Settings { listen: args.listen.unwrap_or(settings.listen), ..settings };
    settings.check_listen()?;
    for name in crate::settings::unknown(std::env::vars_os().map(|(name, _)| name)) {
        tracing::warn!(name, "no such setting; docs/configuration.md lists them");
    }
    settings.check_secrets()?;
    settings.check_oidc()?;
    let tls = settings.tls().map(Tls::start).transpose()?;
    if let Err(error) = crate::open_files::raise() {
        tracing::warn!(error = %error, "the limit of open files stays as it is (ulimit -n): each client takes one");
    }
    let documents = documents(&settings).await?;
    let metrics = recorder()?;
    let address = settings.listen;
    let listen = |source| ServeError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;

    let runtime = Runtime::open(&settings).await?;
    let webhooks = match Webhooks::of(&runtime, &settings) {
        Ok(webhooks) => webhooks,
        Err(error) => {
            runtime.close().await;
            return Err(error.into());
        }
    };
    let parts = match args.schema {
        Some(schema) => standing(schema, &runtime).await,
        None => running(args.demo.then_some(args.speed), &runtime, &webhooks, &settings).await,
    };
    let opened = match parts {
        Ok(parts) => people(args.demo, &runtime, &settings).await.map(|people| (parts, people)),
        Err(error) => Err(error),
    };
    let ((schema, projections, background), (accounts, demo)) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            runtime.close().await;
            return Err(error);
        }
    };
    let directory = directory(&runtime, &settings).await?;
    let services = Services {
        pool: reading_pool(&runtime, &settings),
        log: runtime.log.clone(),
        executor: runtime.executor.clone(),
        schema,
        projections,
        accounts,
        directory,
        webhooks,
    };
    let life = Life::default();
    tokio::spawn(stop_on_signal(life.clone(), settings.drain_lead));
    let scheme = if tls.is_some() { "https" } else { "http" };
    let greeting = greeting(&settings.url_at(address), runtime.data_dir(), args.demo, demo.as_ref());
    tokio::spawn(catch_up(services.clone(), life.clone(), greeting));
    tracing::info!(server.address = %address, "serving on {scheme}://{address}/graphql");
    let app = App::new(settings, documents, services.clone(), metrics, life.clone());
    serve(app, listener, tls).await;

    life.stop();
    if let Some(background) = background {
        background.stop().await;
    }
    services.pool.close().await;
    runtime.close().await;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// The persisted documents. Those that this schema has broken are served all the same, and answered with what is wrong.
async fn documents(settings: &Settings) -> Result<Documents, LoadError> {
    if let Some(path) = &settings.protocols.documents {
        for broken in broken(&load(path)?, None).await {
            tracing::warn!(document.place = %broken.place(), problem = broken.what, "a persisted document cannot run");
        }
    }
    Documents::of(&settings.protocols)
}

/// Who may do what, if that matters here. It follows the log for as long as that is open.
async fn directory(runtime: &Runtime, settings: &Settings) -> Result<Directory, CliError> {
    if settings.open {
        return Ok(Directory::of_nobody());
    }
    let directory = Directory::start(&runtime.log).await?;
    if directory.knows_nobody() {
        tracing::warn!("nobody can sign in yet: `vigie users bootstrap` makes the first administrator");
    }
    Ok(directory)
}

/// Who people are; those of the demo too, when it plays on a server that asks who somebody is.
async fn people(
    demo: bool,
    runtime: &Runtime,
    settings: &Settings,
) -> Result<(Accounts, Option<DemoAccounts>), CliError> {
    let accounts = Accounts::open(runtime.pool.clone(), runtime.executor.clone(), settings)?;
    let demo = match demo && !settings.open {
        true => Some(demo_accounts(&accounts).await?),
        false => None,
    };
    Ok((accounts, demo))
}

type Parts = (ReadSchema, Projections, Option<Background>);

/// Read models that follow the log, and what reacts to it.
async fn running(
    demo: Option<Speed>,
    runtime: &Runtime,
    webhooks: &Webhooks,
    settings: &Settings,
) -> Result<Parts, CliError> {
    let mut background = Background::start(runtime, webhooks, settings).await?;
    if let Some(speed) = demo {
        background.play_demo(runtime, speed);
    }
    Ok((ReadSchema::default(), background.projections.clone(), Some(background)))
}

/// Read models that stand still: nothing folds, nothing reacts.
async fn standing(schema: ReadSchema, runtime: &Runtime) -> Result<Parts, CliError> {
    let replayed = complete(&runtime.pool, schema.as_str()).await?;
    let projections = Projections::standing(runtime.pool.clone(), &runtime.log, replayed.position);
    tracing::info!(schema = schema.as_str(), position = replayed.position, "read-only, as it was then");
    Ok((schema.built_until(replayed.position), projections, None))
}

/// Reads have connections of their own, so that no number of them keeps commands or read models waiting. No statement
/// on them takes longer than an operation may.
fn reading_pool(runtime: &Runtime, settings: &Settings) -> sqlx::PgPool {
    let timeout = settings.limits.operation.as_millis().to_string();
    let options = (*runtime.pool.connect_options()).clone().options([("statement_timeout", timeout)]);
    PgPoolOptions::new().max_connections(settings.pool_size).connect_lazy_with(options)
}

/// Readiness begins when the read models have what the log held at the start; one that an event has stopped, or somebody
/// has paused, holds up nobody but itself.
async fn catch_up(services: Services, life: Life, greeting: String) {
    const PATIENCE: Duration = Duration::from_secs(5);
    let names: Vec<&str> = MODELS.iter().map(|model| model.name).collect();
    // Asked once: while others write without a pause, the end of the log would stay ahead of what has little to fold.
    let mut wanted = None;
    loop {
        if wanted.is_none() {
            wanted = services.last().await.ok();
        }
        let waited = match wanted {
            Some(head) => all_there(&services, &names, head, PATIENCE).await,
            None => Err("the log cannot be read".to_owned()),
        };
        match waited {
            Ok(()) => break,
            Err(reason) => tracing::info!(reason, "not ready yet"),
        }
        tokio::select! {
            () = life.stopping() => return,
            () = tokio::time::sleep(Duration::from_millis(200)) => {}
        }
    }
    life.set_started();
    tracing::info!("ready");
    say!("{greeting}");
}

async fn all_there(services: &Services, names: &[&str], head: i64, patience: Duration) -> Result<(), String> {
    for name in names {
        match services.projections.wait_for(&[name], head, patience).await {
            Ok(()) => {}
            Err(behind) if behind.stopped.is_some() || behind.paused.is_some() => {
                tracing::warn!(projection.name = name, reason = %behind, "ready without a read model");
            }
            Err(behind) => return Err(behind.to_string()),
        }
    }
    Ok(())
}

/// SIGTERM comes from a supervisor whose load balancer must notice first; Ctrl-C from a person who waits.
async fn stop_on_signal(life: Life, lead: Duration) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        tracing::error!("signals cannot be heard: this process can only be killed");
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {
            tracing::info!("SIGTERM: stopping");
            life.leave();
            tokio::select! {
                () = tokio::time::sleep(lead) => {}
                _ = interrupt.recv() => {}
            }
        }
        _ = interrupt.recv() => tracing::info!("Ctrl-C: stopping"),
    }
    life.stop();
}
