//! The tables of the read models as a state of the world shows them: as they are, or as they were at a position.
//!
//! No statement of the API names a schema. What it reads from it asks a [`View`] for, which gives the text of a
//! relation that is called like the table. A table whose rows change keeps what they were in a sister: a row holds from
//! its `position` on, and a version in `<table>_history` holds from its `position` to before its `until`.

use std::sync::Arc;

use sqlx::postgres::PgArguments;
use sqlx::{Arguments, Postgres, QueryBuilder};
use vigie_projections::epochs;

use super::read_schema::ReadSchema;
use crate::rights::{Scope, Sites};

/// The read models in one state, as far as somebody may see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct View {
    schema: ReadSchema,
    past: Option<Past>,
    scope: Arc<Scope>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Past {
    position: i64,
    /// The epochs of the position; none when nothing later was folded, so that the rows are what they were.
    epochs: Option<Arc<[i64]>>,
}

struct Table {
    name: &'static str,
    columns: &'static str,
    history: History,
    holds: Holds,
}

/// What a table holds: which right shows it, and where a row says its site.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    /// What is at a site: in its column `site`.
    Things,
    /// What was done or refused there: likewise.
    Deeds,
    /// Who receives events of it: likewise; of no site are those who receive what is of all.
    Webhooks,
    /// What is at no site: people; and which deeds are about a thing, whose positions say nothing to who does not see the
    /// deeds.
    Nowhere,
}

/// Where a table keeps what its rows were.
#[derive(Clone, Copy, PartialEq, Eq)]
enum History {
    /// Rows do not change.
    None,
    /// In a sister, of which all is looked through, or what has a key.
    Sister,
    /// In a sister whose indexes begin with the epoch.
    Epochs,
}

const fn few(name: &'static str, columns: &'static str) -> Table {
    Table { name, columns, history: History::Sister, holds: Holds::Things }
}

const fn many(name: &'static str, columns: &'static str) -> Table {
    Table { name, columns, history: History::Epochs, holds: Holds::Things }
}

/// What the API reads.
const TABLES: &[Table] = &[
    few(
        "sites",
        "site, name, kind, zone, icao, rules_version, buffer_minutes, default_turnaround, weights, position, created_at, \
         changed_at",
    ),
    Table {
        holds: Holds::Nowhere,
        ..few("accounts", "id, kind, state, expires_at, grants, position, created_at, changed_at")
    },
    Table {
        holds: Holds::Webhooks,
        ..few(
            "webhook_endpoints",
            "endpoint, site, state, disabled_reason, disabled_at, settings, secrets, after, position, created_at, changed_at",
        )
    },
    few("turnaround_rules", "site, aircraft_type, min_minutes, typical_minutes, max_minutes, position, changed_at"),
    few("spring_limits", "site, version, valid_from, limits, position, changed_at"),
    few("stands", "stand, site, name, kind, code, jetway, distance_m, closures, position, created_at, changed_at"),
    many(
        "flights",
        "flight, site, carrier, number, date, direction, airport, scheduled_at, progress, progress_at, phase, best_at, \
         cancelled, gate, belt, terminal, aisle, hall, operator, codeshares, via, cargo, aircraft_type, registration, \
         code, turnaround, allocation, stand, no_stand, source, position, created_at, changed_at",
    ),
    many(
        "allocations",
        "allocation, site, stand, flight, turnaround, from_at, to_at, planned_to, buffer_minutes, aircraft_type, code, \
         status, overflow, requested, rules_version, candidates, note, moves, conflict, cancelled_by, cancel_note, \
         actor, ended_at, position, created_at, changed_at",
    ),
    many(
        "alerts",
        "alert, site, kind, severity, status, message, cause, pass, car, spring, quantity, stand, flight, allocation, \
         raised_at, raised_by, acknowledged_at, acknowledged_by, acknowledged_note, resolved_at, resolved_by, \
         resolved_reason, position, created_at, changed_at, level, escalated_at, endpoint",
    ),
    many(
        "passes",
        "pass, site, track, passed_at, train, status, declared_cars, measured_cars, springs, out_of_limits, \
         worst_level, alerts, open_alerts, ready_to_confirm, completed_at, confirmed_at, confirmed_by, confirmed_note, \
         reopened_by, position, created_at, changed_at",
    ),
    few(
        "cars",
        "pass, car, site, vehicle, camera, limits_version, springs, out_of_limits, worst_level, position, changed_at",
    ),
    few(
        "springs",
        "pass, car, spring, quantity, site, unit, value, quality, level, bound, limits_version, position, changed_at",
    ),
    Table {
        name: "audit",
        columns: "position, event, type, site, actor, command, command_id, correlation_id, causation_id, occurred_at, \
                  recorded_at, things, action, changes, note",
        history: History::None,
        holds: Holds::Deeds,
    },
    Table { name: "audit_things", columns: "thing, position", history: History::None, holds: Holds::Nowhere },
];

