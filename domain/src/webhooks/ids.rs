//! Ids of endpoints and of what is kept secret for them: drawn by whoever makes them (UUIDv7).

use crate::kernel::uuid_id;

uuid_id!(
    /// A webhook endpoint: where events are delivered to.
    EndpointId,
    "endpoint id",
    "endpoint"
);

uuid_id!(
    /// Something that is kept encrypted beside the log for an endpoint.
    SecretId,
    "secret id",
    "secret"
);
