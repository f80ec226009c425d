//! `vigie dead-letters`: what policies and imports could not do.

use std::process::ExitCode;

use vigie_commands::dead_letters::{DeadLetter, Filter, Retried, Source, State, discard, list, retry};
use vigie_domain::kernel::Note;

use super::Outcome;
use crate::cli::say::say;
use crate::clock;
use crate::runtime::Runtime;
use crate::settings::Settings;

/// Letters that are read at a time.
const PAGE: i64 = 1_000;

/// Arguments of `vigie dead-letters`.
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
    /// List them, newest first.
    List {
        /// Only of policies, or of imports.
        #[arg(long)]
        source: Option<SourceArg>,
        /// Only of this policy or feed.
        #[arg(long)]
        name: Option<String>,
        /// Only in this state.
        #[arg(long, default_value = "open")]
        state: StateArg,
        /// Only those with an id less than this one.
        #[arg(long, value_name = "ID")]
        before: Option<i64>,
        /// The most of them.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
        limit: i64,
    },
    /// Give commands of policies again; exit code 1 when one is refused again. Rows are retried with `vigie import`.
    #[command(group = clap::ArgGroup::new("which").required(true))]
    Retry {
        /// Which ones.
        #[arg(group = "which")]
        ids: Vec<i64>,
        /// All open ones of policies, the oldest first.
        #[arg(long, group = "which")]
        all: bool,
        /// With --all: only of this policy.
        #[arg(long, requires = "all")]
        name: Option<String>,
    },
    /// Close one whose work is not to be done.
    Discard {
        /// Which one.
        id: i64,
        /// Why.
        #[arg(long, value_parser = Note::new)]
        reason: Note,
    },
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum SourceArg {
    Policy,
    Import,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum StateArg {
    Open,
    Done,
    Discarded,
    /// Whatever became of them.
    Any,
}

impl From<SourceArg> for Source {
    fn from(source: SourceArg) -> Self {
        match source {
            SourceArg::Policy => Self::Policy,
            SourceArg::Import => Self::Import,
        }
    }
}

impl StateArg {
    fn state(self) -> Option<State> {
        match self {
            Self::Open => Some(State::Open),
            Self::Done => Some(State::Done),
            Self::Discarded => Some(State::Discarded),
            Self::Any => None,
        }
    }
}

/// Runs it.
pub(super) async fn run(args: Args, settings: Settings) -> Outcome {
    let runtime = Runtime::open(&settings).await?;
    let outcome = act(args, &runtime, &settings.actor).await;
    runtime.close().await;
    outcome
}

async fn act(args: Args, runtime: &Runtime, actor: &str) -> Outcome {
    let (pool, json) = (&runtime.pool, args.json);
    match args.action {
        Action::List { source, name, state, before, limit } => {
            let filter = Filter { source: source.map(Into::into), name, state: state.state() };
            for letter in list(pool, &filter, limit, before).await? {
                tell(&letter, json)?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Action::Retry { ids, all, name } => {
            let ids = if all { open(runtime, name).await? } else { ids };
            retry_all(runtime, &ids, actor, json).await
        }
        Action::Discard { id, reason } => {
            tell(&discard(pool, id, actor, reason.as_str(), clock::now()).await?, json)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// The open letters of policies, oldest first.
async fn open(runtime: &Runtime, name: Option<String>) -> Result<Vec<i64>, sqlx::Error> {
    let filter = Filter { source: Some(Source::Policy), name, state: Some(State::Open) };
    let mut ids: Vec<i64> = Vec::new();
    loop {
        let page = list(&runtime.pool, &filter, PAGE, ids.last().copied()).await?;
        if page.is_empty() {
            ids.reverse();
            return Ok(ids);
        }
        ids.extend(page.iter().map(|letter| letter.id));
    }
}

async fn retry_all(runtime: &Runtime, ids: &[i64], actor: &str, json: bool) -> Outcome {
    let mut failed = 0_usize;
    for id in ids {
        let Retried { accepted, letter } = retry(&runtime.executor, &runtime.pool, *id, actor, clock::now()).await?;
        failed += usize::from(!accepted);
        tell(&letter, json)?;
    }
    if !json {
        say!("{} done, {failed} not", ids.len() - failed);
    }
    Ok(if failed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn tell(letter: &DeadLetter, json: bool) -> Result<(), super::CliError> {
    if json {
        say!("{}", serde_json::to_string(letter)?);
        return Ok(());
    }
    let DeadLetter { id, source, name, attempts, reason, .. } = letter;
    let what = match source {
        Source::Policy => text(letter, "/reaction/command"),
        Source::Import => format!("{}:{}", text(letter, "/file"), text(letter, "/place")),
    };
    let state = letter.state.as_str();
    let at = letter.last_at.to_rfc3339();
    let code = letter.code.as_deref().map(|code| format!("{code}: ")).unwrap_or_default();
    let reason = reason.strip_prefix(code.as_str()).unwrap_or(reason);
    say!("{id:>8}  {at}  {state:<9} {name}  {what}  {attempts} attempts  {code}{reason}");
    if let (Some(by), Some(why)) = (&letter.closed_by, &letter.closed_reason) {
        say!("          closed by {by}: {why}");
    }
    Ok(())
}

fn text(letter: &DeadLetter, pointer: &str) -> String {
    match letter.payload.pointer(pointer) {
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(serde_json::Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    }
}
