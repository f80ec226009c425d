//! Train passes from a camera system: a JSON object per line.

use std::io::{self, BufReader};

use vigie_commands::{Executor, Failure, Order};
use vigie_domain::kernel::Refused;
use vigie_integrations::rail::passes::{self, PassLine};

use super::{Fault, ImportError, Input, Outcome, SetAside, Sink, Source, Tally, Was, Work, side_by_side};

/// Who gives the commands.
pub const ACTOR: &str = "feed:passes";
/// Its name, as `vigie import` is told it.
pub const FEED: &str = "passes";

/// Files of train passes.
#[derive(Debug)]
pub struct Passes;

/// A line as it came, and what it says.
pub struct Line {
    text: String,
    says: Result<PassLine, passes::SetAside>,
}

impl Source for Passes {
    type Item = Line;

    fn feed(&self) -> &'static str {
        FEED
    }

    fn reader(&self, input: Input) -> impl FnOnce(&mut Sink<'_, Line>) -> io::Result<()> + Send + 'static {
        move |each| {
            let mut lines = passes::read(BufReader::with_capacity(64 * 1024, input.open()?));
            while let Some(says) = lines.next() {
                let says = says?;
                let text = lines.text().into_owned();
                let size = text.len();
                if each(Line { text, says }, size).is_break() {
                    break;
                }
            }
            Ok(())
        }
    }

    async fn carry_out(
        &self,
        file: &str,
        items: Vec<Line>,
        work: &mut Work<'_>,
        tally: &mut Tally,
    ) -> Result<(), ImportError> {
        let aside = |line, pointer, reason, row| {
            let (file, place) = (file.to_owned(), Some(line));
            SetAside { file, place, pointer, reason, row }
        };
        let mut lines = Vec::with_capacity(items.len());
        for Line { text, says } in items {
            match says {
                Ok(line) => lines.push((text, line)),
                Err(wrong) => work.set_aside(tally, aside(wrong.line, wrong.pointer, wrong.reason, text))?,
            }
        }
        let (executor, orders) = (work.executor.clone(), work.orders(ACTOR, lines.len()));
        let carried_out = |index: usize| record(&executor, orders[index].clone(), &lines[index].1);
        let outcomes = side_by_side(&lines, |(_, line)| line.command.header.pass.clone(), carried_out).await;
        let mut fault = None;
        for ((text, line), outcome) in lines.into_iter().zip(outcomes) {
            match outcome {
                Ok(Outcome::Taken(was, events)) => {
                    tally.take(was, events);
                    work.letters.took(&text);
                }
                Ok(Outcome::Refused { code, reason }) => {
                    let reason = format!("{code}: {reason}");
                    work.set_aside(tally, aside(line.line, String::new(), reason, text))?;
                }
                Err(source) => {
                    fault.get_or_insert(ImportError::Fault { file: file.to_owned(), place: line.line, source });
                }
            }
        }
        fault.map_or(Ok(()), Err)
    }
}

async fn record(executor: &Executor, order: Order, line: &PassLine) -> Result<Outcome, Fault> {
    match executor.execute(&line.command, order).await {
        Ok(done) => {
            let was = if done.answer.known { Was::Unchanged } else { Was::New };
            Ok(Outcome::Taken(was, done.appended))
        }
        Err(Failure::Refused(refusal)) => Ok(Outcome::Refused { code: refusal.code(), reason: refusal.to_string() }),
        Err(failure) => Err(Box::new(failure)),
    }
}
