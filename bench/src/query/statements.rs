//! The statements that the server sends for a request, as the private Postgres logs them.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use sqlx::Executor;

use super::client::Client;
use crate::Outcome;
use crate::database::{Database, Server};

/// What the transaction of a request begins with; nobody else begins so.
const BEGINS: &str = "begin isolation level repeatable read read only";
/// How often the log is looked at, while it is written.
const LOOK: Duration = Duration::from_millis(50);

/// The statements of one request in their order, with their arguments in place.
pub(super) async fn sent(
    server: &Server,
    database: &Database,
    address: SocketAddr,
    body: &str,
) -> Outcome<Vec<String>> {
    let log = server.log().ok_or("what is sent is read from the log of the private server: give no --database-url")?;
    let mut client = Client::connect(address).await?;
    client.ask(body).await?;
    set(database, "0").await?;
    let from = std::fs::metadata(&log)?.len();
    let mut found = Vec::new();
    for _ in 0..100 {
        // The server takes its new settings when it comes to it.
        client.ask(body).await?;
        tokio::time::sleep(LOOK).await;
        found = transaction(&log, from)?;
        if !found.is_empty() {
            break;
        }
    }
    set(database, "-1").await?;
    if found.is_empty() { Err("the log does not show the statements of a request".into()) } else { Ok(found) }
}

/// All statements are logged, or none.
async fn set(database: &Database, least: &'static str) -> Outcome<()> {
    let mut connection = database.pool.acquire().await?;
    let all = format!("alter system set log_min_duration_statement = {least}");
    connection.execute(sqlx::AssertSqlSafe(all)).await?;
    connection.execute("select pg_reload_conf()").await?;
    Ok(())
}

/// The first whole transaction of a request that was logged after `from` bytes.
fn transaction(log: &Path, from: u64) -> Outcome<Vec<String>> {
    let text = std::fs::read(log)?;
    let text = String::from_utf8_lossy(text.get(usize::try_from(from)?..).unwrap_or_default()).into_owned();
    let mut open: HashMap<&str, Vec<String>> = HashMap::new();
    let entries = entries(&text);
    for (first, more) in &entries {
        let Some((process, said)) = process(first) else { continue };
        if let Some(arguments) = said.strip_prefix("DETAIL:  parameters: ") {
            if let Some(last) = open.get_mut(process).and_then(|statements| statements.last_mut()) {
                *last = in_place(last, &arguments_of(&(arguments.to_owned() + more)));
            }
            continue;
        }
        let Some(statement) = statement(said) else { continue };
        let statement = format!("{statement}{more}");
        if statement.starts_with(BEGINS) {
            open.insert(process, vec![statement]);
        } else if let Some(statements) = open.get_mut(process) {
            let ended = statement.eq_ignore_ascii_case("rollback") || statement.eq_ignore_ascii_case("commit");
            statements.push(statement);
            if ended {
                return Ok(open.remove(process).unwrap_or_default());
            }
        }
    }
    Ok(Vec::new())
}

/// Entries of the log: their first line, and what follows on lines that begin with a tab.
fn entries(text: &str) -> Vec<(String, String)> {
    let mut entries: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix('\t'), entries.last_mut()) {
            (Some(more), Some((_, rest))) => *rest += &format!("\n{more}"),
            _ => entries.push((line.to_owned(), String::new())),
        }
    }
    entries
}

/// The process in `… [123] LOG:  …`, and what it says.
fn process(line: &str) -> Option<(&str, &str)> {
    let (_, rest) = line.split_once('[')?;
    rest.split_once("] ")
}

/// What was executed, in `LOG:  duration: 0.1 ms  execute name: …`.
fn statement(said: &str) -> Option<&str> {
    let (_, what) = said.strip_prefix("LOG:  duration: ")?.split_once(" ms  ")?;
    if let Some(statement) = what.strip_prefix("statement: ") {
        return Some(statement);
    }
    what.strip_prefix("execute ")?.split_once(": ").map(|(_, statement)| statement)
}

/// The literals of `$1 = '…', $2 = NULL`.
fn arguments_of(text: &str) -> Vec<String> {
    let mut literals = Vec::new();
    let mut rest = text;
    while let Some((_, value)) = rest.split_once(" = ") {
        let length = if value.starts_with('\'') { quoted(value) } else { value.find(',').unwrap_or(value.len()) };
        literals.push(value[..length].to_owned());
        rest = &value[length..];
    }
    literals
}

/// How long the literal is that the text begins with; a quote within is doubled.
fn quoted(text: &str) -> usize {
    let mut inside = false;
    for (place, byte) in text.bytes().enumerate() {
        if byte == b'\'' {
            inside = !inside;
        } else if !inside {
            return place;
        }
    }
    text.len()
}

/// A colon would be a variable to pgbench, so literals are written without.
fn in_place(statement: &str, literals: &[String]) -> String {
    let place = |statement: String, (place, literal): (usize, &String)| {
        let escaped = match literal.starts_with('\'') {
            true => format!(" E{}", literal.replace('\\', "\\\\").replace(':', "\\x3A")),
            false => literal.clone(),
        };
        statement.replace(&format!("${}", place + 1), &escaped)
    };
    // From the last: $1 also begins $10.
    literals.iter().enumerate().rev().fold(statement.to_owned(), place)
}
