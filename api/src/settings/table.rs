//! Every setting, declared once.

use std::fmt::Write;
use std::str::FromStr;
use std::time::Duration;

use axum::http::StatusCode;

use super::secrets::{SECRETS, file_variable};
use super::{CONFIG, LogFormat, Settings, SettingsError, accounts, edge, limits, oidc, secrets, webhooks};

/// One setting.
pub struct Declared {
    /// The environment variable.
    pub variable: &'static str,
    /// What holds when it is not set: a value, or words in brackets.
    pub default: &'static str,
    /// What it does, its unit and what is allowed.
    pub says: &'static str,
    /// Reads a value into the settings, or says what would be right.
    pub read: fn(&mut Settings, &str) -> Result<(), String>,
}

impl Declared {
    /// The key in the TOML file.
    #[must_use]
    pub fn key(&self) -> String {
        self.variable.trim_start_matches("VIGIE_").to_ascii_lowercase()
    }

    /// Whether it is a secret, or holds one: it may be given as a file, and is never shown.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        SECRETS.contains(&self.variable)
    }

    /// The key for the name of a file with the secret.
    pub(super) fn file_key(&self) -> Option<String> {
        self.is_secret().then(|| format!("{}_file", self.key()))
    }

    /// The value that the environment gives it, itself or in a file, and the name of the variable.
    pub(super) fn in_environment(
        &self,
        environment: impl Fn(&str) -> Option<std::ffi::OsString>,
    ) -> Result<Option<(String, String)>, SettingsError> {
        let find = |name: &str| {
            let Some(value) = environment(name).filter(|value| !value.is_empty()) else { return Ok(None) };
            let wrong = |_| SettingsError { name: name.to_owned(), problem: "is not UTF-8 text".to_owned() };
            value.into_string().map(Some).map_err(wrong)
        };
        let value = find(self.variable)?.map(|value| (self.variable.to_owned(), value));
        if !self.is_secret() {
            return Ok(value);
        }
        let name = file_variable(self.variable);
        match (value, find(&name)?) {
            (value, None) => Ok(value),
            (None, Some(path)) => match secrets::read(&path) {
                Ok(value) => Ok(Some((name, value))),
                Err(problem) => Err(SettingsError { name, problem }),
            },
            (Some(_), Some(_)) => Err(SettingsError { name, problem: format!("{} is set too", self.variable) }),
        }
    }

    /// Whether the default is a value, not words in brackets.
    #[must_use]
    pub fn concrete_default(&self) -> bool {
        !self.default.starts_with('(')
    }
}

