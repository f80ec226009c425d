//! What is compared as a whole, by the database.

use futures_util::TryStreamExt;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Checked, Part};

/// The head, and whether the tables end with it.
pub(super) async fn head(snapshot: &mut PgConnection, checked: &mut Checked) -> Result<(), sqlx::Error> {
    let row = sqlx::query!(
        r#"select h.position, greatest(last.position, h.archived_until) as "last!",
                  coalesce(last.recorded_at > h.recorded_at, false) as "late!",
                  (select max(t.position) from event_tag t where t.position > h.position) as tagged,
                  (select max(c.last_position) from command c where c.last_position > h.position) as commanded
           from log_head h
           left join lateral (select e.position, e.recorded_at from event e order by e.position desc limit 1) last on true"#
    )
    .fetch_one(snapshot)
    .await?;
    checked.head = row.position;
    if row.last != row.position {
        checked.find(row.last, format!("it is the last event, and the log's head says {}", row.position));
    }
    if row.late {
        checked.find(row.last, "it was recorded later than the log's head says");
    }
    if let Some(position) = row.tagged {
        checked.find(position, "the tag table has a row of it, beyond the log's head");
    }
    if let Some(position) = row.commanded {
        checked.find(position, "the table of commands has a row of it, beyond the log's head");
    }
    Ok(())
}

/// Whether the triggers that refuse changes are on every table of the log, and fire for everybody.
pub(super) async fn protection(snapshot: &mut PgConnection, checked: &mut Checked) -> Result<(), sqlx::Error> {
    let open = sqlx::query_scalar!(
        r#"select c.relname as "table!" from pg_class c
           where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
             and (c.oid in ('event'::regclass, 'event_tag'::regclass, 'command'::regclass)
                  or c.oid in (select inhrelid from pg_inherits
                               where inhparent in ('event'::regclass, 'event_tag'::regclass)))
             and not exists (select from pg_trigger t where t.tgrelid = c.oid and t.tgenabled = 'A'
                               and t.tgfoid = 'refuse_change'::regproc)
           order by c.relname"#
    );
    for table in open.fetch_all(snapshot).await? {
        checked.find(None, format!("nothing refuses changes of the table {table}: its trigger is off or gone"));
    }
    Ok(())
}

/// What is not archived, up to the head.
pub(super) async fn parts(snapshot: &mut PgConnection, checked: &mut Checked) -> Result<Vec<Part>, sqlx::Error> {
    let archived = sqlx::query!(
        "select first_position, last_position from log_range
         where state = 'archived' and first_position <= $1 order by first_position",
        checked.head
    );
    let (mut parts, mut after) = (Vec::new(), 0);
    for range in archived.fetch_all(snapshot).await? {
        parts.push((after, range.first_position - 1));
        checked.archived += range.last_position - range.first_position + 1;
        after = range.last_position;
    }
    parts.push((after, checked.head));
    parts.retain(|(after, until)| after < until);
    Ok(parts)
}

/// Tags and types of events, against the tag table.
pub(super) async fn tags(
    snapshot: &mut PgConnection,
    (after, until): Part,
    checked: &mut Checked,
) -> Result<(), sqlx::Error> {
    let mut rows = sqlx::query!(
        r#"select coalesce(e.position, t.position) as "position!", coalesce(e.tag, t.tag) as "tag!", e.kind as "kind?", t.kind as "listed?"
           from (select distinct e.position, tag.tag, e.kind from event e cross join lateral unnest(e.tags) tag(tag)
                 where e.position > $1 and e.position <= $2) e
           full join (select t.position, t.tag, t.kind from event_tag t where t.position > $1 and t.position <= $2) t
                on t.position = e.position and t.tag = e.tag
           where e.kind is distinct from t.kind
           order by 1, 2"#,
        after,
        until
    )
    .fetch(snapshot);
    while let Some(row) = rows.try_next().await? {
        let tag = &row.tag;
        let problem = match (&row.kind, &row.listed) {
            (Some(_), None) => format!("it carries the tag {tag}, which the tag table does not have"),
            (None, _) => format!("the tag table has the tag {tag}, which it does not carry"),
            (Some(kind), Some(listed)) => format!("it is a {kind}, and with the tag {tag} the tag table says {listed}"),
        };
        checked.find(row.position, problem);
    }
    Ok(())
}

/// Commands without events. Those that have events have been looked up, so it is enough to count as long as that agrees;
/// a command whose last event is archived has been counted by nobody.
pub(super) async fn commands(
    snapshot: &mut PgConnection,
    known: i64,
    checked: &mut Checked,
) -> Result<(), sqlx::Error> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from command c
           where c.first_position <= $1
             and not exists (select from log_range r
                             where r.state = 'archived' and c.last_position between r.first_position and r.last_position)"#,
        checked.head
    );
    if count.fetch_one(&mut *snapshot).await? == known {
        return Ok(());
    }
    let mut rows = sqlx::query!(
        "select c.id, c.name, c.first_position, c.last_position from command c
         where c.first_position <= $1
           and not exists (select from log_range r
                           where r.state = 'archived' and c.last_position between r.first_position and r.last_position)
         order by c.first_position, c.id",
        checked.head
    )
    .fetch(snapshot);
    let mut before: Option<(Uuid, i64)> = None;
    while let Some(row) = rows.try_next().await? {
        if row.first_position < 1 || row.last_position < row.first_position {
            let (name, first, last) = (&row.name, row.first_position, row.last_position);
            checked.find(first, format!("the table of commands has {name} {} at {first} to {last}", row.id));
            continue;
        }
        if let Some((id, last)) = before.filter(|(_, last)| *last >= row.first_position) {
            let (name, first) = (&row.name, row.first_position);
            let problem = format!(
                "the table of commands gives it to {name} {} as well as to the command {id} up to position {last}",
                row.id
            );
            checked.find(first, problem);
        }
        before = Some((row.id, row.last_position));
    }
    Ok(())
}

/// Ids of events: a unique index holds them apart within a range of positions only.
pub(super) async fn ids(snapshot: &mut PgConnection, checked: &mut Checked) -> Result<(), sqlx::Error> {
    let mut rows = sqlx::query!(
        r#"select e.id, min(e.position) as "first!", max(e.position) as "last!", count(*) as "count!"
           from event e group by e.id having count(*) > 1 order by 2"#
    )
    .fetch(snapshot);
    while let Some(row) = rows.try_next().await? {
        let problem = format!("{} events have its id {}, the last at position {}", row.count, row.id, row.last);
        checked.find(row.first, problem);
    }
    Ok(())
}
