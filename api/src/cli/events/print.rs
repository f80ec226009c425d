//! Events on a terminal.

use std::io::{self, Write};

use vigie_eventlog::Recorded;

/// How an event is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// One line for people.
    Line,
    /// Everything, on several lines, for people.
    Whole,
    /// One JSON object on one line.
    Json,
}

impl Format {
    pub(super) fn of(json: bool) -> Self {
        if json { Self::Json } else { Self::Line }
    }
}

/// Prints an event to standard output.
pub(super) fn print(event: &Recorded, format: Format) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match format {
        Format::Line => line(&mut out, event)?,
        Format::Whole => whole(&mut out, event)?,
        Format::Json => writeln!(out, "{}", serde_json::to_string(&json(event)?)?)?,
    }
    out.flush()
}

fn line(out: &mut impl Write, event: &Recorded) -> io::Result<()> {
    let things: Vec<&str> = event.tags.iter().map(String::as_str).filter(|tag| !is_technical(tag)).collect();
    let at = event.recorded_at.format("%Y-%m-%d %H:%M:%S");
    writeln!(
        out,
        "{:>8}  {at}  {:<10} {:<32} {}  {}",
        event.position,
        event.site,
        event.kind,
        things.join(" "),
        event.metadata.actor
    )
}

/// Tags that only divide a boundary by time.
fn is_technical(tag: &str) -> bool {
    tag.starts_with("stand_day:") || tag.starts_with("site_day:")
}

fn whole(out: &mut impl Write, event: &Recorded) -> io::Result<()> {
    let data: serde_json::Value = serde_json::from_str(event.data.get())?;
    writeln!(
        out,
        "position     {}\nid           {}\ntype         {} (version {})",
        event.position, event.id, event.kind, event.version
    )?;
    writeln!(
        out,
        "site         {}\noccurred at  {}\nrecorded at  {}",
        event.site, event.occurred_at, event.recorded_at
    )?;
    writeln!(
        out,
        "actor        {}\ncommand      {} {}",
        event.metadata.actor, event.metadata.command, event.metadata.command_id
    )?;
    writeln!(out, "correlation  {}", event.metadata.correlation_id)?;
    if let Some(cause) = event.metadata.causation_id {
        writeln!(out, "causation    {cause}")?;
    }
    if let Some(trace) = &event.metadata.traceparent {
        writeln!(out, "trace        {trace}")?;
    }
    writeln!(out, "tags         {}", event.tags.join("\n             "))?;
    writeln!(out, "data         {}", serde_json::to_string_pretty(&data)?.replace('\n', "\n             "))
}

fn json(event: &Recorded) -> io::Result<serde_json::Value> {
    let data: serde_json::Value = serde_json::from_str(event.data.get())?;
    Ok(serde_json::json!({
        "position": event.position,
        "id": event.id,
        "type": event.kind,
        "version": event.version,
        "site": event.site,
        "tags": event.tags,
        "data": data,
        "metadata": event.metadata,
        "occurred_at": event.occurred_at,
        "recorded_at": event.recorded_at,
    }))
}
