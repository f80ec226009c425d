//! Settings: environment variables over a TOML file over defaults.
//!
//! Each setting is declared once, in [`all`]: its name, its default, how it is read and what it says. The
//! documented table (`docs/configuration.md`) is made from the same declarations, and a test compares the two.

mod accounts;
mod edge;
mod file;
mod limits;
mod oidc;
mod protocols;
pub(crate) mod secrets;
mod table;
mod webhooks;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::limits::Limits;

pub use accounts::Accounts;
pub use edge::Edge;
pub use oidc::Oidc;
pub use protocols::Protocols;
pub use table::{Declared, all, markdown};
pub use webhooks::Webhooks;

/// The environment variable that names the TOML file.
pub const CONFIG: &str = "VIGIE_CONFIG";

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Human,
    /// One JSON object per line.
    Json,
}

/// Everything that can be set. A wrong value stops the start with a message that names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `DATABASE_URL`: the Postgres to use; a private one under the data folder without it.
    pub database_url: Option<String>,
    /// `VIGIE_MIGRATION_DATABASE_URL`: the owner's login to the same database; `DATABASE_URL` without it.
    pub migration_database_url: Option<String>,
    /// `REDIS_URL`: wakes other processes; nothing depends on it.
    pub redis_url: Option<String>,
    /// `VIGIE_DATA`: the data folder; chosen by where this account and Postgres may write without it.
    pub data: Option<PathBuf>,
    /// `VIGIE_POSTGRES_BIN`: the folder of the private Postgres's programs; found without it.
    pub postgres_bin: Option<PathBuf>,
    /// `VIGIE_LISTEN`: where to serve.
    pub listen: SocketAddr,
    /// `VIGIE_OPEN`: whether there are no accounts, so that whoever reaches the server may do everything.
    pub open: bool,
    /// `VIGIE_ACTOR`: who gives the commands of requests that do not say it.
    pub actor: String,
    /// `VIGIE_LOG`: which log lines are written.
    pub log: String,
    /// `VIGIE_LOG_FORMAT`: how they look.
    pub log_format: LogFormat,
    /// `VIGIE_DRAIN_SECONDS`: how long running requests may take after the signal to stop.
    pub drain: Duration,
    /// `VIGIE_DRAIN_LEAD_SECONDS`: how long readiness fails before new requests do.
    pub drain_lead: Duration,
    /// `VIGIE_POOL`: the most database connections of the write side; requests that read have as many of their own.
    pub pool_size: u32,
    /// `VIGIE_REFUSALS` and `VIGIE_REFUSAL_DAYS`: how much is kept of what was refused.
    pub refusals: vigie_commands::refusals::Keep,
    /// `VIGIE_BODY_LIMIT`: the largest request body in bytes.
    pub body_limit: usize,
    /// `VIGIE_REQUEST_SECONDS`: the longest that a request may take.
    pub request_timeout: Duration,
    /// `VIGIE_WS_INIT_SECONDS`: how long a WebSocket may stay silent before it says who it is.
    pub ws_init_timeout: Duration,
    /// How the server meets the network.
    pub edge: Edge,
    /// `VIGIE_PUBLIC_URL`: under what browsers reach this server, without a slash at the end.
    pub public_url: Option<String>,
    /// How people sign in through another system.
    pub oidc: Oidc,
    /// How GraphQL is spoken.
    pub protocols: Protocols,
    /// What nobody may exceed.
    pub limits: Limits,
    /// How people sign in.
    pub accounts: Accounts,
    /// How events are delivered to other systems.
    pub webhooks: Webhooks,
}

/// Names of environment variables that are meant for Vigie, and are no settings: mistyped ones would otherwise be missed.
pub fn unknown(names: impl Iterator<Item = std::ffi::OsString>) -> Vec<String> {
    let is_setting = |name: &str| {
        name == CONFIG || all().any(|all| name == all.variable || name.strip_suffix("_FILE") == Some(all.variable))
    };
    let names = names.filter_map(|name| name.into_string().ok());
    names.filter(|name| name.starts_with("VIGIE_") && !is_setting(name)).collect()
}

/// A setting that cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {problem}")]
pub struct SettingsError {
    /// The environment variable, or the file, line and key.
    pub name: String,
    /// What is wrong and what would be right.
    pub problem: String,
}

impl Settings {
    /// Reads the environment and the file that `VIGIE_CONFIG` names.
    ///
    /// # Errors
    /// A value that cannot be used, a key that no setting has, or a file that cannot be read.
    pub fn load() -> Result<Self, SettingsError> {
        let environment = |name: &str| std::env::var_os(name);
        let file = match environment(CONFIG).filter(|path| !path.is_empty()) {
            Some(path) => Some(file::read(Path::new(&path))?),
            None => None,
        };
        Self::from_sources(environment, file.as_ref().map(|(path, text)| (path.as_str(), text.as_str())))
    }

