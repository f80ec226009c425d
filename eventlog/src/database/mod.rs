//! The database before the log is opened: migrated, and with two roles.
//!
//! The role that migrates owns the log. The application runs as [`APPLICATION`], which may read the log and call
//! `log_append`, and has no right to insert, update, delete or truncate in it: what a fault in the program, or somebody
//! who has taken it over, cannot do either.

use std::collections::BTreeMap;

use sqlx::migrate::MigrateError;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};

use crate::MIGRATOR;

/// The role that the application runs as. It belongs to the whole server, so several databases share it.
pub const APPLICATION: &str = "vigie_app";

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// It does not answer, or refuses the login.
    #[error("the database cannot be reached")]
    Connect(#[source] sqlx::Error),
    /// A migration failed, or the database was migrated by a newer version.
    #[error("the database cannot be migrated")]
    Migrate(#[source] MigrateError),
    /// The login may not migrate, and there is something to migrate.
    #[error(
        "the database lacks migrations {missing:?}, and the login {login} may not apply them: name a login that may in \
         VIGIE_MIGRATION_DATABASE_URL"
    )]
    NotMigrated {
        /// Their numbers.
        missing: Vec<i64>,
        /// The role that it was tried with.
        login: String,
    },
    /// What was applied differs from this version, or is of a newer one.
    #[error("the database was migrated by another version: {differing:?} are not this version's")]
    OtherVersion {
        /// Their numbers.
        differing: Vec<i64>,
    },
    /// The roles cannot be looked at.
    #[error("the database's roles cannot be set up")]
    Roles(#[source] sqlx::Error),
}

/// Migrates the database as `owner` and gives the application's role its rights.
///
/// A login that may not migrate is content when there is nothing to migrate; one that may not make roles leaves them
/// as they are, with a warning.
///
/// # Errors
/// The database cannot be reached or migrated.
pub async fn prepare(owner: &PgConnectOptions) -> Result<(), PrepareError> {
    let mut connection = owner.connect().await.map_err(PrepareError::Connect)?;
    let login = login(&mut connection).await.map_err(PrepareError::Roles)?;
    if login.may_migrate {
        MIGRATOR.run(&mut connection).await.map_err(PrepareError::Migrate)?;
        give_rights(&mut connection).await?;
    } else {
        check_migrated(&mut connection, login.name).await?;
    }
    connection.close().await.map_err(PrepareError::Connect)
}

/// How the application connects with a login: as [`APPLICATION`] if the login is it or may become it; else as it is,
/// with a warning, since then the log is held append-only by its triggers alone.
///
/// # Errors
/// The database does not answer.
pub async fn as_application(login: &PgConnectOptions) -> Result<PgConnectOptions, PrepareError> {
    if login.get_username() == APPLICATION {
        return Ok(login.clone());
    }
    let restricted = in_role(login);
    match restricted.connect().await {
        Ok(connection) => {
            connection.close().await.map_err(PrepareError::Connect)?;
            Ok(restricted)
        }
        // Refused by the server, not by the network: without the role it may be let in.
        Err(sqlx::Error::Database(refused)) => {
            let plain = login.connect().await.map_err(PrepareError::Connect)?;
            plain.close().await.map_err(PrepareError::Connect)?;
            tracing::warn!(
                reason = %refused,
                "this login cannot become {APPLICATION}: it keeps all its rights, and only triggers keep the log append-only"
            );
            Ok(login.clone())
        }
        Err(error) => Err(PrepareError::Connect(error)),
    }
}

/// The same login with the rights of [`APPLICATION`].
pub(crate) fn in_role(login: &PgConnectOptions) -> PgConnectOptions {
    login.clone().options([("role", APPLICATION)])
}

struct Login {
    name: String,
    may_migrate: bool,
}

async fn login(connection: &mut PgConnection) -> Result<Login, sqlx::Error> {
    sqlx::query_as!(
        Login,
        r#"select current_user::text as "name!",
                  coalesce(has_schema_privilege(current_schema(), 'create'), false) and coalesce((
                      select pg_has_role(c.relowner, 'usage') from pg_class c
                      where c.oid = to_regclass('_sqlx_migrations')), true) as "may_migrate!""#
    )
    .fetch_one(connection)
    .await
}

/// The application's login alone: everything must be applied already, and be what this version knows.
async fn check_migrated(connection: &mut PgConnection, login: String) -> Result<(), PrepareError> {
    // The table is the migrator's own, made by its first run: a query that is checked at build time cannot know it.
    let applied: Vec<(i64, Vec<u8>)> = sqlx::query_as("select version, checksum from _sqlx_migrations where success")
        .fetch_all(connection)
        .await
        .map_err(PrepareError::Roles)?;
    let mut applied: BTreeMap<i64, Vec<u8>> = applied.into_iter().collect();
    let (mut missing, mut differing) = (Vec::new(), Vec::new());
    for migration in MIGRATOR.iter() {
        match applied.remove(&migration.version) {
            None => missing.push(migration.version),
            Some(checksum) if checksum != *migration.checksum => differing.push(migration.version),
            Some(_) => {}
        }
    }
    differing.extend(applied.into_keys());
    match (missing.is_empty(), differing.is_empty()) {
        (true, true) => Ok(()),
        (_, false) => Err(PrepareError::OtherVersion { differing }),
        (false, true) => Err(PrepareError::NotMigrated { missing, login }),
    }
}

async fn give_rights(connection: &mut PgConnection) -> Result<(), PrepareError> {
    const ATTEMPTS: u32 = 20;
    for _ in 1..ATTEMPTS {
        match sqlx::raw_sql(include_str!("rights.sql")).execute(&mut *connection).await {
            Err(error) if is_about_somebody_else(&error) => {}
            outcome => return settled(outcome.map(drop)),
        }
    }
    settled(sqlx::raw_sql(include_str!("rights.sql")).execute(connection).await.map(drop))
}

fn settled(outcome: Result<(), sqlx::Error>) -> Result<(), PrepareError> {
    match outcome {
        Err(error) if code(&error).as_deref() == Some("42501") => {
            tracing::warn!(
                error = %error,
                "the application's role {APPLICATION} cannot be set up: let an administrator make it and grant it to this login"
            );
            Ok(())
        }
        outcome => outcome.map_err(PrepareError::Roles),
    }
}

/// Another database of the server was making or granting the role at the same moment (there is no lock across
/// databases): a duplicate key in the catalogue, or `tuple concurrently updated`.
fn is_about_somebody_else(error: &sqlx::Error) -> bool {
    matches!(code(error).as_deref(), Some("23505" | "42710" | "XX000" | "40P01"))
}

fn code(error: &sqlx::Error) -> Option<String> {
    error.as_database_error()?.code().map(|code| code.into_owned())
}
