//! Logs to look at, to carry elsewhere and to break.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::value::RawValue;
use sqlx::{AssertSqlSafe, Executor, PgPool};
use uuid::Uuid;
use vigie_eventlog::{Append, Log, Metadata, NewEvent, testing};

fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_268_800, 123_456_000).unwrap()
}

/// Appends commands 0 to `commands` with 1, 2, 3, 1, 2, 3, … events each.
pub(crate) async fn fill(log: &Log, commands: u32) {
    fill_from(log, 0, commands).await;
}

/// Appends `commands` commands from number `first` on.
pub(crate) async fn fill_from(log: &Log, first: u32, commands: u32) {
    for number in first..first + commands {
        log.append(command(number)).await.unwrap();
    }
}

fn command(number: u32) -> Append {
    let event = |n: u32| NewEvent {
        kind: "spec.happened".to_owned(),
        version: 1 + u16::try_from(n % 2).unwrap(),
        site: "LFW".to_owned(),
        tags: vec![format!("command:{number}"), format!("thing:{}", number % 2)],
        data: format!(r#"{{"n": {n}, "text": "é\n\u0001 \"quoted\"", "exact": 1.50, "number": {number}}}"#),
        occurred_at: noon() + TimeDelta::microseconds(i64::from(number)),
    };
    let id = Uuid::from_u128(0x7000_8000_0000_0000_0000 + u128::from(number));
    Append {
        events: (0..=number % 3).map(event).collect(),
        metadata: Metadata {
            command_id: id,
            command: "spec.given".to_owned(),
            correlation_id: id,
            causation_id: number.is_multiple_of(2).then(|| Uuid::from_u128(7)),
            actor: "operator:spec".to_owned(),
            traceparent: number.is_multiple_of(3).then(|| "00-1-2-01".to_owned()),
        },
        conditions: Vec::new(),
        // None, null and something.
        answer: [None, Some("null"), Some(r#"{"told": [1, 2]}"#)][number as usize % 3]
            .map(|json| RawValue::from_string(json.to_owned()).unwrap()),
    }
}

/// Breaks the log, as its owner with the triggers off.
pub(crate) async fn tamper(pool: &PgPool, sql: &str) {
    let off = ["event", "event_tag", "command"].map(|table| format!("alter table {table} disable trigger user;"));
    // And on again, so that nothing but what was done to the rows is to be found.
    let on = "do $$ declare t record; begin
        for t in select tgrelid::regclass as name, tgname from pg_trigger where tgfoid = 'refuse_change'::regproc loop
            execute format('alter table %s enable always trigger %I', t.name, t.tgname);
        end loop; end $$";
    let script = format!("{};{sql};{on}", off.concat());
    testing::owner(pool).await.execute(AssertSqlSafe(script)).await.unwrap();
}
