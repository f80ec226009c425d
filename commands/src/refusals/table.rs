//! The table `refusal`.

use chrono::{DateTime, Utc};
use sqlx::PgPool;

use super::{Keep, Refusal};

/// Parts lists within a list, as the log does.
const SEPARATOR: &str = "\u{1f}";

/// Writes all of them. The site of what is named by a bare id is that of the first event about it.
pub(super) async fn insert(pool: &PgPool, refusals: &[Refusal]) -> Result<(), sqlx::Error> {
    fn all<T>(refusals: &[Refusal], take: impl Fn(&Refusal) -> T) -> Vec<T> {
        refusals.iter().map(take).collect()
    }
    sqlx::query!(
        r#"insert into refusal (position, refused_at, actor, command, command_id, correlation_id, causation_id, site,
                                things, code, message, details, input)
           select r.position, r.refused_at, r.actor, r.command, r.command_id, r.correlation_id, r.causation_id,
                  coalesce(r.site, (
                      select e.site from unnest(string_to_array(r.things, $14)) thing (tag)
                      cross join lateral (
                          select t.position from event_tag t where t.tag = thing.tag order by t.position limit 1) first
                      join event e on e.position = first.position
                      limit 1)),
                  string_to_array(r.things, $14), r.code, r.message, r.details::json, r.input::json
           from unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::text[], $5::uuid[], $6::uuid[], $7::uuid[],
                       $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[])
                with ordinality
                r (position, refused_at, actor, command, command_id, correlation_id, causation_id, site, things, code,
                   message, details, input, place)
           order by r.place"#,
        &all(refusals, |r| r.position),
        &all(refusals, |r| r.refused_at),
        &all(refusals, |r| r.order.actor.clone()),
        &all(refusals, |r| r.command.to_string()),
        &all(refusals, |r| r.order.command_id),
        &all(refusals, |r| r.order.correlation_id.unwrap_or(r.order.command_id)),
        &all(refusals, |r| r.order.causation_id) as &[Option<uuid::Uuid>],
        &all(refusals, |r| r.site.clone()) as &[Option<String>],
        &all(refusals, |r| r.things.join(SEPARATOR)),
        &all(refusals, |r| r.code.to_owned()),
        &all(refusals, |r| r.message.clone()),
        &all(refusals, |r| r.details.to_string()),
        &all(refusals, |r| r.input.to_string()),
        SEPARATOR,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Forgets what an actor wrote into the commands that were refused to them. That they were refused stays.
///
/// # Errors
/// The database failed.
pub async fn forget(pool: &PgPool, actor: &str) -> Result<(), sqlx::Error> {
    sqlx::query!("update refusal set input = '{}' where actor = $1", actor).execute(pool).await?;
    Ok(())
}

/// Removes what is too old or too much, the oldest first, a thousand at a time so that no lock is held for long; how
/// many there were.
///
/// # Errors
/// The database failed.
pub async fn prune(pool: &PgPool, keep: Keep, now: DateTime<Utc>) -> Result<u64, sqlx::Error> {
    const AT_ONCE: u64 = 1_000;
    let mut pruned = 0;
    loop {
        // Ids have gaps, so the count is never exceeded.
        let gone = sqlx::query!(
            "delete from refusal where id in (
                 select oldest.id from (select id, refused_at from refusal order by id limit $3) oldest
                 where oldest.refused_at < $1 or oldest.id <= (select max(id) from refusal) - $2
             )",
            now - keep.age,
            keep.count,
            AT_ONCE.cast_signed(),
        )
        .execute(pool)
        .await?
        .rows_affected();
        pruned += gone;
        if gone < AT_ONCE {
            return Ok(pruned);
        }
    }
}
