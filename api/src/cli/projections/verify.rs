//! `vigie projections verify`.

use vigie_projections::{Difference, MODELS, State, Verified, verify, verify_sample};

use super::progress::{bar, show};
use super::{Desk, exit};
use crate::cli::Outcome;
use crate::cli::say::{say, say_text};

/// How much is compared; everything unless said otherwise.
#[derive(Debug, clap::Args)]
pub(super) struct Extent {
    /// So many random rows of each table and what they were before, computed from the events about them alone.
    #[arg(long, value_name = "N", conflicts_with = "full", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    sample: Option<u32>,
    /// Every row, computed from the whole log beside the live tables.
    #[arg(long)]
    full: bool,
}

impl Desk {
    pub(super) async fn verify(&self, names: &[String], extent: &Extent) -> Outcome {
        let every = || MODELS.iter().map(|model| model.name.to_owned()).collect();
        let names: Vec<String> = if names.is_empty() { every() } else { names.to_vec() };
        let sample = extent.sample.filter(|_| !extent.full);
        let mut all = Vec::new();
        for name in &names {
            let (pool, log) = (&self.runtime.pool, &self.runtime.log);
            let bar = bar(name, if sample.is_some() { "groups of things" } else { "events" });
            let told = show(&bar);
            let verified = match sample {
                Some(count) => verify_sample(pool, log, name, count, &told, &self.cancel).await,
                None => verify(pool, log, name, &told, &self.cancel).await,
            };
            bar.finish_and_clear();
            let verified = verified?;
            if !self.json {
                say_text!("{}", lines(&verified));
            }
            all.push(verified);
        }
        if self.json {
            say!("{}", serde_json::to_string_pretty(&all)?);
        }
        Ok(exit(all.iter().all(|verified| verified.differing_rows == 0)))
    }
}

fn lines(verified: &Verified) -> String {
    let Verified { name, position, rows, differing_rows, differences, state, error_position } = verified;
    let mut lines = if *differing_rows == 0 {
        format!("{name}: {rows} rows are what the log says at position {position}\n")
    } else {
        format!("{name}: {differing_rows} of {rows} rows are not what the log says at position {position}\n")
    };
    match (state, error_position) {
        (State::Stopped, Some(bad)) => {
            lines += &format!("  it is stopped by the event at position {bad}: nothing from there on is in its rows\n");
        }
        (State::Stopped, None) => lines += "  it is stopped\n",
        (State::Paused, _) => lines += &format!("  it is paused: nothing after position {position} is in its rows\n"),
        (State::Running, _) => {}
    }
    for Difference { table, key, field, stored, expected } in differences {
        lines += &match field {
            Some(field) => format!("  {table} {key} {field}: stored {stored}, expected {expected}\n"),
            None if stored.is_null() => format!("  {table} {key}: the row is missing\n"),
            None => format!("  {table} {key}: the row should not be there\n"),
        };
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_told_with_table_key_and_field() {
        let difference = |field: Option<&str>, stored: serde_json::Value| Difference {
            table: "alerts".into(),
            key: serde_json::json!({ "alert": "a" }),
            field: field.map(Into::into),
            stored,
            expected: "critical".into(),
        };
        let verified = Verified {
            name: "alerts".into(),
            position: 7,
            rows: 3,
            differences: vec![difference(Some("severity"), "info".into()), difference(None, serde_json::Value::Null)],
            differing_rows: 2,
            state: State::Running,
            error_position: None,
        };
        let expected = "alerts: 2 of 3 rows are not what the log says at position 7\n\
            \x20 alerts {\"alert\":\"a\"} severity: stored \"info\", expected \"critical\"\n\
            \x20 alerts {\"alert\":\"a\"}: the row is missing\n";
        assert_eq!(lines(&verified), expected);
    }

    #[test]
    fn where_it_ends_is_told_when_it_does_not_go_on() {
        let verified = |state, error_position| Verified {
            name: "alerts".into(),
            position: 7,
            rows: 3,
            differences: Vec::new(),
            differing_rows: 0,
            state,
            error_position,
        };
        let stopped = lines(&verified(State::Stopped, Some(8)));
        assert!(
            stopped.ends_with("\n  it is stopped by the event at position 8: nothing from there on is in its rows\n")
        );
        let paused = lines(&verified(State::Paused, None));
        assert!(paused.ends_with("\n  it is paused: nothing after position 7 is in its rows\n"), "{paused}");
        assert_eq!(lines(&verified(State::Running, Some(8))).lines().count(), 1, "it tries again");
    }
}
