//! The id of a site, its time zone, and the name of what follows the log.

use crate::kernel::text_id;

text_id!(
    /// A transport site: `LFW`, `HKG`, `SANGATTE`.
    SiteId,
    "site id",
    "2 to 16 capital letters, digits or hyphens, such as LFW",
    |text| (2..=16).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-')
);

text_id!(
    /// The name of a time zone of the IANA database, such as `Africa/Lome`.
    Zone,
    "time zone",
    "a name of the IANA time zone database, such as Africa/Lome",
    |text| text.parse::<chrono_tz::Tz>().is_ok()
);

text_id!(
    /// The name of a read model or policy: `flights`, `alerts.spring_out_of_limits`.
    ConsumerName,
    "name of a read model or policy",
    "1 to 64 small letters, digits, underscores or dots, such as flights",
    |text| (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'.')
);

impl SiteId {
    /// Where an event happened whose own site cannot be read.
    #[must_use]
    pub fn unknown() -> Self {
        Self::new("UNKNOWN").expect("it follows the rule of site ids")
    }
}

impl Zone {
    /// The zone's rules.
    #[must_use]
    pub fn tz(&self) -> chrono_tz::Tz {
        self.as_str().parse().expect("a zone is checked when it is made")
    }
}
