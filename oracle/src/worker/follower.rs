//! Followers: they write down each event that they see.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use vigie_eventlog::{Log, Query};

use crate::Fault;
use crate::dice::Dice;
use crate::ledger::{Ledger, Sight, read, trace};
use crate::plan::Crit;

/// How long a follower may take to the end of a log that has come to rest.
const PATIENCE: Duration = Duration::from_secs(20);

/// Up to where to follow, once that is known.
#[derive(Clone)]
pub(crate) struct Follows(Arc<watch::Sender<Option<i64>>>);

impl Default for Follows {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }
}

impl Follows {
    /// The log ends here.
    pub(crate) fn set(&self, head: i64) {
        self.0.send_replace(Some(head));
    }
}

/// Follows from where the file ends, and writes what it sees; the whole log, or what matches a criterion.
pub(crate) async fn follow(
    log: Log,
    file: PathBuf,
    generation: u32,
    filtered: bool,
    mut dice: Dice,
    until: Follows,
) -> Result<(), Fault> {
    let after = reached(&file)?;
    let criterion = filtered.then(|| Crit::roll(&mut dice));
    let query = criterion.as_ref().map_or_else(Query::all, |c| Query { criteria: vec![c.criterion()] });
    let mut ledger = Ledger::open(&file)?;
    ledger.write(&Sight::Started { generation, criterion, after })?;
    let mut follower = log.follow(query, after);
    let mut end = until.0.subscribe();
    loop {
        let head = *end.borrow_and_update();
        if head.is_some_and(|head| follower.position() >= head) {
            return Ok(());
        }
        let step = tokio::select! {
            step = follower.next() => step?,
            _ = end.changed(), if head.is_none() => continue,
            () = tokio::time::sleep(PATIENCE), if head.is_some() => {
                return Err(format!("a follower stays at {}: {}", follower.position(), file.display()).into());
            }
        };
        let seen = step.events.iter().map(|event| (event.position, trace(event.id))).collect();
        ledger.write(&Sight::Step { to: step.position, seen })?;
    }
}

/// Where the file's last process had come to.
fn reached(file: &std::path::Path) -> Result<i64, Fault> {
    let mut after = 0;
    for line in read(file, |line| matches!(line, Sight::Started { .. }))? {
        match line {
            Sight::Started { after: at, .. } => after = at,
            Sight::Step { to, .. } => after = to,
        }
    }
    Ok(after)
}
