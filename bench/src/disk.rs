//! What a flush costs on this disk: it decides which limit rules.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Instant;

use crate::Outcome;

const WRITES: usize = 500;
const PAGE: usize = 8_192;

/// The median time of writing 8 kB over what is there and flushing it (fdatasync), in microseconds.
pub(crate) fn fdatasync(folder: &Path) -> Outcome<u64> {
    let path = folder.join("vigie-bench-fdatasync");
    let mut file = File::create(&path)?;
    file.write_all(&vec![0; PAGE])?;
    file.sync_all()?;
    let mut times = Vec::with_capacity(WRITES);
    for n in 0..WRITES {
        let since = Instant::now();
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&[u8::try_from(n % 251)?; PAGE])?;
        file.sync_data()?;
        times.push(since.elapsed());
    }
    drop(file);
    fs::remove_file(path)?;
    times.sort_unstable();
    let median = times.get(WRITES / 2).copied().unwrap_or_default();
    Ok(u64::try_from(median.as_micros())?)
}
