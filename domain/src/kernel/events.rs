//! How a context declares its events, and how stored ones are read.

/// Why a stored event cannot be read by this build.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// No context of this build has the type.
    #[error(
        "unknown event type {name:?} (version {version}): it was written by a newer vigie, or by another program; \
         upgrade vigie"
    )]
    UnknownType {
        /// The stored type.
        name: String,
        /// The stored version.
        version: u16,
    },
    /// The stored version is newer than this build knows.
    #[error(
        "{name} is stored in version {found}, and this build reads up to version {known}: it was written by a newer \
         vigie; upgrade vigie"
    )]
    NewerVersion {
        /// The stored type.
        name: &'static str,
        /// The stored version.
        found: u16,
        /// The newest version that this build reads.
        known: u16,
    },
    /// Versions count from 1.
    #[error("{name} is stored in version 0, and versions count from 1: the row was not written by this program")]
    NoSuchVersion {
        /// The stored type.
        name: &'static str,
    },
    /// The data does not have the shape of its type and version.
    #[error("the data of a {name} (version {version}) cannot be read")]
    Shape {
        /// The stored type.
        name: &'static str,
        /// The stored version.
        version: u16,
        /// What is wrong, with line and column.
        source: serde_json::Error,
    },
}

/// An event type that this build reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypeInfo {
    /// The stored name, such as `airport.stand_allocated`.
    pub name: &'static str,
    /// The version that this build writes; it reads this one and every older one.
    pub version: u16,
}

impl TypeInfo {
    /// Whether this build reads that version of the type.
    ///
    /// # Errors
    /// It is newer than this build, or 0.
    pub fn reads(self, version: u16) -> Result<(), DecodeError> {
        match version {
            0 => Err(DecodeError::NoSuchVersion { name: self.name }),
            found if found > self.version => {
                Err(DecodeError::NewerVersion { name: self.name, found, known: self.version })
            }
            _ => Ok(()),
        }
    }
}

/// An event as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoded {
    /// The stored name.
    pub name: &'static str,
    /// The version of the shape.
    pub version: u16,
    /// The data as JSON.
    pub data: String,
}

/// What each event says of itself.
pub trait Describe {
    /// The site at which the fact happened; none for facts of the installation itself.
    fn site(&self) -> Option<&crate::support::SiteId>;
    /// Every thing that the fact is about.
    fn tags(&self) -> Vec<crate::kernel::Tag>;
}

/// The fields of a stored event, of whatever version.
pub type Stored = serde_json::Map<String, serde_json::Value>;

/// Lifts the stored fields of one version to the next. It cannot fail and knows nothing but the fields: what the old
/// version did not say is unknown in the new one. Fields that do not fit are refused when the new shape is read.
pub type Upcast = fn(&mut Stored);

/// Reads `data` of `version`, lifting it through `upcasts` (the first lifts version 1 to 2, and so on).
///
/// # Errors
/// A newer version, or data of another shape.
pub fn decode_version<T: serde::de::DeserializeOwned>(
    info: TypeInfo,
    upcasts: &[Upcast],
    version: u16,
    data: &str,
) -> Result<T, DecodeError> {
    let shape = |source| DecodeError::Shape { name: info.name, version, source };
    if version == info.version {
        return serde_json::from_str(data).map_err(shape);
    }
    info.reads(version)?;
    let mut stored: Stored = serde_json::from_str(data).map_err(shape)?;
    for upcast in upcasts.iter().skip(usize::from(version) - 1) {
        upcast(&mut stored);
    }
    T::deserialize(serde_json::Value::Object(stored)).map_err(shape)
}