    /// Takes each setting from `environment`, else from the TOML text of `file` (its name and content), else its default.
    ///
    /// # Errors
    /// A value that cannot be used, or a key that no setting has.
    pub fn from_sources(
        environment: impl Fn(&str) -> Option<std::ffi::OsString>,
        file: Option<(&str, &str)>,
    ) -> Result<Self, SettingsError> {
        let mut settings = Self::defaults();
        if let Some((path, text)) = file {
            for entry in file::entries(path, text)? {
                let problem =
                    |problem| SettingsError { name: format!("{path}:{}: {}", entry.line, entry.key), problem };
                let declared = all()
                    .find(|declared| declared.key() == entry.key || declared.file_key().as_ref() == Some(&entry.key))
                    .ok_or_else(|| problem("no such setting; docs/configuration.md lists them".to_owned()))?;
                let value = match declared.key() == entry.key {
                    true => entry.value,
                    false => secrets::read(&entry.value).map_err(problem)?,
                };
                (declared.read)(&mut settings, &value).map_err(problem)?;
            }
        }
        for declared in all() {
            let Some((name, value)) = declared.in_environment(&environment)? else { continue };
            (declared.read)(&mut settings, &value).map_err(|problem| SettingsError { name, problem })?;
        }
        Ok(settings)
    }

    /// What holds where nothing is set.
    #[must_use]
    pub fn defaults() -> Self {
        Self {
            database_url: None,
            migration_database_url: None,
            redis_url: None,
            data: None,
            postgres_bin: None,
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            open: false,
            actor: "operator:local".to_owned(),
            log: "info,sqlx=warn".to_owned(),
            log_format: LogFormat::Human,
            drain: Duration::from_secs(10),
            drain_lead: Duration::from_secs(2),
            pool_size: 16,
            refusals: vigie_commands::refusals::Keep { count: 100_000, age: chrono::TimeDelta::days(90) },
            body_limit: 1024 * 1024,
            request_timeout: Duration::from_secs(60),
            ws_init_timeout: Duration::from_secs(3),
            edge: Edge::default(),
            public_url: None,
            oidc: Oidc::default(),
            protocols: Protocols::default(),
            limits: Limits::default(),
            accounts: Accounts::default(),
            webhooks: Webhooks::default(),
        }
    }

