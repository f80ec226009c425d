//! Filters as SQL.

use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::moments::push_position;
use super::{AuditFilter, RefusalFilter};
use crate::graphql::View;

/// The text that notes are searched in, as the index `audit_note_words` has it: what parts words is a space, since the
/// parser would otherwise take `LFW/C03` for a file and find it as a whole only.
const WORDS: &str = "to_tsvector('simple', translate(note, './\\-_:@,;()''\"+&=?#%', '                   '))";

type Sql = QueryBuilder<Postgres>;

fn equals<T>(sql: &mut Sql, column: &'static str, value: Option<T>)
where
    T: for<'q> sqlx::Encode<'q, Postgres> + sqlx::Type<Postgres> + Send + 'static,
{
    if let Some(value) = value {
        sql.push(" and ").push(column).push(" = ").push_bind(value);
    }
}

fn positions(sql: &mut Sql, after: Option<i64>, until: Option<i64>) {
    if let Some(after) = after {
        sql.push(" and position > ").push_bind(after);
    }
    if let Some(until) = until {
        sql.push(" and position <= ").push_bind(until);
    }
}

/// Adds `and …` for what the filter asks of `audit`; its day must have become times.
pub(super) fn audit(sql: &mut Sql, filter: &AuditFilter, view: &View) {
    for thing in filter.all_things() {
        sql.push(" and position in (select position from ").push(view.table("audit_things"));
        sql.push(" where thing = ").push_bind(thing.clone()).push(")");
    }
    equals(sql, "actor", filter.actor.clone());
    equals(sql, "command", filter.command.clone());
    equals(sql, "site", filter.site.clone().map(|site| site.0));
    match filter.kinds().as_slice() {
        [] => {}
        [one] => equals(sql, "type", Some(one.clone())),
        several => {
            sql.push(" and type = any(").push_bind(several.to_vec()).push(")");
        }
    }
    if let Some(id) = filter.command_id {
        of_command(sql.push(" and "), id);
    }
    if let Some(id) = filter.correlation_id {
        sql.push(" and position in (select position from ").push(view.table("audit"));
        sql.push(" where causation_id is not null and correlation_id = ").push_bind(id);
        sql.push(" union all select generate_series(first_position, last_position) from command where id = ");
        sql.push_bind(id).push(")");
    }
    if let Some(id) = filter.caused_by {
        caused_by(sql, id, view);
    }
    if let Some(from) = filter.from {
        push_position(sql.push(" and position >= "), view, from, false);
    }
    if let Some(to) = filter.to {
        push_position(sql.push(" and position < "), view, to, false);
    }
    positions(sql, filter.after_position, filter.until_position);
    let words = filter.words();
    if !words.is_empty() {
        // Words hold letters and digits alone, so that nothing in them is taken for an operator.
        let words: Vec<String> = words.iter().map(|word| format!("'{word}':*")).collect();
        sql.push(" and note <> '' and ").push(WORDS).push(" @@ to_tsquery('simple', ");
        sql.push_bind(words.join(" & ")).push(")");
    }
}

/// The events of one command follow each other in the log.
fn of_command(sql: &mut Sql, id: Uuid) {
    sql.push("position between (select first_position from command where id = ").push_bind(id);
    sql.push(") and (select last_position from command where id = ").push_bind(id).push(")");
}

/// Each event has one cause, which lies before it: this is a walk over a tree, and ends. `offset 0` and the array keep
/// Postgres, which cannot know how short such walks are, from looking at the whole trail instead of its indexes.
fn caused_by(sql: &mut Sql, id: Uuid, view: &View) {
    let audit = view.table("audit");
    sql.push(" and position = any (array(with recursive caused (position, event) as (select position, event from ");
    of_command(sql.push(&audit).push(" where "), id);
    sql.push(
        " union all select later.position, later.event from caused cross join lateral (select position, event from ",
    );
    sql.push(&audit).push(" where causation_id = caused.event offset 0) later) select position from caused))");
}

/// Adds `and …` for what the filter asks of `refusal`; its day must have become times.
pub(super) fn refusals(sql: &mut Sql, filter: &RefusalFilter) {
    if let Some(thing) = &filter.thing {
        sql.push(" and things @> ").push_bind(vec![thing.clone()]);
    }
    equals(sql, "actor", filter.actor.clone());
    equals(sql, "command", filter.command.clone());
    equals(sql, "command_id", filter.command_id);
    equals(sql, "correlation_id", filter.correlation_id);
    equals(sql, "code", filter.code.clone());
    equals(sql, "site", filter.site.clone().map(|site| site.0));
    if let Some(from) = filter.from {
        sql.push(" and refused_at >= ").push_bind(from);
    }
    if let Some(to) = filter.to {
        sql.push(" and refused_at < ").push_bind(to);
    }
    positions(sql, filter.after_position, filter.until_position);
}
