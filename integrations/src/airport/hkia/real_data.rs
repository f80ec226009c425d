//! The real schedule files: every row is accounted for.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::*;

/// The folder of real data, or a line that says why the test has nothing to do.
fn folder(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("VIGIE_SHARED_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"), PathBuf::from);
    let folder = root.join("airport").join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: real data not found ({})", folder.display());
    None
}

fn captures(folder: &Path) -> Vec<(String, Vec<Observation>, Vec<Aside>)> {
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let feed = Feed {
        site: SiteId::new("HKG").unwrap(),
        zone: Tz::Asia__Hong_Kong,
        latest: "2030-01-01T00:00:00Z".parse().unwrap(),
    };
    let read = |path: PathBuf| {
        let (mut rows, mut asides) = (Vec::new(), Vec::new());
        let end = read(File::open(&path).unwrap(), &feed, &mut |item| {
            match item {
                Item::Row(row) => rows.push(*row),
                Item::Aside(aside) => asides.push(aside),
            }
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!(Some(u64::from(end.rows)), end.declared);
        (path.file_name().unwrap().to_string_lossy().into_owned(), rows, asides)
    };
    files.into_iter().map(read).collect()
}

#[test]
fn every_row_of_the_week_is_a_flight_of_its_own() {
    let Some(folder) = folder("hkia_daily_week") else { return };
    let week = captures(&folder);
    let rows: Vec<_> = week.iter().flat_map(|(_, rows, _)| rows).collect();
    let asides: Vec<_> = week.iter().flat_map(|(_, _, asides)| asides).collect();
    assert_eq!((rows.len(), asides.len()), (8_171, 0), "{asides:?}");
    let mut by_flight: HashMap<_, u32> = HashMap::new();
    for row in &rows {
        *by_flight.entry(&row.flight).or_default() += 1;
    }
    assert_eq!(by_flight.len(), 8_171);
    let second = "HKG/HX772/2025-12-20/A/BKK/2";
    let row = rows.iter().find(|row| row.flight.as_str() == second).unwrap();
    assert_eq!(row.said.scheduled_at.to_rfc3339(), "2025-12-20T13:35:00+00:00");
}

#[test]
fn every_row_of_the_snapshots_is_read_and_keyed_alike_in_each() {
    let Some(folder) = folder("hkia_snapshots") else { return };
    let mut scheduled = HashMap::new();
    for (name, rows, asides) in captures(&folder) {
        assert!(rows.len() >= 1_100 && asides.is_empty(), "{name}: {asides:?}");
        for row in rows {
            let known = scheduled.entry(row.flight.clone()).or_insert(row.said.scheduled_at);
            assert_eq!(*known, row.said.scheduled_at, "{name}: {}", row.flight);
        }
    }
}