    /// The defaults of a server without accounts, for whoever measures or tests what is not about them.
    #[must_use]
    pub fn open() -> Self {
        Self { open: true, ..Self::defaults() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(variables: &[(&str, &str)], file: Option<&str>) -> Result<Settings, SettingsError> {
        let find = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into());
        Settings::from_sources(find, file.map(|text| ("vigie.toml", text)))
    }

    #[test]
    fn the_environment_goes_before_the_file_and_the_file_before_the_defaults() {
        let file = "listen = \"127.0.0.1:1\"\npool = 5\nallow_remote = true";
        let settings = from(&[("VIGIE_LISTEN", "127.0.0.1:2")], Some(file)).unwrap();
        assert_eq!((settings.listen.port(), settings.pool_size, settings.edge.allow_remote), (2, 5, true));
        assert_eq!(settings.drain, Settings::defaults().drain);
    }

    #[test]
    fn a_variable_that_is_no_setting_is_found() {
        let names = ["PATH", "VIGIE_POOL", CONFIG, "VIGIE_MAX_DEPHT", "REDIS_URL"].map(Into::into);
        assert_eq!(unknown(names.into_iter()), ["VIGIE_MAX_DEPHT"]);
    }

    #[test]
    fn an_empty_variable_is_not_set() {
        assert_eq!(from(&[("VIGIE_LISTEN", "")], None).unwrap(), Settings::defaults());
    }

    #[test]
    fn a_wrong_value_names_its_variable() {
        for (variable, value) in [
            ("VIGIE_LISTEN", "localhost"),
            ("VIGIE_ALLOW_REMOTE", "maybe"),
            ("VIGIE_OPEN", "yes"),
            ("VIGIE_HOSTS", "https://vigie.example"),
            ("VIGIE_HOSTS", "vigie.example:8080"),
            ("VIGIE_HOSTS", "a,,b"),
            ("VIGIE_ALLOW_PLAIN", "yes"),
            ("VIGIE_HEAD_SECONDS", "0"),
            ("VIGIE_CONNECTIONS", "9"),
            ("VIGIE_ADDRESS_CONNECTIONS", "0"),
            ("VIGIE_HSTS_SECONDS", "-1"),
            ("VIGIE_OIDC_SESSION_MINUTES", "4"),
            ("VIGIE_OIDC_ISSUER", "http://id.example"),
            ("VIGIE_OIDC_ISSUER", "https://id.example?x=y"),
            ("VIGIE_OIDC_SCOPES", "profile"),
            ("VIGIE_OIDC_ROLES", "ops"),
            ("VIGIE_OIDC_ROLES", "ops=root"),
            ("VIGIE_OIDC_ROLES", "=admin"),
            ("VIGIE_OIDC_PROVISION", "maybe"),
            ("VIGIE_PUBLIC_URL", "vigie.example"),
            ("VIGIE_PUBLIC_URL", "https://vigie.example/path"),
            ("VIGIE_LOG", "vigie=loud"),
            ("VIGIE_LOG_FORMAT", "xml"),
            ("VIGIE_DRAIN_SECONDS", "-1"),
            ("VIGIE_POOL", "1"),
            ("VIGIE_REFUSALS", "0"),
            ("VIGIE_REFUSAL_DAYS", "never"),
            ("VIGIE_BODY_LIMIT", "12"),
            ("VIGIE_REQUEST_SECONDS", "0"),
            ("VIGIE_WS_INIT_SECONDS", "soon"),
            ("VIGIE_ACTOR", "two words"),
            ("VIGIE_DOCUMENTS_ONLY", "yes"),
            ("VIGIE_AUTOMATIC_DOCUMENT_BYTES", "-1"),
            ("VIGIE_BATCH", "101"),
            ("VIGIE_INTROSPECTION", "on"),
            ("VIGIE_SUGGESTIONS", "1"),
            ("VIGIE_INVALID_STATUS", "404"),
            ("VIGIE_STREAMS", "0"),
            ("VIGIE_STREAM_SECONDS", "0"),
            ("VIGIE_KEEP_ALIVE_SECONDS", "0"),
            ("VIGIE_WEBHOOK_KEY", "short"),
            ("VIGIE_WEBHOOK_ALLOW", "10.0.0.1/33"),
            ("VIGIE_WEBHOOK_PLAIN", "yes"),
            ("VIGIE_WEBHOOK_DELIVER", "no"),
            ("VIGIE_WEBHOOK_REQUESTS", "1"),
            ("VIGIE_WEBHOOK_DAYS", "0"),
            ("VIGIE_MAX_TOKENS", "99"),
            ("VIGIE_MAX_NESTING", "65"),
            ("VIGIE_MAX_DEPTH", "3"),
            ("VIGIE_MAX_FIELDS", "1"),
            ("VIGIE_MAX_ALIASES", "-1"),
            ("VIGIE_MAX_DIRECTIVES", "many"),
            ("VIGIE_MAX_ROOT_FIELDS", "0"),
            ("VIGIE_MAX_PAGE", "1001"),
            ("VIGIE_MAX_COST", "999"),
            ("VIGIE_SHOW_COST", "1"),
            ("VIGIE_OPERATION_SECONDS", "0"),
            ("VIGIE_MAX_OPERATIONS", "0"),
            ("VIGIE_MAX_SUBSCRIPTIONS", "0"),
            ("VIGIE_MAX_SOCKET_OPERATIONS", "0"),
            ("VIGIE_RATE", "999"),
            ("VIGIE_RATE_SECONDS", "0"),
            ("VIGIE_ADDRESS_SHARE", "0"),
            ("VIGIE_TRUSTED_PROXIES", "10.0.0.1, proxy"),
            ("DATABASE_URL", "mysql://localhost/x"),
            ("VIGIE_MIGRATION_DATABASE_URL", "localhost"),
            ("REDIS_URL", "http://localhost"),
        ] {
            let error = from(&[(variable, value)], None).unwrap_err();
            assert_eq!(error.name, variable, "{error}");
            assert!(!error.problem.is_empty());
        }
    }

    #[test]
    fn a_secret_may_stand_in_a_file_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("url").to_str().unwrap().to_owned();
        std::fs::write(&path, "postgres://me@localhost/x\n").unwrap();
        let expected = Some("postgres://me@localhost/x".to_owned());
        assert_eq!(from(&[("DATABASE_URL_FILE", &path)], None).unwrap().database_url, expected);
        assert_eq!(from(&[], Some(&format!("database_url_file = '{path}'"))).unwrap().database_url, expected);
        let both = from(&[("DATABASE_URL_FILE", &path), ("DATABASE_URL", "postgres://x/y")], None).unwrap_err();
        assert_eq!(both.name, "DATABASE_URL_FILE");
        let none = from(&[("REDIS_URL_FILE", "/nowhere/at/all")], None).unwrap_err();
        assert!(none.problem.contains("cannot be read"), "{none}");
        std::fs::write(&path, "\n").unwrap();
        assert!(from(&[("DATABASE_URL_FILE", &path)], None).unwrap_err().problem.contains("is empty"));
        // What is no secret has no file.
        assert_eq!(from(&[("VIGIE_POOL_FILE", &path)], None).unwrap(), Settings::defaults());
        assert!(from(&[], Some("pool_file = 'x'")).is_err());
    }