/// The sites that a statement is told of.
fn listed(sites: &Sites) -> &[String] {
    match sites {
        Sites::Some(list) => list,
        Sites::All => &[],
    }
}

/// The position of a view of the past, in the first argument of a statement.
const POSITION: &str = "($1::bigint[])[1]";

/// What was refused: beside the log, and not a read model, but listed like one.
const REFUSAL: Table = Table {
    name: "refusal",
    columns: "id, position, refused_at, actor, command, command_id, correlation_id, causation_id, site, things, code, \
              message, details, input",
    history: History::None,
    holds: Holds::Deeds,
};

impl View {
    /// The read models as they are, all of them.
    pub(crate) fn now(schema: ReadSchema) -> Self {
        Self { schema, past: None, scope: Scope::whole() }
    }

    /// The same, of which no more is seen than `scope` shows.
    pub(crate) fn within(self, scope: Arc<Scope>) -> Self {
        Self { scope, ..self }
    }

    /// What is seen.
    pub(crate) fn scope(&self) -> &Arc<Scope> {
        &self.scope
    }

    /// The same as they were once everything up to `position`, and nothing after it, was folded, where nothing has been
    /// folded beyond `head`.
    pub(crate) fn at(&self, position: i64, head: i64) -> Self {
        let epochs = (position < head).then(|| epochs(position, head).into());
        Self { past: Some(Past { position, epochs }), ..self.clone() }
    }

    /// A statement that asks for relations of this view. Those of the past take their moment from its first argument, and
    /// those of some sites alone take these from the next ones, so that the text is the same for every moment and site
    /// and Postgres plans it once. The arguments are there whether or not the text needs them: a connection keeps a
    /// statement by its text, with as many as it had first.
    pub(crate) fn sql(&self, begin: &'static str) -> QueryBuilder<Postgres> {
        let mut arguments = PgArguments::default();
        let moment: Vec<i64> = match &self.past {
            Some(Past { position, epochs: Some(epochs) }) => [*position].iter().chain(epochs.iter()).copied().collect(),
            Some(Past { epochs: None, .. }) | None => Vec::new(),
        };
        arguments.add(moment).unwrap_or_else(|error| unreachable!("a list of numbers can be bound: {error}"));
        let Scope { read, audit, webhooks, .. } = &*self.scope;
        for sites in [read, audit, webhooks] {
            let sites = listed(sites).to_vec();
            arguments.add(sites).unwrap_or_else(|error| unreachable!("a list of texts can be bound: {error}"));
        }
        QueryBuilder::with_arguments(begin, arguments)
    }

    /// The schema.
    pub(crate) fn schema(&self) -> &ReadSchema {
        &self.schema
    }

    /// The position that it ends with, unless it is the present.
    pub(crate) fn last(&self) -> Option<i64> {
        self.past.as_ref().map(|past| past.position).or(self.schema.until())
    }

    /// The relation for a `from` clause of a statement that [`View::sql`] began, called like the table, for whoever walks
    /// through it.
    ///
    /// # Panics
    /// A name that is not in the list.
    pub(crate) fn table(&self, name: &str) -> String {
        let found = Self::known(name);
        match self.past.as_ref().and_then(|past| past.epochs.as_ref()) {
            Some(epochs) if found.history == History::Epochs => self.walked(found, epochs.len()),
            Some(_) | None => self.rows(name),
        }
    }

    /// The same, for whoever looks up a few things by a key: all their versions are looked at.
    ///
    /// # Panics
    /// A name that is not in the list.
    pub(crate) fn rows(&self, name: &str) -> String {
        let table @ Table { columns, history, .. } = Self::known(name);
        // What lies beside a schema that was built until a moment goes on.
        let beside = name == REFUSAL.name;
        let schema = if beside { "public" } else { self.schema.as_str() };
        let seen = self.seen(table);
        let position = match (&self.past, beside.then(|| self.last()).flatten()) {
            (Some(Past { epochs: Some(_), .. }), _) => POSITION.to_owned(),
            (Some(_) | None, Some(until)) => until.to_string(),
            (Some(_) | None, None) if seen.is_empty() => return format!("{schema}.{name} as {name}"),
            (Some(_) | None, None) => {
                return format!("(select {columns} from {schema}.{name} where true{seen}) as {name}");
            }
        };
        if *history == History::None {
            return format!("(select {columns} from {schema}.{name} where position <= {position}{seen}) as {name}");
        }
        format!(
            "(select {columns} from (\
                 select {columns}, {forever}::bigint as until from {schema}.{name} \
                 union all select {columns}, until from {schema}.{name}_history\
             ) as versions where position <= {position} and until > {position}{seen}) as {name}",
            forever = i64::MAX
        )
    }