/// Declares the events of a context: `"stored_name" => Variant(Struct) v1,` and, from version 2 on, `v2 [v1_to_v2]`.
///
/// Makes the enum, one `FOO` constant of the stored name per type, and reading and writing.
macro_rules! events {
    (
        $(#[$doc:meta])* $enum:ident, $names:ident;
        $($(#[$vdoc:meta])* $const:ident = $name:literal => $variant:ident v $version:literal $([$($upcast:path),+])?,)*
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub enum $enum {
            $($(#[$vdoc])* $variant($variant),)*
        }

        /// The stored names of this context's event types.
        pub mod $names {
            $($(#[$vdoc])* pub const $const: &str = $name;)*
        }

        $(impl From<$variant> for $enum {
            fn from(event: $variant) -> Self { Self::$variant(event) }
        }
        impl From<$variant> for $crate::Event {
            fn from(event: $variant) -> Self { $enum::$variant(event).into() }
        })*

        $(const _: () = {
            let upcasts: &[&str] = &[$($(stringify!($upcast)),+)?];
            assert!(upcasts.len() + 1 == $version, "a type in version n needs n - 1 upcasters");
        };)*

        impl $enum {
            /// The types of this context, in the order of their declaration.
            pub const TYPES: &[$crate::kernel::events::TypeInfo] =
                &[$($crate::kernel::events::TypeInfo { name: $name, version: $version }),*];

            /// The shape of each type's data, as this build writes it, in the order of [`Self::TYPES`].
            #[must_use]
            pub fn schemas(generator: &mut schemars::SchemaGenerator) -> Vec<schemars::Schema> {
                vec![$(generator.subschema_for::<$variant>()),*]
            }

            /// Reads a stored event of this context; `None` if the type belongs to another one.
            #[must_use]
            pub fn decode(name: &str, version: u16, data: &str) -> Option<Result<Self, $crate::kernel::events::DecodeError>> {
                match name {
                    $($name => Some($crate::kernel::events::decode_version(
                        $crate::kernel::events::TypeInfo { name: $name, version: $version },
                        &[$($($upcast),+)?], version, data,
                    ).map(Self::$variant)),)*
                    _ => None,
                }
            }

            /// The stored form.
            #[must_use]
            pub fn encode(&self) -> $crate::kernel::events::Encoded {
                let (version, data) = match self {
                    $(Self::$variant(event) => ($version, serde_json::to_string(event)),)*
                };
                $crate::kernel::events::Encoded {
                    name: self.name(),
                    version,
                    data: data.expect("events are plain data with text keys and always serialise"),
                }
            }

            /// The stored name of the type.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self { $(Self::$variant(_) => $name),* }
            }

            /// Every thing that the fact is about.
            #[must_use]
            pub fn tags(&self) -> Vec<$crate::kernel::Tag> {
                match self { $(Self::$variant(event) => $crate::kernel::events::Describe::tags(event)),* }
            }

            /// The site at which it happened, if at one.
            #[must_use]
            pub fn site(&self) -> Option<&$crate::support::SiteId> {
                match self { $(Self::$variant(event) => $crate::kernel::events::Describe::site(event)),* }
            }
        }
    };
}
pub(crate) use events;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Gauge {
        minutes: u32,
        unit: String,
    }

    fn in_minutes(stored: &mut Stored) {
        let seconds = stored.remove("seconds").and_then(|seconds| seconds.as_u64());
        stored.insert("minutes".to_owned(), json!(seconds.map(|seconds| seconds / 60)));
    }

    fn with_unit(stored: &mut Stored) {
        stored.insert("unit".to_owned(), json!("min"));
    }

    fn read(version: u16, data: &str) -> Result<Gauge, DecodeError> {
        let info = TypeInfo { name: "spec.gauge", version: 3 };
        decode_version(info, &[in_minutes, with_unit], version, data)
    }

    #[test]
    fn an_old_version_is_lifted_through_every_later_one() {
        let today = Gauge { minutes: 2, unit: "min".into() };
        assert_eq!(read(1, r#"{"seconds": 120}"#).unwrap(), today);
        assert_eq!(read(2, r#"{"minutes": 2}"#).unwrap(), today);
        assert_eq!(read(3, r#"{"minutes": 2, "unit": "min"}"#).unwrap(), today);
    }

    #[test]
    fn a_shape_that_does_not_fit_is_refused_with_its_version() {
        let error = read(2, r#"{"minutes": "two"}"#).unwrap_err();
        assert_eq!(error.to_string(), "the data of a spec.gauge (version 2) cannot be read");
        for data in ["[]", "{}", r#"{"seconds": "two"}"#] {
            assert!(matches!(read(1, data), Err(DecodeError::Shape { version: 1, .. })), "{data}");
        }
        assert!(matches!(read(0, "{}"), Err(DecodeError::NoSuchVersion { .. })));
        assert!(matches!(read(4, "{}"), Err(DecodeError::NewerVersion { found: 4, known: 3, .. })));
    }
}
