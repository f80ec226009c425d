//! The settings of the limits.

use std::time::Duration;

use super::table::{Declared, number, parse};

/// Every limit's setting, in the order in which a request meets the limits.
pub(super) const TABLE: &[Declared] = &[
    Declared {
        variable: "VIGIE_MAX_TOKENS",
        default: "5000",
        says: "Tokens of a document: 100 to 1,000,000. [Limits](limits.md) tells of this one and the following.",
        read: |settings, text| number(text, 100, 1_000_000).map(|most| settings.limits.tokens = most),
    },
    Declared {
        variable: "VIGIE_MAX_NESTING",
        default: "64",
        says: "Brackets inside brackets, and selections inside selections with fragments written out: 8 to 64.",
        read: |settings, text| number(text, 8, 64).map(|most| settings.limits.nesting = most),
    },
    Declared {
        variable: "VIGIE_MAX_DEPTH",
        default: "20",
        says: "Fields inside fields: 4 to 50.",
        read: |settings, text| number(text, 4, 50).map(|most| settings.limits.depth = most),
    },
    Declared {
        variable: "VIGIE_MAX_FIELDS",
        default: "2000",
        says: "Fields of a document, its fragments written out: 100 to 100,000.",
        read: |settings, text| number(text, 100, 100_000).map(|most| settings.limits.fields = most),
    },
    Declared {
        variable: "VIGIE_MAX_ALIASES",
        default: "100",
        says: "Fields with an alias, likewise: 0 to 10,000.",
        read: |settings, text| number(text, 0, 10_000).map(|most| settings.limits.aliases = most),
    },
    Declared {
        variable: "VIGIE_MAX_DIRECTIVES",
        default: "100",
        says: "Directives, likewise: 0 to 10,000.",
        read: |settings, text| number(text, 0, 10_000).map(|most| settings.limits.directives = most),
    },
    Declared {
        variable: "VIGIE_MAX_ROOT_FIELDS",
        default: "50",
        says: "Fields on the root of an operation: 1 to 1,000.",
        read: |settings, text| number(text, 1, 1_000).map(|most| settings.limits.root_fields = most),
    },
    Declared {
        variable: "VIGIE_MAX_PAGE",
        default: "200",
        says: "Rows that a page may have: 50 to 1,000.",
        read: |settings, text| number(text, 50, 1_000).map(|most| settings.limits.page = most),
    },
    Declared {
        variable: "VIGIE_MAX_COST",
        default: "200000",
        says: "The [cost](limits.md#cost) of an operation: 1,000 to 100,000,000.",
        read: |settings, text| number(text, 1_000, 100_000_000).map(|most| settings.limits.cost = most),
    },
    Declared {
        variable: "VIGIE_SHOW_COST",
        default: "false",
        says: "`true` tells the cost with every answer, as the header `Vigie-Cost: true` does for one.",
        read: |settings, text| parse(text, "true or false").map(|show| settings.limits.show_cost = show),
    },
    Declared {
        variable: "VIGIE_OPERATION_SECONDS",
        default: "30",
        says: "Seconds that a query or mutation may run: 1 to 600. `VIGIE_REQUEST_SECONDS` covers the request around it.",
        read: |settings, text| {
            number(text, 1, 600).map(|seconds: u64| settings.limits.operation = Duration::from_secs(seconds))
        },
    },
    Declared {
        variable: "VIGIE_MAX_OPERATIONS",
        default: "200",
        says: "Queries and mutations of a caller at once: 1 to 100,000.",
        read: |settings, text| number(text, 1, 100_000).map(|most| settings.limits.operations = most),
    },
    Declared {
        variable: "VIGIE_MAX_SUBSCRIPTIONS",
        default: "1000",
        says: "Subscriptions of a caller at once: 1 to 1,000,000.",
        read: |settings, text| number(text, 1, 1_000_000).map(|most| settings.limits.subscriptions = most),
    },
    Declared {
        variable: "VIGIE_MAX_SOCKET_OPERATIONS",
        default: "100",
        says: "Operations on one WebSocket at once: 1 to 10,000.",
        read: |settings, text| number(text, 1, 10_000).map(|most| settings.limits.socket_operations = most),
    },
    Declared {
        variable: "VIGIE_RATE",
        default: "6000000",
        says: "The cost that a caller may spend in `VIGIE_RATE_SECONDS`, all at once or little by little: 1,000 to \
               1,000,000,000,000, or 0 for no limit. Shared by all processes when there is a Redis.",
        read: |settings, text| match text {
            "0" => {
                settings.limits.rate = 0;
                Ok(())
            }
            text => number(text, 1_000, 1_000_000_000_000).map(|most| settings.limits.rate = most),
        },
    },
    Declared {
        variable: "VIGIE_RATE_SECONDS",
        default: "60",
        says: "Seconds in which a caller's allowance comes back: 1 to 86,400.",
        read: |settings, text| {
            number(text, 1, 86_400).map(|seconds: u64| settings.limits.rate_window = Duration::from_secs(seconds))
        },
    },
    Declared {
        variable: "VIGIE_ADDRESS_SHARE",
        default: "10",
        says: "How many callers' worth one address may run and spend, whatever names its requests give: 1 to 10,000.",
        read: |settings, text| number(text, 1, 10_000).map(|share| settings.limits.address_share = share),
    },
    Declared {
        variable: "VIGIE_TRUSTED_PROXIES",
        default: "(none)",
        says: "Addresses of proxies whose `X-Forwarded-For` tells where a request comes from, with commas between them.",
        read: |settings, text| {
            let addresses = text.split(',').map(|address| parse(address.trim(), "an IP address"));
            addresses.collect::<Result<_, _>>().map(|proxies| settings.limits.trusted_proxies = proxies)
        },
    },
];
