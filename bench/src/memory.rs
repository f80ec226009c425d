//! How much memory this process holds.

use crate::Outcome;

/// Resident memory in MiB: now, and the most since the process started.
pub(crate) fn resident() -> Outcome<(u64, u64)> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default() / 1_024
    };
    Ok((field("VmRSS:"), field("VmHWM:")))
}
