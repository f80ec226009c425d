//! Aircraft types and the ICAO code letter that follows from their wingspan.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::text_id;

text_id!(
    /// An aircraft type by its ICAO designator (Doc 8643), such as `A333` or `B738`.
    AircraftType,
    "aircraft type",
    "an ICAO designator of 2 to 4 capital letters or digits, such as A333",
    |text| (2..=4).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
);

/// An aircraft, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Aircraft {
    /// Its type.
    #[serde(rename = "type")]
    pub aircraft_type: AircraftType,
    /// Its registration, if known.
    pub registration: Option<String>,
}

/// A wingspan in centimetres.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Wingspan(pub u32);

/// ICAO aerodrome reference code letter (Annex 14, table 1-1): the wingspan that a stand takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum CodeLetter {
    /// Below 15 m.
    A,
    /// Below 24 m.
    B,
    /// Below 36 m.
    C,
    /// Below 52 m.
    D,
    /// Below 65 m.
    E,
    /// Below 80 m.
    F,
}

impl CodeLetter {
    /// The letter of a wingspan; `None` from 80 m on.
    #[must_use]
    pub fn of(wingspan: Wingspan) -> Option<Self> {
        match wingspan.0 {
            0..1_500 => Some(Self::A),
            1_500..2_400 => Some(Self::B),
            2_400..3_600 => Some(Self::C),
            3_600..5_200 => Some(Self::D),
            5_200..6_500 => Some(Self::E),
            6_500..8_000 => Some(Self::F),
            _ => None,
        }
    }

    /// The letter as text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::D => "D",
            Self::E => "E",
            Self::F => "F",
        }
    }
}

impl std::fmt::Display for CodeLetter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