/// All of them but the limits.
const TABLE: &[Declared] = &[
    Declared {
        variable: "DATABASE_URL",
        default: "(a private Postgres in the data folder)",
        says: "The Postgres to use, as `postgres://user:password@host:port/database`.",
        read: |settings, text| url(text, &["postgres", "postgresql"]).map(|url| settings.database_url = Some(url)),
    },
    Declared {
        variable: "VIGIE_MIGRATION_DATABASE_URL",
        default: "(`DATABASE_URL`)",
        says: "The same database for the role that owns it: migrates, archives, freezes. `DATABASE_URL` can then be a login without these rights ([roles](operations.md#roles)).",
        read: |settings, text| {
            url(text, &["postgres", "postgresql"]).map(|url| settings.migration_database_url = Some(url))
        },
    },
    Declared {
        variable: "REDIS_URL",
        default: "(none)",
        says: "A Redis that wakes other processes, as `redis://host:port/0`. Nothing depends on it.",
        read: |settings, text| url(text, &["redis", "rediss", "unix"]).map(|url| settings.redis_url = Some(url)),
    },
    Declared {
        variable: "VIGIE_DATA",
        default: "(`data` in the checkout, else `vigie` in the user's data folder; `/var/lib/vigie` where the account of Postgres cannot enter that)",
        says: "The folder of the private Postgres and of whatever else must last.",
        read: |settings, text| {
            settings.data = Some(text.into());
            Ok(())
        },
    },
    Declared {
        variable: "VIGIE_POSTGRES_BIN",
        default: "(found)",
        says: "The folder of the programs of the private Postgres, such as `/usr/lib/postgresql/16/bin`.",
        read: |settings, text| {
            settings.postgres_bin = Some(text.into());
            Ok(())
        },
    },
    Declared {
        variable: "VIGIE_OPEN",
        default: "false",
        says: "`true` serves without accounts: whoever reaches the server holds every right at every site ([rights](rights.md)), by the name that `Vigie-Actor` gives. Only on loopback.",
        read: |settings, text| parse(text, "true or false").map(|open| settings.open = open),
    },
    Declared {
        variable: "VIGIE_ACTOR",
        default: "operator:local",
        says: "On an open server, who gives the commands of requests without a `Vigie-Actor` header: 1 to 64 letters, digits or `: . _ @ -`. Recorded, not authenticated.",
        read: |settings, text| {
            crate::actor::Actor::new(text).map(|actor| settings.actor = actor.into_string()).map_err(|e| e.to_string())
        },
    },
    Declared {
        variable: "VIGIE_LOG",
        default: "info,sqlx=warn",
        says: "Which log lines are written: a level, or levels by module, such as `info,vigie_eventlog=debug`.",
        read: |settings, text| match tracing_subscriber::EnvFilter::builder().parse(text) {
            Ok(_) => {
                text.clone_into(&mut settings.log);
                Ok(())
            }
            Err(error) => Err(format!("{text:?} is not a log filter such as info,vigie_eventlog=debug: {error}")),
        },
    },
    Declared {
        variable: "VIGIE_LOG_FORMAT",
        default: "human",
        says: "`human`, or `json` for one JSON object per line.",
        read: |settings, text| {
            settings.log_format = match text {
                "human" => LogFormat::Human,
                "json" => LogFormat::Json,
                other => return Err(format!("{other:?} is not human or json")),
            };
            Ok(())
        },
    },
    Declared {
        variable: "VIGIE_POOL",
        default: "16",
        says: "The most database connections of the write side, 4 to 500; requests that read have as many of their own.",
        read: |settings, text| number(text, 4, 500).map(|size| settings.pool_size = size),
    },
    Declared {
        variable: "VIGIE_REFUSALS",
        default: "100000",
        says: "The most refusals that are kept ([audit](audit.md#refusals)): 1,000 to 10,000,000. The oldest go first.",
        read: |settings, text| number(text, 1_000, 10_000_000).map(|count| settings.refusals.count = count),
    },
    Declared {
        variable: "VIGIE_REFUSAL_DAYS",
        default: "90",
        says: "Days that refusals are kept: 1 to 3,650.",
        read: |settings, text| number(text, 1, 3_650).map(|days| settings.refusals.age = chrono::TimeDelta::days(days)),
    },
    Declared {
        variable: "VIGIE_DRAIN_SECONDS",
        default: "10",
        says: "Seconds that running requests may take after the signal to stop: 0 to 600.",
        read: |settings, text| number(text, 0, 600).map(|seconds: u64| settings.drain = Duration::from_secs(seconds)),
    },
    Declared {
        variable: "VIGIE_DRAIN_LEAD_SECONDS",
        default: "2",
        says: "Seconds between SIGTERM and the end of new requests, while `/health/ready` already fails, so that \
               load balancers notice: 0 to 60. Ctrl-C does not wait.",
        read: |settings, text| {
            number(text, 0, 60).map(|seconds: u64| settings.drain_lead = Duration::from_secs(seconds))
        },
    },
    Declared {
        variable: "VIGIE_REQUEST_SECONDS",
        default: "60",
        says: "Seconds that one request may take, with its body and its answer: 1 to 600.",
        read: |settings, text| {
            number(text, 1, 600).map(|seconds: u64| settings.request_timeout = Duration::from_secs(seconds))
        },
    },
    Declared {
        variable: "VIGIE_WS_INIT_SECONDS",
        default: "3",
        says: "Seconds in which a WebSocket must send `connection_init`: 1 to 60.",
        read: |settings, text| {
            number(text, 1, 60).map(|seconds: u64| settings.ws_init_timeout = Duration::from_secs(seconds))
        },
    },
    Declared {
        variable: "VIGIE_BODY_LIMIT",
        default: "1048576",
        says: "The largest request body and WebSocket message in bytes: 1,024 to 104,857,600.",
        read: |settings, text| number(text, 1024, 100 * 1024 * 1024).map(|bytes| settings.body_limit = bytes),
    },
    Declared {
        variable: "VIGIE_DOCUMENTS",
        default: "(none)",
        says: "A folder of `.graphql` files, or a manifest, of documents that clients name by `documentId` ([API](api.md#persisted-documents)).",
        read: |settings, text| {
            settings.protocols.documents = Some(text.into());
            Ok(())
        },
    },
    Declared {
        variable: "VIGIE_DOCUMENTS_ONLY",
        default: "false",
        says: "`true` runs the documents of `VIGIE_DOCUMENTS` and no others.",
        read: |settings, text| parse(text, "true or false").map(|only| settings.protocols.documents_only = only),
    },
    Declared {
        variable: "VIGIE_AUTOMATIC_DOCUMENT_BYTES",
        default: "4194304",
        says: "Bytes of documents that clients persist themselves (automatic persisted queries), 0 (off) to 1,073,741,824.",
        read: |settings, text| number(text, 0, 1 << 30).map(|bytes| settings.protocols.automatic_bytes = bytes),
    },
    Declared {
        variable: "VIGIE_BATCH",
        default: "0",
        says: "The most operations in one request, as a JSON array: 0 (only single ones) to 100.",
        read: |settings, text| number(text, 0, 100).map(|most| settings.protocols.batch = most),
    },
    Declared {
        variable: "VIGIE_INTROSPECTION",
        default: "true",
        says: "`false` keeps the schema from clients that ask for it (`__schema`, `__type`).",
        read: |settings, text| parse(text, "true or false").map(|open| settings.protocols.introspection = open),
    },
    Declared {
        variable: "VIGIE_SUGGESTIONS",
        default: "true",
        says: "`false` leaves \"Did you mean\" out of errors.",
        read: |settings, text| parse(text, "true or false").map(|open| settings.protocols.suggestions = open),
    },
    Declared {
        variable: "VIGIE_INVALID_STATUS",
        default: "400",
        says: "The status of a document that is understood but cannot run, in `application/graphql-response+json`: `400`, or `422` as newer drafts of GraphQL over HTTP have it.",
        read: |settings, text| {
            settings.protocols.invalid_status = match text {
                "400" => StatusCode::BAD_REQUEST,
                "422" => StatusCode::UNPROCESSABLE_ENTITY,
                other => return Err(format!("{other:?} is not 400 or 422")),
            };
            Ok(())
        },
    },
    Declared {
        variable: "VIGIE_STREAMS",
        default: "1000",
        says: "The most event streams that carry several operations, reserved or open; one address has three quarters of them at most: 1 to 100,000.",
        read: |settings, text| number(text, 1, 100_000).map(|most| settings.protocols.streams = most),
    },
    Declared {
        variable: "VIGIE_STREAM_SECONDS",
        default: "30",
        says: "Seconds that such a stream stays reserved without being opened: 1 to 600.",
        read: |settings, text| {
            number(text, 1, 600)
                .map(|seconds: u64| settings.protocols.stream_reservation = Duration::from_secs(seconds))
        },
    },
    Declared {
        variable: "VIGIE_KEEP_ALIVE_SECONDS",
        default: "15",
        says: "Seconds of silence after which an event stream says that it is still there: 1 to 300.",
        read: |settings, text| {
            number(text, 1, 300).map(|seconds: u64| settings.protocols.keep_alive = Duration::from_secs(seconds))
        },
    },
];

