//! What this process uses.

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

/// Seconds of processor time that this process has had.
pub(crate) fn processor() -> Outcome<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The name, in parentheses, may hold anything; user and system time are the 12th and 13th field after it.
    let after = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after.split_whitespace().skip(11).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
    // Linux tells them in hundredths of a second, whatever the clock of the kernel.
    Ok(ticks as f64 / 100.0)
}
