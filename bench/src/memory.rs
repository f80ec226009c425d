//! What processes use.

use std::fs::{read_dir, read_to_string};

use crate::Outcome;

/// This process, for who asks about one.
pub(crate) const SELF: &str = "self";

/// Resident memory of this process in MiB: now, and the most since it started.
pub(crate) fn resident() -> Outcome<(u64, u64)> {
    Ok((status(SELF, "VmRSS:")? / 1_024, status(SELF, "VmHWM:")? / 1_024))
}

/// Resident memory of a process in kB of 1,024 bytes.
pub(crate) fn resident_of(process: &str) -> Outcome<u64> {
    status(process, "VmRSS:")
}

fn status(process: &str, name: &str) -> Outcome<u64> {
    let status = read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    Ok(line.split_whitespace().next().unwrap_or_default().parse()?)
}

/// Seconds of processor time that this process has had.
pub(crate) fn processor() -> Outcome<f64> {
    processor_of(SELF)
}

/// Seconds of processor time that a process has had.
pub(crate) fn processor_of(process: &str) -> Outcome<f64> {
    Ok(Times::of(process)?.own)
}

/// Seconds of processor time that the children of a process have had, those that have ended too.
pub(crate) fn processor_of_children(process: &str) -> Outcome<f64> {
    let mut sum = Times::of(process)?.ended;
    for entry in read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(other) = name.to_str().filter(|name| name.bytes().all(|byte| byte.is_ascii_digit())) else { continue };
        // It may have ended meanwhile.
        let child = Times::of(other).ok().filter(|times| times.parent == process);
        sum += child.map_or(0.0, |times| times.own + times.ended);
    }
    Ok(sum)
}

/// What `/proc` tells of a process.
struct Times {
    parent: String,
    own: f64,
    /// Of the children that have ended.
    ended: f64,
}

impl Times {
    fn of(process: &str) -> Outcome<Self> {
        let stat = read_to_string(format!("/proc/{process}/stat"))?;
        // The name, in parentheses, may hold anything.
        let after: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        // Linux tells them in hundredths of a second, whatever the clock of the kernel.
        let seconds = |places: std::ops::Range<usize>| -> Outcome<f64> {
            let ticks = after.get(places).unwrap_or_default().iter();
            Ok(ticks.map(|ticks| ticks.parse::<u64>()).sum::<Result<u64, _>>()? as f64 / 100.0)
        };
        let parent = after.get(1).copied().unwrap_or_default().to_owned();
        Ok(Self { parent, own: seconds(11..13)?, ended: seconds(13..15)? })
    }
}
