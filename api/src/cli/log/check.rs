//! `vigie log check`.

use std::process::ExitCode;

use serde::Serialize;
use vigie_eventlog::check::{Checked, Progress, STRETCH, check};

use super::bar;
use crate::cli::Outcome;
use crate::cli::say::{say, say_text};
use crate::clock;
use crate::jobs::readable;
use crate::runtime::Runtime;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    checked: Checked,
    seconds: f64,
    events_per_second: f64,
}

pub(super) async fn run(args: &Args, runtime: &Runtime) -> Outcome {
    let head = runtime.log.head().await?;
    let bar = bar(head.unsigned_abs(), "{bar:30} {pos}/{len} events, {rate}, {eta} left {msg}");
    let progress = |progress: Progress| match progress {
        Progress::Events(position) => bar.set_position(position.unsigned_abs()),
        Progress::Tables(what) => bar.set_message(format!("({what})")),
    };
    let started_at = clock::now();
    let checked = check(&runtime.pool, STRETCH, &readable, &progress).await;
    bar.finish_and_clear();
    let seconds = (clock::now() - started_at).as_seconds_f64();
    let checked = checked?;
    let sound = checked.is_sound();
    #[expect(clippy::cast_precision_loss, reason = "a rate is shown, not counted with")]
    let events_per_second = if seconds > 0.0 { checked.events as f64 / seconds } else { 0.0 };
    let report = Report { checked, seconds, events_per_second };
    if args.json {
        say!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        say_text!("{}", told(&report));
    }
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn told(report: &Report) -> String {
    let Report { checked, seconds, events_per_second } = report;
    let Checked { head, archived, events, findings, found } = checked;
    let mut text: String = findings.iter().map(|finding| format!("{finding}\n")).collect();
    let more = found - findings.len() as u64;
    if more > 0 {
        text += &format!("and {more} more\n");
    }
    if *archived > 0 {
        text += &format!("{archived} events are archived and were not looked at\n");
    }
    let verdict = match found {
        0 => "the log is sound".to_owned(),
        1 => "1 finding".to_owned(),
        found => format!("{found} findings"),
    };
    text + &format!(
        "{verdict}: {events} events up to position {head} in {seconds:.1} s, {events_per_second:.0} events/s\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use vigie_eventlog::check::Finding;

    #[test]
    fn findings_come_with_their_place_and_their_number() {
        let finding = Finding { position: Some(7), problem: "there is no event".to_owned() };
        let checked = Checked { head: 9, archived: 2, events: 6, findings: vec![finding], found: 3 };
        let expected = "position 7: there is no event\nand 2 more\n\
            2 events are archived and were not looked at\n\
            3 findings: 6 events up to position 9 in 2.0 s, 3 events/s\n";
        assert_eq!(told(&Report { checked, seconds: 2.0, events_per_second: 3.0 }), expected);
    }
}
