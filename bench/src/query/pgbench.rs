//! pgbench, with the statements of a request as its transaction.

use std::fs;
use std::io::{BufRead, BufReader};

use super::Way;
use crate::Outcome;
use crate::closed_loop::{Measured, Timing, histogram};
use crate::database::{Database, Server};

/// Sends the statements again and again from so many connections, each statement prepared once.
pub(super) async fn run(
    server: &Server,
    database: &Database,
    statements: &[String],
    way: Way,
    timing: Timing,
) -> Outcome<Measured> {
    let folder = tempfile::tempdir()?;
    let script = folder.path().join("request.sql");
    fs::write(&script, statements.iter().map(|statement| format!("{statement};\n")).collect::<String>())?;
    let options = &database.options;
    let mut command = tokio::process::Command::new(server.program("pgbench")?);
    command.args(["-n", "-M", "prepared", "-l", "--log-prefix=each", "-j"]);
    command.arg(way.connections().min(2).to_string());
    if let Way::Paced { connections, every } = way {
        // Latency then counts from when a transaction was due.
        command.arg("-R").arg((connections as f64 / every).to_string());
    }
    command.arg("-c").arg(way.connections().to_string()).arg("-T").arg(timing.seconds.ceil().to_string());
    command.arg("-f").arg(&script).arg("-U").arg(options.get_username()).arg("-p").arg(options.get_port().to_string());
    let socket = options.get_socket().map_or_else(|| options.get_host().into(), |socket| socket.as_os_str().to_owned());
    command.arg("-h").arg(socket).arg(options.get_database().unwrap_or_default());
    let output = command.current_dir(folder.path()).output().await?;
    if !output.status.success() {
        return Err(format!("pgbench failed: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let mut latencies = histogram();
    for file in fs::read_dir(folder.path())? {
        let file = file?;
        if file.file_name().to_string_lossy().starts_with("each") {
            // client, transaction, microseconds, …
            for line in BufReader::new(fs::File::open(file.path())?).lines() {
                latencies.saturating_record(line?.split(' ').nth(2).unwrap_or_default().parse()?);
            }
        }
    }
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let rate = said.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
    Ok(Measured::of(rate.ok_or("pgbench says no rate")?, &latencies))
}
