use std::io::Cursor;

use serde_json::json;

use super::*;

fn feed() -> Feed {
    Feed {
        site: SiteId::new("HKG").unwrap(),
        zone: Tz::Asia__Hong_Kong,
        latest: "2026-02-01T00:00:00Z".parse().unwrap(),
    }
}

fn items(text: &str) -> (Vec<Observation>, Vec<Aside>, End) {
    let (mut rows, mut asides) = (Vec::new(), Vec::new());
    let end = read(Cursor::new(text.as_bytes()), &feed(), &mut |item| {
        match item {
            Item::Row(row) => rows.push(*row),
            Item::Aside(aside) => asides.push(aside),
        }
        ControlFlow::Continue(())
    })
    .unwrap();
    (rows, asides, end)
}

fn row(no: &str, time: &str) -> Value {
    json!({"date":"2025-12-20","time":time,"flight":[{"no":no,"airline":"CRK"}],"origin_dest":["BKK"],"status":"",
        "gate_baggage":"","terminal":"","isArrival":true,"isCargo":false,"_raw":{"aisle":"","hall":""}})
}

fn capture(rows: &[Value]) -> Value {
    json!({"date":"2025-12-20","generatedAt":"2026-01-15T09:58:53.489Z","totalFlights":rows.len(),"flights":rows})
}

fn ids(rows: &[Observation]) -> Vec<&str> {
    rows.iter().map(|row| row.flight.as_str()).collect()
}

#[test]
fn legs_that_share_a_key_are_counted_by_schedule_not_by_place() {
    let (rows, asides, _) =
        items(&capture(&[row("HX 772", "21:35"), row("HX 1", "10:00"), row("HX 772", "03:05")]).to_string());
    assert_eq!(ids(&rows), ["HKG/HX772/2025-12-20/A/BKK/2", "HKG/HX1/2025-12-20/A/BKK", "HKG/HX772/2025-12-20/A/BKK"]);
    assert!(asides.is_empty());
}

#[test]
fn the_same_leg_twice_is_taken_once() {
    let twice = [row("HX 772", "21:35"), row("HX 772", "21:35"), row("HX 772", "03:05")];
    let (rows, asides, end) = items(&capture(&twice).to_string());
    assert_eq!(ids(&rows), ["HKG/HX772/2025-12-20/A/BKK/2", "HKG/HX772/2025-12-20/A/BKK"]);
    assert_eq!((asides[0].row, asides[0].problem.pointer.as_str()), (Some(2), "/flights/1"));
    assert_eq!(end.rows, 3);
}

#[test]
fn a_bad_row_is_set_aside_with_its_place_and_stops_nothing() {
    let bad = row("HX 2", "25:00");
    let (rows, asides, _) = items(&capture(&[row("HX 1", "10:00"), bad.clone(), row("HX 3", "10:00")]).to_string());
    assert_eq!(ids(&rows), ["HKG/HX1/2025-12-20/A/BKK", "HKG/HX3/2025-12-20/A/BKK"]);
    assert_eq!((asides[0].row, asides[0].problem.pointer.as_str()), (Some(2), "/flights/1/time"));
    assert_eq!(serde_json::from_str::<Value>(&asides[0].raw).unwrap(), bad);
}

#[test]
fn a_truncated_file_keeps_what_was_read() {
    let text = capture(&[row("HX 1", "10:00"), row("HX 2", "11:00"), row("HX 3", "12:00")]).to_string();
    // The clock comes behind the rows when keys are in order, so a cut needs it in front.
    let text = text.replacen("\"flights\"", "\"generatedAt\":\"2026-01-15T09:58:53.489Z\",\"flights\"", 1);
    let cut = &text[..text.find("HX 3").unwrap()];
    let (rows, asides, end) = items(cut);
    assert_eq!(ids(&rows), ["HKG/HX1/2025-12-20/A/BKK", "HKG/HX2/2025-12-20/A/BKK"]);
    assert_eq!(asides.len(), 1);
    assert_eq!((asides[0].row, end.rows), (Some(3), 3));
    assert!(asides[0].problem.reason.contains("line 1 column"), "{}", asides[0].problem.reason);
}

#[test]
fn what_is_no_capture_is_set_aside_as_a_whole() {
    for text in ["", "<html>", "[]", "17", "{}", "{\"flights\":3}"] {
        let (rows, asides, end) = items(text);
        assert!(rows.is_empty());
        assert_eq!((asides.len(), asides[0].row, end.rows), (1, None, 0), "{text}");
    }
}

#[test]
fn the_source_s_clock_may_stand_behind_the_rows() {
    let text = format!("{{\"flights\":[{}],\"generatedAt\":\"2026-01-15T12:18:57.5521239Z\"}}", row("HX 1", "10:00"));
    let (rows, _, _) = items(&text);
    assert_eq!(rows[0].observed_at.to_rfc3339(), "2026-01-15T12:18:57.552123+00:00");
}

#[test]
fn without_a_clock_or_with_one_from_the_future_no_row_is_taken() {
    for clock in ["", "\"generatedAt\":\"soon\",", "\"generatedAt\":12,", "\"generatedAt\":\"2999-01-01T00:00:00Z\","] {
        let (rows, asides, _) = items(&format!("{{{clock}\"flights\":[{}]}}", row("HX 1", "10:00")));
        assert!(rows.is_empty());
        assert_eq!((asides[0].row, asides[0].problem.pointer.as_str()), (Some(1), "/generatedAt"), "{clock}");
    }
}

#[test]
fn a_row_without_end_is_not_held_in_memory() {
    let endless = format!(
        "{{\"generatedAt\":\"2026-01-15T12:00:00Z\",\"flights\":[{},\"{}",
        row("HX 1", "10:00"),
        "x".repeat(1 << 20)
    );
    let (rows, asides, _) = items(&endless);
    assert_eq!((rows.len(), asides[0].row), (1, Some(2)));
    assert!(asides[0].problem.reason.contains("longer than"), "{}", asides[0].problem.reason);
}

#[test]
fn reading_ends_when_the_caller_has_had_enough() {
    let text = capture(&[row("HX 1", "10:00"), row("HX 2", "11:00")]).to_string();
    let mut seen = 0;
    let mut each = |_| {
        seen += 1;
        ControlFlow::Break(())
    };
    read(Cursor::new(text.as_bytes()), &feed(), &mut each).unwrap();
    assert_eq!(seen, 1);
}
