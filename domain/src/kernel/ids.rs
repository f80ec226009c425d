//! Ids: checked when they are made, so that a wrong one cannot travel.

use uuid::Uuid;

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a valid {kind}: {rule}")]
pub struct IdError {
    /// What it was meant to be, such as `stand id`.
    pub kind: &'static str,
    /// The text as given, cut at 80 characters.
    pub text: String,
    /// What such an id looks like.
    pub rule: &'static str,
}

impl IdError {
    pub(crate) fn new(kind: &'static str, text: &str, rule: &'static str) -> Self {
        Self { kind, text: text.chars().take(80).collect(), rule }
    }
}

/// The namespace of ids that Vigie derives from their cause.
const NAMESPACE: Uuid = Uuid::from_u128(0x7669_6769_652d_4c4f_8000_6c6f_6f6b_6f75);

/// An id that follows from `kind` and `cause` alone: the same cause gives the same id on every replay.
#[must_use]
pub fn derived_uuid(kind: &str, cause: &str) -> Uuid {
    Uuid::new_v5(&NAMESPACE, format!("{kind}\u{1f}{cause}").as_bytes())
}

/// A validated text id: `text_id!(/// doc; Name, "stand id", "rule in words", |text| predicate)`.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $rule:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            /// Checks `text`.
            ///
            /// # Errors
            /// The text does not look like such an id; the error says what one looks like.
            pub fn new(text: &str) -> Result<Self, $crate::kernel::IdError> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) {
                    Ok(Self(text.into()))
                } else {
                    Err($crate::kernel::IdError::new($kind, text, $rule))
                }
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str { &self.0 }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(&self.0) }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::kernel::IdError;
            fn from_str(text: &str) -> Result<Self, Self::Err> { Self::new(text) }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::kernel::IdError;
            fn try_from(text: String) -> Result<Self, Self::Error> { Self::new(&text) }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> { stringify!($name).into() }
            fn schema_id() -> std::borrow::Cow<'static, str> {
                concat!(module_path!(), "::", stringify!($name)).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "title": $kind, "description": $rule, "type": "string" })
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self { id.0.as_ref().to_owned() }
        }
    };
}
pub(crate) use text_id;

/// An id that is a UUID: `uuid_id!(/// doc; Name, "user id", "user")`, the last the kind of its tag.
macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $tag:literal) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
            schemars::JsonSchema,
        )]
        #[serde(transparent)]
        pub struct $name(uuid::Uuid);

        impl $name {
            /// Reads an id.
            ///
            /// # Errors
            /// Not a UUID.
            pub fn new(text: &str) -> Result<Self, $crate::kernel::IdError> {
                let invalid = |_| $crate::kernel::IdError::new($kind, text, "a UUID");
                uuid::Uuid::try_parse(text).map(Self).map_err(invalid)
            }

            /// The id as a UUID.
            #[must_use]
            pub fn uuid(self) -> uuid::Uuid { self.0 }

            /// The tag of facts about it.
            #[must_use]
            pub fn tag(self) -> $crate::kernel::Tag { $crate::kernel::Tag::new($tag, self) }
        }

        impl From<uuid::Uuid> for $name {
            fn from(id: uuid::Uuid) -> Self { Self(id) }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::kernel::IdError;
            fn from_str(text: &str) -> Result<Self, Self::Err> { Self::new(text) }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { self.0.fmt(f) }
        }
    };
}
pub(crate) use uuid_id;
