//! The limits by name: what each is of, its setting, and the error that tells of it.

use async_graphql::{ErrorExtensionValues, Pos, ServerError};

/// Something that nobody may exceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Limit {
    /// Bytes of a request.
    Body,
    /// Tokens of a document.
    Tokens,
    /// Brackets inside brackets; selections inside selections, fragments written out.
    Nesting,
    /// Fields inside fields.
    Depth,
    /// Fields, fragments written out.
    Fields,
    /// Fields with an alias, fragments written out.
    Aliases,
    /// Directives, fragments written out.
    Directives,
    /// Fields on the root.
    RootFields,
    /// Rows of a page.
    Page,
    /// Cost of an operation.
    Cost,
    /// How long an operation runs.
    Time,
    /// Queries and mutations at once.
    Operations,
    /// Subscriptions at once.
    Subscriptions,
    /// Operations on a socket at once.
    SocketOperations,
    /// Cost in a window.
    Rate,
}

/// What is said about a limit.
struct Said {
    name: &'static str,
    code: &'static str,
    setting: &'static str,
    /// What has the number that is too large, with `{}` in its place.
    has: &'static str,
    /// What it counts, for the documentation.
    of: &'static str,
}

impl Limit {
    /// All, in the order in which a request meets them.
    pub const ALL: &[Self] = &[
        Self::Body,
        Self::Tokens,
        Self::Nesting,
        Self::Depth,
        Self::Fields,
        Self::Aliases,
        Self::Directives,
        Self::RootFields,
        Self::Page,
        Self::Cost,
        Self::Operations,
        Self::Subscriptions,
        Self::SocketOperations,
        Self::Rate,
        Self::Time,
    ];

    /// The label of its refusals in the metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.said().name
    }

    /// The code of the error.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.said().code
    }

    /// The setting that moves it.
    #[must_use]
    pub fn setting(self) -> &'static str {
        self.said().setting
    }

    /// What it counts.
    #[must_use]
    pub fn of(self) -> &'static str {
        self.said().of
    }

    const fn said(self) -> Said {
        let (name, code, setting, has, of) = match self {
            Self::Body => (
                "body",
                "BODY_TOO_LARGE",
                "VIGIE_BODY_LIMIT",
                "the request has {} bytes",
                "bytes of a request body or a WebSocket message",
            ),
            Self::Tokens => {
                ("tokens", "TOO_MANY_TOKENS", "VIGIE_MAX_TOKENS", "the document has {} tokens", "tokens of a document")
            }
            Self::Nesting => (
                "nesting",
                "TOO_NESTED",
                "VIGIE_MAX_NESTING",
                "the document nests {} levels",
                "brackets inside brackets in a document; selections inside selections, fragments written out",
            ),
            Self::Depth => {
                ("depth", "TOO_DEEP", "VIGIE_MAX_DEPTH", "the operation is {} fields deep", "fields inside fields")
            }
            Self::Fields => (
                "fields",
                "TOO_MANY_FIELDS",
                "VIGIE_MAX_FIELDS",
                "the document has {} fields",
                "fields of all operations of a document, fragments written out",
            ),
            Self::Aliases => (
                "aliases",
                "TOO_MANY_ALIASES",
                "VIGIE_MAX_ALIASES",
                "the operation has {} aliases",
                "fields with an alias, fragments written out",
            ),
            Self::Directives => (
                "directives",
                "TOO_MANY_DIRECTIVES",
                "VIGIE_MAX_DIRECTIVES",
                "the operation has {} directives",
                "directives, fragments written out",
            ),
            Self::RootFields => (
                "root_fields",
                "TOO_MANY_ROOT_FIELDS",
                "VIGIE_MAX_ROOT_FIELDS",
                "the operation has {} root fields",
                "fields on the root of an operation",
            ),
            Self::Page => {
                ("page", "PAGE_TOO_LARGE", "VIGIE_MAX_PAGE", "the page has {} rows", "`first` or `last` of any list")
            }
            Self::Cost => {
                ("cost", "TOO_COSTLY", "VIGIE_MAX_COST", "the operation costs {}", "[cost](#cost) of an operation")
            }
            Self::Time => (
                "time",
                "TIMEOUT",
                "VIGIE_OPERATION_SECONDS",
                "the operation has taken {} s",
                "seconds that a query or mutation, or a statement of a subscription, may run",
            ),
            Self::Operations => (
                "operations",
                "TOO_MANY_OPERATIONS",
                "VIGIE_MAX_OPERATIONS",
                "{} queries and mutations would run at once",
                "queries and mutations of a [caller](#callers) at once",
            ),
            Self::Subscriptions => (
                "subscriptions",
                "TOO_MANY_SUBSCRIPTIONS",
                "VIGIE_MAX_SUBSCRIPTIONS",
                "{} subscriptions would run at once",
                "subscriptions of a [caller](#callers) at once",
            ),
            Self::SocketOperations => (
                "socket_operations",
                "TOO_MANY_SOCKET_OPERATIONS",
                "VIGIE_MAX_SOCKET_OPERATIONS",
                "{} operations would run on one socket",
                "operations on one WebSocket at once",
            ),
            Self::Rate => (
                "rate",
                "RATE_LIMITED",
                "VIGIE_RATE",
                "this would make the spending {}",
                "cost that a [caller](#callers) may spend in `VIGIE_RATE_SECONDS`; 0 for no limit",
            ),
        };
        Said { name, code, setting, has, of }
    }

    /// The refusal of `asked`, where `allowed` is the most.
    pub(crate) fn exceeded(self, asked: u64, allowed: u64) -> Exceeded {
        Exceeded { limit: self, asked, allowed, pos: None }
    }

    /// The same when it is.
    pub(crate) fn check(self, asked: u64, allowed: u64) -> Result<(), Exceeded> {
        if asked > allowed { Err(self.exceeded(asked, allowed)) } else { Ok(()) }
    }
}

