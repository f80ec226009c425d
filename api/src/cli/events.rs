//! `vigie events`: the log, read from a terminal.

mod print;

use std::process::ExitCode;

use vigie_domain::support::SiteId;
use vigie_eventlog::{Criterion, Direction, Log, Query, Read, Recorded};

use super::Outcome;
use crate::runtime::Runtime;
use crate::settings::Settings;
use print::{Format, print};

/// Arguments of `vigie events`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List events: the newest, or those after a position.
    List {
        #[command(flatten)]
        filter: Filter,
        /// The events after this position, instead of the newest.
        #[arg(long, value_parser = clap::value_parser!(i64).range(0..))]
        after: Option<i64>,
        /// The most events.
        #[arg(long, default_value_t = 50)]
        limit: u32,
        /// One JSON object per line.
        #[arg(long)]
        json: bool,
    },
    /// Print events as they come, until Ctrl-C.
    Tail {
        #[command(flatten)]
        filter: Filter,
        /// First those after this position that are there already.
        #[arg(long, value_parser = clap::value_parser!(i64).range(0..))]
        after: Option<i64>,
        /// One JSON object per line.
        #[arg(long)]
        json: bool,
    },
    /// Show everything about one event.
    Show {
        /// Its position.
        position: i64,
        /// As one JSON object.
        #[arg(long)]
        json: bool,
    },
}

/// Which events.
#[derive(Debug, clap::Args)]
struct Filter {
    /// About this thing, such as stand:LFW/C03; several must all be there.
    #[arg(long = "tag")]
    tags: Vec<String>,
    /// Of this type, such as airport.stand_allocated; one of several.
    #[arg(long = "type", value_parser = known_type)]
    types: Vec<String>,
    /// At this site.
    #[arg(long)]
    site: Option<SiteId>,
}

impl Filter {
    fn query(&self) -> Query {
        Query { criteria: vec![Criterion { kinds: self.types.clone(), tags: self.tags.clone() }] }
    }

    fn takes(&self, event: &Recorded) -> bool {
        self.site.as_ref().is_none_or(|site| site.as_str() == event.site)
    }
}

/// Runs it.
pub(super) async fn run(args: Args, settings: Settings) -> Outcome {
    let runtime = Runtime::open(&settings).await?;
    let outcome = carry_out(args.command, &runtime.log).await;
    runtime.close().await;
    match outcome {
        // A reader such as `head` has seen enough.
        Err(error) if is_broken_pipe(error.as_ref()) => Ok(ExitCode::SUCCESS),
        other => other,
    }
}

fn is_broken_pipe(error: &(dyn std::error::Error + 'static)) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

async fn carry_out(command: Command, log: &Log) -> Outcome {
    match command {
        Command::List { filter, after, limit, json } => list(log, &filter, after, limit, Format::of(json)).await,
        Command::Tail { filter, after, json } => tail(log, &filter, after, Format::of(json)).await,
        Command::Show { position, json } => show(log, position, json).await,
    }
}

async fn list(log: &Log, filter: &Filter, after: Option<i64>, limit: u32, format: Format) -> Outcome {
    // No further back than asked for: what comes before may be archived.
    let page = limit.clamp(1, Read::PAGE);
    let mut read = after.map_or_else(Read::backwards, Read::after).limit(page);
    let (limit, mut found) = (limit as usize, Vec::new());
    while found.len() < limit {
        let events = log.read(&filter.query(), read).await?;
        let full = events.len() == page as usize;
        match (events.last(), read.direction) {
            (Some(last), Direction::Forwards) => read.after = last.position,
            (Some(last), Direction::Backwards) => read.until = last.position - 1,
            (None, _) => break,
        }
        found.extend(events.into_iter().filter(|event| filter.takes(event)));
        if !full {
            break;
        }
    }
    found.truncate(limit);
    if read.direction == Direction::Backwards {
        found.reverse();
    }
    for event in &found {
        print(event, format)?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn tail(log: &Log, filter: &Filter, after: Option<i64>, format: Format) -> Outcome {
    let after = match after {
        Some(after) => after,
        None => log.head().await?,
    };
    let mut follower = log.follow(filter.query(), after);
    loop {
        let step = tokio::select! {
            step = follower.next() => step?,
            stopped = tokio::signal::ctrl_c() => {
                stopped?;
                return Ok(ExitCode::SUCCESS);
            }
        };
        for event in step.events.iter().filter(|event| filter.takes(event)) {
            print(event, format)?;
        }
    }
}

async fn show(log: &Log, position: i64, json: bool) -> Outcome {
    let read = Read::after(position.saturating_sub(1)).until(position).limit(1);
    match log.read(&Query::all(), read).await?.first() {
        Some(event) => {
            print(event, if json { Format::Json } else { Format::Whole })?;
            Ok(ExitCode::SUCCESS)
        }
        None => Err(format!("there is no event at position {position}: the log ends at {}", log.head().await?).into()),
    }
}

/// An event type of this build: a mistyped one would look as if nothing had happened.
pub(super) fn known_type(text: &str) -> Result<String, String> {
    let names: Vec<&str> = vigie_domain::Event::types().map(|info| info.name).collect();
    if names.contains(&text) {
        return Ok(text.to_owned());
    }
    let context = text.split('.').next();
    let near: Vec<&str> = names.into_iter().filter(|name| name.split('.').next() == context).collect();
    Err(if near.is_empty() {
        "no such event type".to_owned()
    } else {
        format!("no such event type; there are {}", near.join(", "))
    })
}