    #[test]
    fn a_password_in_a_wrong_url_is_not_repeated() {
        let error = from(&[("DATABASE_URL", "mysql://me:secret@localhost/x")], None).unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }

    #[test]
    fn the_file_is_named_with_line_and_key() {
        let unknown = from(&[], Some("pool = 4\n\nlisten_on = 1")).unwrap_err();
        assert_eq!(unknown.name, "vigie.toml:3: listen_on");
        let wrong = from(&[], Some("# pool\npool = \"many\"")).unwrap_err();
        assert_eq!(wrong.name, "vigie.toml:2: pool");
        let shape = from(&[], Some("pool = [1]")).unwrap_err();
        assert_eq!(shape.name, "vigie.toml:1: pool");
        let broken = from(&[], Some("pool = 4\nlisten =")).unwrap_err();
        assert_eq!(broken.name, "vigie.toml:2");
    }

    #[test]
    fn beyond_loopback_only_when_told_so_and_over_tls_and_with_accounts() {
        let remote = ("VIGIE_ALLOW_REMOTE", "true");
        let certificate = ("VIGIE_TLS_CERTIFICATE", "cert.pem");
        for (listen, more, fine) in [
            ("127.0.0.1:1", &[][..], true),
            ("[::1]:1", &[], true),
            ("0.0.0.0:1", &[], false),
            ("192.168.1.2:1", &[], false),
            ("0.0.0.0:1", &[remote], false),
            ("0.0.0.0:1", &[remote, certificate, ("VIGIE_TLS_KEY", "key.pem")], true),
            ("0.0.0.0:1", &[remote, ("VIGIE_TRUSTED_PROXIES", "10.0.0.1")], true),
            ("0.0.0.0:1", &[remote, ("VIGIE_ALLOW_PLAIN", "true")], true),
            ("127.0.0.1:1", &[certificate], false),
            ("127.0.0.1:1", &[("VIGIE_OPEN", "true")], true),
            ("127.0.0.1:1", &[("VIGIE_OPEN", "true"), remote], false),
            ("0.0.0.0:1", &[("VIGIE_OPEN", "true"), remote, ("VIGIE_ALLOW_PLAIN", "true")], false),
        ] {
            let variables: Vec<_> = [("VIGIE_LISTEN", listen)].iter().chain(more).copied().collect();
            assert_eq!(from(&variables, None).unwrap().check_listen().is_ok(), fine, "{variables:?}");
        }
    }

    #[test]
    fn the_server_is_found_where_it_is_said_to_be_and_else_where_it_listens() {
        let tls = [("VIGIE_TLS_CERTIFICATE", "cert.pem"), ("VIGIE_TLS_KEY", "key.pem")];
        for (listen, more, url) in [
            ("127.0.0.1:1", &[][..], "http://127.0.0.1:1"),
            ("0.0.0.0:1", &[], "http://127.0.0.1:1"),
            ("[::]:1", &tls, "https://[::1]:1"),
            ("192.168.1.2:1", &tls, "https://192.168.1.2:1"),
            ("0.0.0.0:1", &[("VIGIE_PUBLIC_URL", "https://vigie.example.org/")], "https://vigie.example.org"),
        ] {
            let variables: Vec<_> = [("VIGIE_LISTEN", listen)].iter().chain(more).copied().collect();
            let settings = from(&variables, None).unwrap();
            assert_eq!(settings.url_at(settings.listen), url);
        }
    }

    #[test]
    fn each_documented_default_is_the_one_in_force() {
        for declared in all().filter(|declared| declared.concrete_default()) {
            let told = from(&[(declared.variable, declared.default)], None).unwrap();
            assert_eq!(told, Settings::defaults(), "{}", declared.variable);
        }
    }

    #[test]
    fn the_documented_table_is_the_declared_one() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/configuration.md");
        if std::env::var_os("VIGIE_WRITE_GENERATED").is_some() {
            std::fs::write(&path, markdown()).unwrap();
        }
        let found = std::fs::read_to_string(&path).unwrap();
        assert!(found == markdown(), "docs/configuration.md is old: run the tests with VIGIE_WRITE_GENERATED=1");
    }
}
