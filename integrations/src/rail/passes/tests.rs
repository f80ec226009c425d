use std::io::{self, BufReader, Read};

use vigie_domain::rail::{PassPart, Quality};

use super::*;

const HEADER: &str =
    r#""contract":1,"pass":"p-1","site":"SANGATTE","track":"1","passedAt":"2026-01-15T04:12:09.250+01:00""#;

fn mark(cars: u16) -> String {
    format!(r#"{{{HEADER},"kind":"complete","cars":{cars}}}"#)
}

fn car(springs: &str) -> String {
    format!(r#"{{{HEADER},"kind":"car","car":3,"camera":"cam-1","springs":[{springs}]}}"#)
}

fn lines(text: &[u8]) -> Vec<Result<PassLine, SetAside>> {
    // A small buffer, so that lines are longer than it.
    read(BufReader::with_capacity(16, text)).collect::<io::Result<_>>().unwrap()
}

/// Line, pointer and reason of the only line set aside.
#[track_caller]
fn aside(text: &str) -> (String, String) {
    match &lines(text.as_bytes())[..] {
        [Err(SetAside { pointer, reason, .. })] => (pointer.clone(), reason.clone()),
        other => panic!("one line set aside, not {other:?}"),
    }
}

#[track_caller]
fn expect(text: &str, pointer: &str, reason: &str) {
    let (found_pointer, found_reason) = aside(text);
    assert_eq!((found_pointer.as_str(), found_reason.as_str()), (pointer, reason), "{text}");
}

#[test]
fn a_car_is_read_with_its_springs() {
    let springs = r#"{"spring":"L1","quantity":"height","unit":"mm","value":214,"quality":"suspect"}"#;
    let [Ok(PassLine { line: 1, command })] = &lines(car(springs).as_bytes())[..] else { panic!("one part") };
    assert_eq!(command.header.pass.as_str(), "SANGATTE/p-1");
    assert_eq!(command.header.passed_at.to_rfc3339(), "2026-01-15T03:12:09.250+00:00");
    assert_eq!(command.header.train, None);
    let PassPart::Car(car) = &command.part else { panic!("a car") };
    assert_eq!((car.car, car.camera.as_str(), car.vehicle.as_deref()), (3, "cam-1", None));
    assert_eq!((car.readings[0].value.get(), car.readings[0].quality), (214.0, Quality::Suspect));
}

#[test]
fn blank_lines_a_byte_order_mark_and_carriage_returns_do_no_harm() {
    let text = format!("\u{feff}{}\r\n\r\n  \n{}\r\n{}", mark(1), mark(0), mark(3));
    let found: Vec<_> =
        lines(text.as_bytes()).into_iter().map(|line| line.map(|part| part.line).map_err(|a| a.line)).collect();
    assert_eq!(found, [Ok(1), Err(4), Ok(5)]);
    assert_eq!(lines(b""), []);
    assert_eq!(lines(b"\n\n"), []);
}

#[test]
fn a_line_that_is_too_long_is_set_aside_and_the_next_is_read() {
    let text = format!("{}\n{}\n", "x".repeat(MAX_LINE + 1), mark(1));
    let found = lines(text.as_bytes());
    let expected = SetAside { line: 1, pointer: String::new(), reason: "the line is longer than 1048576 bytes".into() };
    assert_eq!(found[0], Err(expected));
    assert_eq!(found[1].as_ref().map(|part| part.line), Ok(2));
    let longest = format!("{}{}", mark(1), " ".repeat(MAX_LINE - mark(1).len()));
    assert!(lines(longest.as_bytes())[0].is_ok());
}

/// An endless line.
struct Endless(usize);

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        buffer.fill(b'x');
        self.0 += buffer.len();
        if self.0 > 64 << 20 { Err(io::Error::other("the cable was pulled")) } else { Ok(buffer.len()) }
    }
}

#[test]
fn memory_stays_flat_and_a_reader_that_fails_ends_the_lines() {
    let mut lines = read(BufReader::new(Endless(0)));
    assert_eq!(lines.next().unwrap().unwrap_err().to_string(), "the cable was pulled");
    assert!(lines.next().is_none());
    assert!(lines.held() <= 2 * MAX_LINE, "{} bytes are held", lines.held());
}

