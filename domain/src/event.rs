//! All events of all contexts: one line per context registers it.

use crate::kernel::{Tag, events::Encoded};

pub use crate::kernel::events::{DecodeError, TypeInfo};

/// The kinds of all tags that events carry, by name.
pub const TAG_KINDS: &[&str] = &[
    "alert",
    "allocation",
    "endpoint",
    "event",
    "flight",
    "key",
    "pass",
    "projection",
    "role",
    "session",
    "site",
    "site_day",
    "stand",
    "stand_day",
    "user",
];

macro_rules! contexts {
    ($($(#[$doc:meta])* $variant:ident($inner:ty)),* $(,)?) => {
        /// A fact of one of the contexts, in today's shape.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Event {
            $($(#[$doc])* $variant($inner),)*
        }

        $(impl From<$inner> for Event {
            fn from(event: $inner) -> Self { Self::$variant(event) }
        })*

        /// Every event type that this build can read, by context.
        pub const CONTEXTS: &[&[TypeInfo]] = &[$(<$inner>::TYPES),*];

        impl Event {
            /// Every event type that this build can read, context by context.
            pub fn types() -> impl Iterator<Item = TypeInfo> {
                CONTEXTS.iter().flat_map(|context| context.iter().copied())
            }

            /// The shape of each type's data, as this build writes it: a JSON Schema, whose parts the generator collects.
            pub fn schemas(generator: &mut schemars::SchemaGenerator) -> Vec<(TypeInfo, schemars::Schema)> {
                let mut schemas = Vec::new();
                $(schemas.extend(<$inner>::TYPES.iter().copied().zip(<$inner>::schemas(generator)));)*
                schemas
            }

            /// What this build knows of a stored type, if it reads this version of it; the data is not looked at.
            ///
            /// # Errors
            /// An unknown type, a version newer than this build, or version 0.
            pub fn known(name: &str, version: u16) -> Result<TypeInfo, DecodeError> {
                let info = Self::types().find(|info| info.name == name);
                let info = info.ok_or_else(|| DecodeError::UnknownType { name: name.to_owned(), version })?;
                info.reads(version).map(|()| info)
            }

            /// Reads a stored event; older versions are lifted to today's shape.
            ///
            /// # Errors
            /// An unknown type, a version newer than this build, or data that does not fit its type.
            pub fn decode(name: &str, version: u16, data: &str) -> Result<Self, DecodeError> {
                $(if let Some(decoded) = <$inner>::decode(name, version, data) {
                    return decoded.map(Self::$variant);
                })*
                Err(DecodeError::UnknownType { name: name.to_owned(), version })
            }

            /// The stored name, version and JSON of this event.
            #[must_use]
            pub fn encode(&self) -> Encoded {
                match self { $(Self::$variant(event) => event.encode()),* }
            }

            /// The stored name of this event's type, such as `airport.stand_allocated`.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self { $(Self::$variant(event) => event.name()),* }
            }

            /// Every thing that this fact is about; derived from its data alone.
            #[must_use]
            pub fn tags(&self) -> Vec<Tag> {
                match self { $(Self::$variant(event) => event.tags()),* }
            }

            /// The site at which the fact happened; none for facts of the installation itself.
            #[must_use]
            pub fn site(&self) -> Option<&crate::support::SiteId> {
                match self { $(Self::$variant(event) => event.site()),* }
            }

            /// The site as the log stores it: empty for facts of the installation itself.
            #[must_use]
            pub fn site_name(&self) -> &str {
                self.site().map_or("", crate::support::SiteId::as_str)
            }
        }
    };
}

contexts! {
    /// Sites and what every context needs.
    Support(crate::support::SupportEvent),
    /// Flights, stands and their allocation.
    Airport(crate::airport::AirportEvent),
    /// Train passes, cars and springs.
    Rail(crate::rail::RailEvent),
    /// Alerts, whatever raised them.
    Alerts(crate::alerts::AlertEvent),
    /// People, their rights and their sessions.
    Identity(crate::identity::IdentityEvent),
    /// Who receives which events, where.
    Webhooks(crate::webhooks::WebhookEvent),
}
