//! Log lines: on standard error, for people or as JSON.

use tracing_subscriber::EnvFilter;

use crate::settings::{LogFormat, Settings};

/// Starts writing log lines. A second call changes nothing.
pub fn start(settings: &Settings) {
    let filter = EnvFilter::new(&settings.log);
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A line that cannot be written, since the terminal has gone, would be complained about where it could not be
    // written: that panics, in the middle of whatever was being told.
    let lines = lines.log_internal_errors(false);
    // Fails only when lines are written already.
    let _ = match settings.log_format {
        LogFormat::Human => lines.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).try_init(),
    };
}
