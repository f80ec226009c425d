//! The id of an alert follows from its cause.

use super::AlertKind;
use crate::kernel::{derived_uuid, uuid_id};

uuid_id!(
    /// An alert. The same kind and cause give the same id, so that no cause raises two.
    AlertId,
    "alert id",
    "alert"
);

impl AlertId {
    /// The alert of this kind that `cause` raises.
    #[must_use]
    pub fn of(kind: AlertKind, cause: &str) -> Self {
        Self(derived_uuid(kind.as_str(), cause))
    }
}
