//! Ids of the airport: stands, flight legs, allocations.

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::kernel::{IdError, Tag, text_id};
use crate::support::SiteId;

text_id!(
    /// An aircraft stand: its site and its name there, such as `LFW/C03`.
    StandId,
    "stand id",
    "a site id, a slash and 1 to 10 capital letters, digits or hyphens, such as LFW/C03",
    |text| text.split_once('/').is_some_and(|(site, name)| {
        SiteId::new(site).is_ok()
            && (1..=10).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-')
    })
);

text_id!(
    /// A flight leg: site, flight number, scheduled date, direction, airport and, if several share all of
    /// these, a count from 2 on: `LFW/AF860/2026-01-15/A/CDG`, `HKG/HX772/2025-12-20/A/BKK/2`. See [`Leg`].
    FlightId,
    "flight id",
    "site/number/date/A or D/airport, such as LFW/AF860/2026-01-15/A/CDG",
    |text| Leg::parse(text).is_some()
);

text_id!(
    /// An airline by its IATA or ICAO designator, such as `AF`, `9C` or `AFR`.
    Carrier,
    "carrier",
    "2 or 3 capital letters or digits, such as AF or AFR",
    |text| (2..=3).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
);

text_id!(
    /// An airport by its IATA or ICAO code, such as `CDG` or `LFPG`.
    AirportCode,
    "airport code",
    "3 or 4 capital letters or digits, such as CDG or LFPG",
    |text| (3..=4).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
);

/// Towards the site or away from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Comes to the site.
    Arrival,
    /// Leaves the site.
    Departure,
}

/// What tells one flight leg from another.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Leg {
    /// The airport that watches it.
    pub site: SiteId,
    /// The operating airline.
    pub carrier: Carrier,
    /// 1 to 4 digits and perhaps a letter, such as `860` or `860D`.
    pub number: String,
    /// The scheduled date at the site, in the site's zone.
    pub date: NaiveDate,
    /// Arrival or departure.
    pub direction: Direction,
    /// Where it comes from or goes to.
    pub airport: AirportCode,
    /// 1, or the place in order of schedule among legs that share all of the above.
    pub ordinal: u8,
}

impl Leg {
    /// The id of the leg.
    ///
    /// # Errors
    /// The number is not 1 to 4 digits with at most one letter behind.
    pub fn id(&self) -> Result<FlightId, IdError> {
        let direction = match self.direction {
            Direction::Arrival => 'A',
            Direction::Departure => 'D',
        };
        let (site, carrier, number, date, airport) =
            (&self.site, &self.carrier, &self.number, self.date, &self.airport);
        let base = format!("{site}/{carrier}{number}/{date}/{direction}/{airport}");
        FlightId::new(&if self.ordinal <= 1 { base } else { format!("{base}/{}", self.ordinal) })
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let site = SiteId::new(parts.next()?).ok()?;
        let designator = parts.next()?;
        let date_text = parts.next()?;
        let date: NaiveDate = date_text.parse().ok()?;
        let direction = match parts.next()? {
            "A" => Direction::Arrival,
            "D" => Direction::Departure,
            _ => return None,
        };
        let airport = AirportCode::new(parts.next()?).ok()?;
        let ordinal = match parts.next() {
            None => 1,
            Some(text) => text.parse::<u8>().ok().filter(|n| *n >= 2 && n.to_string() == text)?,
        };
        let (carrier, number) = split_designator(designator)?;
        // One text per leg: a date such as 2026-1-5 would name the same leg twice.
        (parts.next().is_none() && date.to_string() == date_text).then_some(Self {
            site,
            carrier,
            number,
            date,
            direction,
            airport,
            ordinal,
        })
    }
}

/// `AF860` → (`AF`, `860`). An IATA designator has two characters, an ICAO designator three letters.
fn split_designator(text: &str) -> Option<(Carrier, String)> {
    let at = if text.len() > 3 && text.bytes().take(3).all(|b| b.is_ascii_uppercase()) { 3 } else { 2 };
    let (carrier, number) = text.split_at_checked(at)?;
    let digits = number.trim_end_matches(|c: char| c.is_ascii_uppercase());
    let valid = (1..=4).contains(&digits.len())
        && digits.bytes().all(|b| b.is_ascii_digit())
        && number.len() - digits.len() <= 1;
    valid.then(|| Carrier::new(carrier).ok().map(|carrier| (carrier, number.to_owned())))?
}

impl FlightId {
    /// What the id says of the leg.
    #[must_use]
    pub fn leg(&self) -> Leg {
        Leg::parse(self.as_str()).expect("a flight id is checked when it is made")
    }

    /// The tag of facts about this flight.
    #[must_use]
    pub fn tag(&self) -> Tag {
        Tag::new("flight", self)
    }
}

impl StandId {
    /// The stand that is called `name` at `site`.
    ///
    /// # Errors
    /// `name` is empty, too long or has other characters.
    pub fn at(site: &SiteId, name: &str) -> Result<Self, IdError> {
        Self::new(&format!("{site}/{name}"))
    }

    /// The site.
    #[must_use]
    pub fn site(&self) -> SiteId {
        let (site, _) = self.as_str().split_once('/').expect("a stand id is checked when it is made");
        SiteId::new(site).expect("a stand id is checked when it is made")
    }

    /// What the stand is called at its site.
    #[must_use]
    pub fn name(&self) -> &str {
        self.as_str().split_once('/').map_or("", |(_, name)| name)
    }

    /// The tag of facts about this stand.
    #[must_use]
    pub fn tag(&self) -> Tag {
        Tag::new("stand", self)
    }
}

/// One stay of one flight on a stand, wherever it is moved to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct AllocationId(pub Uuid);

impl AllocationId {
    /// Reads an id.
    ///
    /// # Errors
    /// Not a UUID.
    pub fn new(text: &str) -> Result<Self, IdError> {
        Uuid::try_parse(text).map(Self).map_err(|_| IdError::new("allocation id", text, "a UUID"))
    }

    /// The tag of facts about this allocation.
    #[must_use]
    pub fn tag(self) -> Tag {
        Tag::new("allocation", self)
    }
}

impl std::fmt::Display for AllocationId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flight_id_says_its_leg_and_back() {
        for text in ["LFW/AF860/2026-01-15/A/CDG", "HKG/9C8501/2025-12-20/D/PVG/2", "LFW/AFR860D/2026-01-15/D/LFPG"] {
            assert_eq!(FlightId::new(text).unwrap().leg().id().unwrap().as_str(), text);
        }
        assert_eq!(FlightId::new("HKG/9C8501/2025-12-20/D/PVG/2").unwrap().leg().carrier.as_str(), "9C");
    }

    #[test]
    fn what_is_not_a_leg_is_not_a_flight_id() {
        for text in [
            "",
            "LFW",
            "LFW/AF/2026-01-15/A/CDG",
            "LFW/AF860/2026-1-15/A/CDG",
            "LFW/AF860/2026-01-15/X/CDG",
            "LFW/AF860/2026-01-15/A/CDG/1",
            "LFW/AF86012/2026-01-15/A/CDG",
            "LFW/AF860/2026-01-15/A/CDG/2/3",
        ] {
            assert!(FlightId::new(text).is_err(), "{text}");
        }
    }
}
