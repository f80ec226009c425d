//! The commands that events come from, against the table of commands.

use std::collections::HashMap;

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Checked, Part};
use crate::Recorded;

/// How many commands are looked up together.
const TOGETHER: usize = 10_000;

/// Events that follow each other and come from one command.
struct Run {
    id: Uuid,
    name: String,
    first: i64,
    last: i64,
    /// What is looked at around it: a command may go on beyond, in archived ranges.
    part: Part,
}

/// The runs of the log: each must be a row of `command`, and only one.
#[derive(Default)]
pub(super) struct Runs {
    part: Part,
    open: Option<Run>,
    waiting: Vec<Run>,
    count: i64,
}

/// A row of `command`.
struct Row {
    id: Uuid,
    name: String,
    first_position: i64,
    last_position: i64,
}

impl Runs {
    /// Goes on in another part.
    pub(super) fn enter(&mut self, part: Part) {
        self.part = part;
        self.waiting.extend(self.open.take());
    }

    /// How many of them are what the table of commands says.
    pub(super) fn count(&self) -> i64 {
        self.count
    }

    pub(super) fn take(&mut self, event: &Recorded, checked: &mut Checked) {
        let metadata = &event.metadata;
        if let Some(run) = self.open.as_mut().filter(|run| run.id == metadata.command_id) {
            if run.name != metadata.command {
                let (here, before) = (&metadata.command, &run.name);
                checked.find(event.position, format!("command {} is {here} here and {before} before", run.id));
            }
            run.last = event.position;
            return;
        }
        let (id, name, at) = (metadata.command_id, metadata.command.clone(), event.position);
        let run = Run { id, name, first: at, last: at, part: self.part };
        self.waiting.extend(self.open.replace(run));
    }

    /// Looks the runs that have ended up.
    pub(super) async fn compare(
        &mut self,
        snapshot: &mut PgConnection,
        checked: &mut Checked,
    ) -> Result<(), sqlx::Error> {
        let ended = std::mem::take(&mut self.waiting);
        for some in ended.chunks(TOGETHER) {
            self.look_up(some, snapshot, checked).await?;
        }
        Ok(())
    }

    /// Looks the last one up, too.
    pub(super) async fn finish(
        &mut self,
        snapshot: &mut PgConnection,
        checked: &mut Checked,
    ) -> Result<(), sqlx::Error> {
        self.waiting.extend(self.open.take());
        self.compare(snapshot, checked).await
    }

    async fn look_up(
        &mut self,
        runs: &[Run],
        snapshot: &mut PgConnection,
        checked: &mut Checked,
    ) -> Result<(), sqlx::Error> {
        let ids: Vec<Uuid> = runs.iter().map(|run| run.id).collect();
        let found = sqlx::query_as!(
            Row,
            "select id, name, first_position, last_position from command where id = any($1)",
            &ids
        );
        let found = found.fetch_all(snapshot).await?;
        let rows: HashMap<Uuid, &Row> = found.iter().map(|row| (row.id, row)).collect();
        for run in runs {
            match rows.get(&run.id) {
                None => checked.find(run.first, format!("its command {} is not in the table of commands", run.id)),
                Some(row) => self.judge(run, row, checked),
            }
        }
        Ok(())
    }

    fn judge(&mut self, run: &Run, row: &Row, checked: &mut Checked) {
        let Run { id, name, first, last, part: (after, until) } = run;
        if *name != row.name {
            let known = &row.name;
            checked
                .find(*first, format!("its command {id} is {name} in the event and {known} in the table of commands"));
        }
        if (row.first_position.max(after + 1), row.last_position.min(*until)) != (*first, *last) {
            let (says, to) = (row.first_position, row.last_position);
            let problem = format!(
                "the events of its command {id} are at {first} to {last}, and the table of commands says {says} to {to}"
            );
            checked.find(*first, problem);
            return;
        }
        // One that goes on in another part is counted there.
        if row.last_position <= *until {
            self.count += 1;
        }
    }
}