#[test]
fn what_is_not_json_is_set_aside() {
    expect("{", "", "this is not JSON: EOF while parsing an object at column 1");
    expect("\u{1}", "", "this is not JSON: expected value at column 1");
    assert!(lines(b"\xff\n")[0].is_err());
    let (_, reason) = aside(&format!("{} {}", mark(1), mark(2)));
    assert!(reason.contains("trailing characters"), "{reason}");
    let (_, reason) = aside(&"[".repeat(1000));
    assert!(reason.contains("recursion limit"), "{reason}");
}

#[test]
fn errors_name_the_field_and_what_is_wrong() {
    expect("[]", "", "must be an object, not a list");
    expect("{}", "/contract", "missing");
    expect(r#"{"contract":2}"#, "/contract", "must be 1, not 2");
    expect(r#"{"contract":1,"kind":"train"}"#, "/kind", "must be pass, car or complete, not \"train\"");
    expect(&mark(1).replace("p-1", "p 1"), "/pass", "must be 1 to 64 letters, digits, dots, hyphens or underscores");
    let number = "must be a whole number from 1 to 200, not ";
    expect(&mark(201), "/cars", &format!("{number}201"));
    expect(&mark(1).replace(r#""cars":1"#, r#""cars":1.5"#), "/cars", &format!("{number}1.5"));
    expect(&mark(1).replace(r#""cars":1"#, r#""cars":"1""#), "/cars", "must be a number, not a text");
    let reading =
        |value: &str| format!(r#"{{"spring":"L1","quantity":"h","unit":"mm","value":{value},"quality":"good"}}"#);
    expect(&car(&format!("{},{}", reading("1"), reading("null"))), "/springs/1/value", "must be a number, not null");
    expect(
        &car(&reading("1").replace("L1", "L 1")),
        "/springs/0/spring",
        "the spring is 1 to 32 letters, digits, dots, hyphens or underscores, not \"L 1\"",
    );
}

#[test]
fn unknown_and_repeated_fields_are_refused() {
    let extra = mark(1).replace(r#""cars":1"#, r#""cars":1,"a/b~":2"#);
    let (pointer, reason) = aside(&extra);
    assert_eq!(pointer, "/a~1b~0");
    assert!(reason.ends_with("these are: contract, kind, pass, site, track, passedAt, train, cars"), "{reason}");
    expect(&mark(1).replace(r#""cars":1"#, r#""cars":1,"cars":1"#), "/cars", "comes twice");
    let springs = r#"{"spring":"L1","quantity":"h","unit":"mm","value":1,"value":2,"quality":"good"}"#;
    expect(&car(springs), "/springs/0/value", "comes twice");
}

#[test]
fn times_carry_an_offset_and_exist() {
    let at = |time: &str| mark(1).replace("2026-01-15T04:12:09.250+01:00", time);
    for time in ["2026-01-15T04:12:09Z", "2024-02-29T23:59:59.123456789-05:30"] {
        assert!(lines(at(time).as_bytes())[0].is_ok(), "{time}");
    }
    for time in [
        "",
        "2026-01-15T04:12:09",
        "2026-01-15 04:12:09Z",
        "2026-01-15t04:12:09Z",
        "2026-01-15T04:12:09z",
        "2026-01-15T04:12:60Z",
        "2026-02-29T04:12:09Z",
        "2026-01-15T04:12:09.Z",
        "2026-01-15T04:12:09.1234567890Z",
        "2026-01-15T04:12:09+0100",
        "2026-01-15T04:12:09+24:00",
    ] {
        assert_eq!(aside(&at(time)).0, "/passedAt", "{time}");
    }
}

#[test]
fn a_line_set_aside_reads_well() {
    let aside = SetAside { line: 7, pointer: "/cars".into(), reason: "missing".into() };
    assert_eq!(aside.to_string(), "line 7, /cars: missing");
    assert_eq!(SetAside { pointer: String::new(), ..aside }.to_string(), "line 7: missing");
}
