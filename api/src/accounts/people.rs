//! Who people are: the table `person`, and what hangs on it.

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;
use vigie_domain::identity::UserId;

use super::Username;

/// What is known of a person beside the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) user: UserId,
    pub(crate) username: String,
    pub(crate) full_name: String,
    pub(crate) email: Option<String>,
    pub(crate) note: String,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) changed_at: DateTime<Utc>,
}

/// Who somebody is to be; the texts may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Details {
    pub(crate) username: Username,
    pub(crate) full_name: String,
    pub(crate) email: Option<String>,
    pub(crate) note: String,
}

/// What is to be changed of a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    pub(crate) username: Option<Username>,
    pub(crate) full_name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) note: Option<String>,
}

/// The longest of the texts, in characters.
const LONGEST: usize = 500;

/// Why a person cannot be written down.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PersonError {
    /// Somebody else is called so.
    #[error("somebody is called {username} already")]
    Taken {
        /// The name, as it was given.
        username: String,
    },
    /// A text is too long, or holds what no line of text does.
    #[error("{field} has at most {LONGEST} characters, and no control characters but line breaks")]
    Text {
        /// Which one.
        field: &'static str,
    },
    /// It is no address.
    #[error("an e-mail address is two texts with one @ between them, without blanks")]
    Email,
    /// There is no such person, or they were erased.
    #[error("there is nobody of that id")]
    Nobody,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

fn check_texts(texts: [(&'static str, Option<&str>); 3]) -> Result<(), PersonError> {
    let wrong = |text: &str| {
        text.chars().count() > LONGEST || text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
    };
    match texts.into_iter().find(|(_, text)| text.is_some_and(wrong)) {
        Some((field, _)) => Err(PersonError::Text { field }),
        None => Ok(()),
    }
}

/// Whether a text has the shape of an e-mail address. Whether it is one is known to whoever writes to it.
pub(super) fn is_address(text: &str) -> bool {
    let parts = text.split_once('@').filter(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'));
    parts.is_some() && !text.contains(char::is_whitespace)
}

/// An empty one is none.
fn check_email(email: Option<&str>) -> Result<(), PersonError> {
    match email {
        Some(text) if !text.is_empty() && !is_address(text) => Err(PersonError::Email),
        Some(_) | None => Ok(()),
    }
}

/// That of a name that somebody has, by the constraint that says so.
fn taken(error: sqlx::Error, username: Option<&Username>) -> PersonError {
    let constraint = error.as_database_error().and_then(|error| error.constraint());
    match (constraint, username) {
        (Some("person_username_once"), Some(username)) => PersonError::Taken { username: username.as_str().to_owned() },
        _ => error.into(),
    }
}

/// Writes a person down.
pub(crate) async fn insert(
    pool: &PgPool,
    user: UserId,
    details: &Details,
    now: DateTime<Utc>,
) -> Result<(), PersonError> {
    let Details { username, full_name, email, note } = details;
    check_texts([
        ("the full name", Some(full_name)),
        ("the e-mail address", email.as_deref()),
        ("the note", Some(note)),
    ])?;
    check_email(email.as_deref())?;
    sqlx::query!(
        "insert into person (user_id, username, full_name, email, note, created_at, changed_at)
         values ($1, $2, $3, $4, $5, $6, $6)",
        user.uuid(),
        username.as_str(),
        full_name,
        email.as_deref().filter(|email| !email.is_empty()),
        note,
        now,
    )
    .execute(pool)
    .await
    .map_err(|error| taken(error, Some(username)))?;
    Ok(())
}

/// Changes what is given; an empty e-mail address is none.
pub(crate) async fn change(
    pool: &PgPool,
    user: UserId,
    changes: &Changes,
    now: DateTime<Utc>,
) -> Result<(), PersonError> {
    let Changes { username, full_name, email, note } = changes;
    check_texts([
        ("the full name", full_name.as_deref()),
        ("the e-mail address", email.as_deref()),
        ("the note", note.as_deref()),
    ])?;
    check_email(email.as_deref())?;
    let changed = sqlx::query!(
        "update person set username = coalesce($2, username), full_name = coalesce($3, full_name),
                           email = nullif(coalesce($4, email), ''), note = coalesce($5, note), changed_at = $6
         where user_id = $1",
        user.uuid(),
        username.as_ref().map(Username::as_str),
        full_name.as_deref(),
        email.as_deref(),
        note.as_deref(),
        now,
    );
    let changed = changed.execute(pool).await.map_err(|error| taken(error, username.as_ref()))?;
    if changed.rows_affected() == 0 { Err(PersonError::Nobody) } else { Ok(()) }
}

/// Forgets a person, with everything that hangs on them.
pub(crate) async fn erase(pool: &PgPool, user: UserId) -> Result<bool, sqlx::Error> {
    let erased = sqlx::query!("delete from person where user_id = $1", user.uuid()).execute(pool).await?;
    Ok(erased.rows_affected() > 0)
}

/// Those of these ids that are known.
pub(crate) async fn find(pool: &PgPool, users: &[UserId]) -> Result<Vec<Person>, sqlx::Error> {
    let ids: Vec<Uuid> = users.iter().map(|user| user.uuid()).collect();
    let people = sqlx::query_as!(
        Person,
        "select user_id as user, username, full_name, email, note, created_at, changed_at
         from person where user_id = any ($1)",
        &ids,
    );
    people.fetch_all(pool).await
}

/// Who is called so.
pub(crate) async fn by_username(pool: &PgPool, username: &str) -> Result<Option<Person>, sqlx::Error> {
    // Not all that anybody may send is text that Postgres takes.
    if Username::new(username).is_err() {
        return Ok(None);
    }
    let person = sqlx::query_as!(
        Person,
        "select user_id as user, username, full_name, email, note, created_at, changed_at
         from person where lower(username) = lower($1)",
        username,
    );
    person.fetch_optional(pool).await
}

/// The hash of somebody's password; none when they have none.
pub(crate) async fn password_of(pool: &PgPool, user: UserId) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!("select hash from credential where user_id = $1", user.uuid()).fetch_optional(pool).await
}

/// Keeps the hash of somebody's password in place of the one before.
pub(crate) async fn keep_password(
    pool: &PgPool,
    user: UserId,
    hash: &str,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into credential (user_id, hash, changed_at) values ($1, $2, $3)
         on conflict on constraint credential_pk do update set hash = excluded.hash, changed_at = excluded.changed_at",
        user.uuid(),
        hash,
        now,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Whom another system means.
pub(crate) async fn by_identity(pool: &PgPool, issuer: &str, subject: &str) -> Result<Option<UserId>, sqlx::Error> {
    let user = sqlx::query_scalar!(
        "select user_id from external_identity where issuer = $1 and subject = $2",
        issuer,
        subject
    );
    Ok(user.fetch_optional(pool).await?.map(UserId::from))
}

/// Keeps whom another system means.
pub(crate) async fn keep_identity(pool: &PgPool, issuer: &str, subject: &str, user: UserId) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into external_identity (issuer, subject, user_id) values ($1, $2, $3)
         on conflict on constraint external_identity_pk do nothing",
        issuer,
        subject,
        user.uuid(),
    )
    .execute(pool)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::is_address;

    #[test]
    fn an_address_has_two_parts() {
        for text in ["a@b", "lead.ramp+night@ops.example.org", "é@example.org"] {
            assert!(is_address(text), "{text:?}");
        }
        for text in ["", "a", "@", "a@", "@b", "a@b@c", "a b@c", "a@b c", " a@b", "a@b\n"] {
            assert!(!is_address(text), "{text:?}");
        }
    }
}
