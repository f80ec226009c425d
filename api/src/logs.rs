//! Log lines: on standard error, for people or as JSON.

use tracing_subscriber::EnvFilter;

use crate::settings::{LogFormat, Settings};

/// Starts writing log lines. A second call changes nothing.
pub fn start(settings: &Settings) {
    let filter = EnvFilter::new(&settings.log);
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // Fails only when lines are written already.
    let _ = match settings.log_format {
        LogFormat::Human => lines.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).try_init(),
    };
}