/// Every setting, in the order of the documentation.
pub fn all() -> impl Iterator<Item = &'static Declared> {
    TABLE
        .iter()
        .chain(edge::TABLE)
        .chain(limits::TABLE)
        .chain(accounts::TABLE)
        .chain(oidc::TABLE)
        .chain(webhooks::TABLE)
}

pub(super) fn parse<T: FromStr>(text: &str, shape: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{text:?} is not {shape}"))
}

pub(super) fn number<T: FromStr + PartialOrd + std::fmt::Display>(text: &str, least: T, most: T) -> Result<T, String> {
    match text.parse() {
        Ok(number) if least <= number && number <= most => Ok(number),
        Ok(_) | Err(_) => Err(format!("{text:?} is not a whole number from {least} to {most}")),
    }
}

/// The text of a wrong URL is not repeated: it may hold a password.
fn url(text: &str, schemes: &[&str]) -> Result<String, String> {
    match text.split_once("://") {
        Some((scheme, rest)) if schemes.contains(&scheme) && !rest.is_empty() => Ok(text.to_owned()),
        Some(_) | None => Err(format!("is not a URL that starts with {}://", schemes.join(":// or "))),
    }
}

/// `docs/configuration.md`.
#[must_use]
pub fn markdown() -> String {
    let mut text = format!(
        "# Configuration\n\n\
         Environment variables go before the TOML file that `{CONFIG}` names, and the file before the defaults. An empty\n\
         variable counts as not set. A value that cannot be used, and a key of the file that is not in this table, stop the\n\
         start with a message that names it; a variable that begins with `VIGIE_` and is not in this table, such as a misspelt\n\
         one, is told in the log and changes nothing. Times are in seconds. Secrets come from the environment or from files, never from arguments,\n\
         and a server that other machines reach does not start with one that everybody tries.\n\n\
         | Variable | Key in the file | Default | What it does |\n|---|---|---|---|\n"
    );
    for declared in all() {
        let default = if declared.concrete_default() {
            format!("`{}`", declared.default)
        } else {
            declared.default.trim_start_matches('(').trim_end_matches(')').to_owned()
        };
        let (variable, key) = (declared.variable, declared.key());
        let secret = match declared.is_secret() {
            true => format!(" Secret: `{}` may name a file with it.", file_variable(variable)),
            false => String::new(),
        };
        writeln!(text, "| `{variable}` | `{key}` | {default} | {}{secret} |", declared.says)
            .expect("writing to a text cannot fail");
    }
    text.push_str(
        "\nA file with some of them:\n\n```toml\nlisten = \"127.0.0.1:8080\"\nlog = \"info,vigie_eventlog=debug\"\nlog_format = \"json\"\npool = 32\n```\n\n\
         On an open server (`VIGIE_OPEN`) `VIGIE_ACTOR` and the `Vigie-Actor` header of a request name who gives a command. The\n\
         name is taken as it comes: it is recorded with every event, and authenticates nobody. On any other server the log names\n\
         people and keys by their ids, and a request with that header is refused.\n",
    );
    text
}