/// Somebody asked for more than a limit allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Exceeded {
    pub(crate) limit: Limit,
    pub(crate) asked: u64,
    pub(crate) allowed: u64,
    pub(crate) pos: Option<Pos>,
}

impl Exceeded {
    /// At a place in the document.
    pub(crate) fn at(self, pos: Pos) -> Self {
        Self { pos: Some(pos), ..self }
    }

    /// What is wrong: the limit, what was asked, and the setting that moves it.
    pub(crate) fn message(&self) -> String {
        let Said { has, setting, .. } = self.limit.said();
        format!("{}; at most {} are allowed ({setting})", has.replace("{}", &self.asked.to_string()), self.allowed)
    }

    /// Counts it among the refusals.
    pub(crate) fn counted(self) -> Self {
        metrics::counter!("vigie_limit_refusals_total", "limit" => self.limit.name()).increment(1);
        self
    }

    /// As an error of GraphQL, counted.
    pub(crate) fn into_error(self) -> ServerError {
        let this = self.counted();
        let mut error = ServerError::new(this.message(), this.pos);
        let mut extensions = ErrorExtensionValues::default();
        extensions.set("code", this.limit.code());
        extensions.set("limit", this.limit.name());
        extensions.set("asked", this.asked);
        extensions.set("allowed", this.allowed);
        extensions.set("setting", this.limit.setting());
        error.extensions = Some(extensions);
        error
    }
}

/// Says what the metrics are.
pub(crate) fn describe() {
    metrics::describe_counter!("vigie_limit_refusals_total", "Requests refused, by the limit that they exceed");
    metrics::describe_histogram!("vigie_operation_cost_size", "Cost of the operations that were admitted");
    metrics::describe_counter!("vigie_rate_checks_total", "Rate limit checks, by where the buckets are");
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_limit_has_a_name_a_code_and_a_setting_of_its_own() {
        let of = |part: fn(Limit) -> &'static str| Limit::ALL.iter().map(|limit| part(*limit)).collect::<BTreeSet<_>>();
        for part in [Limit::name as fn(Limit) -> &'static str, Limit::code, Limit::setting] {
            assert_eq!(of(part).len(), Limit::ALL.len());
        }
    }

    #[test]
    fn a_refusal_names_what_was_asked_what_is_allowed_and_the_setting() {
        let message = Limit::Depth.exceeded(21, 20).message();
        assert_eq!(message, "the operation is 21 fields deep; at most 20 are allowed (VIGIE_MAX_DEPTH)");
    }
}
