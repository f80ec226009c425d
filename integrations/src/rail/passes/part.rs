//! One object of the contract as the command that records it.

use chrono::{DateTime, Utc};
use vigie_domain::rail::bounds::{MAX_CARS, MAX_READINGS, TextField};
use vigie_domain::rail::{CarPart, PassHeader, PassId, PassPart, Quality, Reading, RecordPassPart, Value};
use vigie_domain::support::SiteId;

use super::CONTRACT;
use super::fields::{Fields, Wrong};
use super::node::Node;

const HEADER: [&str; 7] = ["contract", "kind", "pass", "site", "track", "passedAt", "train"];
const CAR: [&str; 4] = ["car", "camera", "vehicle", "springs"];
const SPRING: [&str; 5] = ["spring", "quantity", "unit", "value", "quality"];

/// Reads what a kind of part brings besides the header.
type ReadPart = fn(&Fields<'_>) -> Result<PassPart, Wrong>;

/// Reads a part.
pub(super) fn read(node: &Node) -> Result<RecordPassPart, Wrong> {
    let fields = Fields::of(node, "")?;
    let contract = fields.number("contract")?;
    if contract != f64::from(CONTRACT) {
        return Err(fields.wrong("contract", format!("must be {CONTRACT}, not {contract}")));
    }
    let (own, read): (&[&str], ReadPart) = match fields.text("kind")? {
        "pass" => (&[], |_| Ok(PassPart::Header)),
        "car" => (&CAR, |fields| car(fields).map(PassPart::Car)),
        "complete" => (&["cars"], |fields| Ok(PassPart::Complete { cars: fields.count("cars", 1..=MAX_CARS)? })),
        other => return Err(fields.wrong("kind", format!("must be pass, car or complete, not {other:?}"))),
    };
    fields.only(&[&HEADER, own].concat())?;
    Ok(RecordPassPart { header: header(&fields)?, part: read(&fields)? })
}

fn header(fields: &Fields<'_>) -> Result<PassHeader, Wrong> {
    let site = SiteId::new(fields.text("site")?).map_err(|error| fields.wrong("site", error))?;
    let pass = PassId::at(&site, fields.text("pass")?)
        .map_err(|_| fields.wrong("pass", "must be 1 to 64 letters, digits, dots, hyphens or underscores"))?;
    Ok(PassHeader {
        pass,
        track: fields.checked("track", TextField::Track)?,
        passed_at: time(fields.text("passedAt")?).map_err(|reason| fields.wrong("passedAt", reason))?,
        train: fields.optional("train", TextField::Train)?,
    })
}

/// RFC 3339 as narrow as the schema's pattern: capital T and Z, no leap seconds, at most nine decimals.
fn time(text: &str) -> Result<DateTime<Utc>, String> {
    let rule = || format!("must be a time with offset such as 2026-01-15T04:12:09.250+01:00, not {text:?}");
    let bytes = text.as_bytes();
    let seconds = bytes.get(17).is_some_and(|tens| *tens < b'6');
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    let shaped = seconds && separators.iter().all(|(place, byte)| bytes.get(*place) == Some(byte));
    let decimals = bytes.iter().skip(20).take_while(|byte| byte.is_ascii_digit()).count();
    let fraction = if bytes.get(19) == Some(&b'.') { (1..=9).contains(&decimals) } else { true };
    if !shaped || !fraction || text.ends_with('z') {
        return Err(rule());
    }
    DateTime::parse_from_rfc3339(text).map(|time| time.to_utc()).map_err(|_| rule())
}

fn car(fields: &Fields<'_>) -> Result<CarPart, Wrong> {
    Ok(CarPart {
        car: fields.count("car", 1..=MAX_CARS)?,
        vehicle: fields.optional("vehicle", TextField::Vehicle)?,
        camera: fields.checked("camera", TextField::Camera)?,
        readings: fields.objects("springs", MAX_READINGS)?.iter().map(reading).collect::<Result<_, _>>()?,
    })
}

fn reading(fields: &Fields<'_>) -> Result<Reading, Wrong> {
    fields.only(&SPRING)?;
    Ok(Reading {
        spring: fields.checked("spring", TextField::Spring)?,
        quantity: fields.checked("quantity", TextField::Quantity)?,
        unit: fields.checked("unit", TextField::Unit)?,
        value: Value::new(fields.number("value")?).map_err(|error| fields.wrong("value", error))?,
        quality: match fields.text("quality")? {
            "good" => Quality::Good,
            "suspect" => Quality::Suspect,
            "bad" => Quality::Bad,
            other => return Err(fields.wrong("quality", format!("must be good, suspect or bad, not {other:?}"))),
        },
    })
}