    /// `and …` for the sites of which rows are seen; nothing for all.
    fn seen(&self, table: &Table) -> String {
        let Scope { read, audit, webhooks, .. } = &*self.scope;
        // In the order in which a statement is told of them, after the moment.
        let (sites, place) = match table.holds {
            Holds::Things => (read, 2),
            Holds::Deeds => (audit, 3),
            Holds::Webhooks => (webhooks, 4),
            Holds::Nowhere => return String::new(),
        };
        let list = match sites {
            Sites::All => return String::new(),
            Sites::Some(sites) if sites.is_empty() => return " and false".to_owned(),
            Sites::Some(list) => list,
        };
        // One site can be looked up like any other key, also in the order of what follows it in an index.
        match list.len() {
            1 => format!(" and site = (${place}::text[])[1]"),
            _ => format!(" and site = any(${place}::text[])"),
        }
    }

    /// The rows and, epoch by epoch, the versions. All conditions stand outside of the union, where they do not keep
    /// Postgres from walking an index in each part in the order that is asked for: so the epoch of a part is a column
    /// that is, in all other parts, what is asked for.
    fn walked(&self, table: &Table, parts: usize) -> String {
        let (Table { name, columns, .. }, seen) = (table, self.seen(table));
        let (schema, forever) = (self.schema.as_str(), i64::MAX);
        let epoch = |place: usize| format!("($1::bigint[])[{}]", place + 2);
        let epochs = |own: Option<usize>| -> String {
            let column = |place| if own == Some(place) { "epoch".to_owned() } else { epoch(place) };
            (0..parts).map(|place| format!(", {} as epoch{place}", column(place))).collect()
        };
        let rows = format!("select {columns}, {forever}::bigint as until{} from {schema}.{name}", epochs(None));
        let versions = (0..parts).map(|place| {
            let epochs = epochs(Some(place));
            format!(" union all select {columns}, until{epochs} from {schema}.{name}_history")
        });
        let versions: String = versions.collect();
        let held: String = (0..parts).map(|place| format!(" and epoch{place} = {}", epoch(place))).collect();
        format!(
            "(select {columns} from ({rows}{versions}) as versions \
              where position <= {POSITION} and until > {POSITION}{seen}{held}) as {name}"
        )
    }

    fn known(name: &str) -> &'static Table {
        let found = TABLES.iter().chain([&REFUSAL]).find(|table| table.name == name);
        found.unwrap_or_else(|| panic!("{name:?} is a table that the API reads"))
    }

    /// What stands are at a time, as rows of `stand`, `status`, `current` and `next`: closed, occupied (a stay is
    /// running), reserved (within the buffer around a stay) or available; with the stay that is running and, for whoever
    /// asks, the one that starts next. For a `lateral` after a relation `moment` with the time in its column `at`. The
    /// board, its filter and the gauges ask here, so that they cannot disagree. No stay lasts longer than 14 days, which
    /// bounds the walk.
    pub(crate) fn stand_states(&self, with_next: bool) -> String {
        let (stands, allocations) = (self.table("stands"), self.table("allocations"));
        let of_stand = format!("from {allocations} where allocations.stand = stands.stand and status <> 'cancelled'");
        let (next, coming) = if with_next {
            let first = "order by from_at, allocation limit 1";
            let coming = format!("select allocation {of_stand} and from_at > moment.at {first}");
            ("coming.allocation", format!("left join lateral ({coming}) coming on true"))
        } else {
            ("null::uuid", String::new())
        };
        format!(
            "select stands.stand,
                    case
                        when exists (
                            select from jsonb_array_elements(stands.closures) c
                            where (c ->> 'from')::timestamptz <= moment.at
                              and coalesce((c ->> 'to')::timestamptz > moment.at, true)
                        ) then 'closed'
                        when running.allocation is not null then 'occupied'
                        when exists (
                            select {of_stand}
                              and from_at between moment.at - interval '15 days' and moment.at + interval '1 day'
                              and from_at - make_interval(mins => buffer_minutes) <= moment.at
                              and coalesce(to_at + make_interval(mins => buffer_minutes) > moment.at, true)
                        ) then 'reserved'
                        else 'available'
                    end as status,
                    running.allocation as current, {next} as next
             from {stands}
             left join lateral (
                 select allocation {of_stand}
                   and from_at between moment.at - interval '15 days' and moment.at
                   and coalesce(to_at > moment.at, true)
                 order by from_at desc limit 1
             ) running on true {coming}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_columns_are_those_of_the_tables() {
        let pool = vigie_eventlog::testing::database().await;
        for table in TABLES {
            let columns = "select string_agg(attname, ', ' order by attnum) from pg_attribute
                           where attrelid = ('read.' || $1)::regclass and attnum > 0 and not attisdropped";
            let columns: String = sqlx::query_scalar(columns).bind(table.name).fetch_one(&pool).await.unwrap();
            assert_eq!(columns, table.columns, "{}", table.name);
        }
    }
}
