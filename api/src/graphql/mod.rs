//! The GraphQL schema: one folder per context, each with its queries, mutations and subscriptions.
//!
//! A context is registered by one line in each of the three lists below. Two contexts may not expose the same field:
//! async-graphql would silently serve one of them, so a test looks.

mod airport;
mod alerts;
mod audit;
mod command;
mod context;
mod days;
mod dead_letters;
mod error;
mod events;
mod follow;
mod heartbeat;
mod identity;
mod jobs;
mod keyset;
mod list;
mod live;
mod load;
mod loader;
mod models;
mod page;
mod permit;
mod policies;
mod projections;
mod rail;
mod read_schema;
mod ready;
mod refusal;
mod relation;
mod scalars;
mod services;
#[cfg(test)]
mod sizes;
mod snapshot;
mod states;
mod support;
mod time;
mod transaction;
mod validator;
mod webhooks;

use async_graphql::{Data, MergedObject, MergedSubscription};

pub use context::{Document, Stopping};
pub use error::finish;
pub use read_schema::{ReadSchema, SchemaError};
pub(crate) use relation::View;
pub use services::Services;
pub use snapshot::Snapshot;
pub(crate) use validator::Validator;

use crate::settings::Protocols;

/// What can be asked of the world in any of its states: now, and as it was.
#[derive(MergedObject, Default)]
pub struct Contexts(
    support::SupportQuery,
    identity::IdentityQuery,
    airport::AirportQuery,
    rail::RailQuery,
    alerts::AlertsQuery,
    audit::AuditQuery,
    audit::DiffQuery,
    events::EventsQuery,
    webhooks::WebhooksQuery,
);

/// What can be asked.
#[derive(MergedObject, Default)]
pub struct Query(
    Contexts,
    time::TimeQuery,
    identity::AccountsQuery,
    projections::ProjectionsQuery,
    policies::PoliciesQuery,
    jobs::JobsQuery,
    dead_letters::DeadLettersQuery,
    webhooks::DeliveriesQuery,
);

/// What can be done. Each mutation answers with its result or with the rule that refuses it.
#[derive(MergedObject, Default)]
pub struct Mutation(
    support::SupportMutation,
    identity::IdentityMutation,
    airport::AirportMutation,
    rail::RailMutation,
    alerts::AlertsMutation,
    projections::ProjectionsMutation,
    policies::PoliciesMutation,
    jobs::JobsMutation,
    dead_letters::DeadLettersMutation,
    webhooks::WebhooksMutation,
);

/// What can be watched. Each subscription resumes after a position.
#[derive(MergedSubscription, Default)]
pub struct Subscription(
    events::EventsSubscription,
    airport::AirportSubscription,
    rail::RailSubscription,
    alerts::AlertsSubscription,
    projections::ProjectionsSubscription,
    webhooks::WebhooksSubscription,
);

/// The executable schema.
pub type Schema = async_graphql::Schema<Query, Mutation, Subscription>;

/// Selections inside selections, which are limited before (`crate::limits`): never fewer than the largest setting.
const MAX_NESTING: usize = 64;

fn builder() -> async_graphql::SchemaBuilder<Query, Mutation, Subscription> {
    Schema::build(Query::default(), Mutation::default(), Subscription::default())
        .register_output_type::<refusal::Refusal>()
        .limit_recursive_depth(MAX_NESTING)
}

/// The same, as far as clients may look into it.
fn shown(protocols: &Protocols) -> async_graphql::SchemaBuilder<Query, Mutation, Subscription> {
    let mut builder = builder();
    if !protocols.introspection {
        builder = builder.disable_introspection();
    }
    if !protocols.suggestions {
        builder = builder.disable_suggestions();
    }
    builder
}

/// The schema on these services.
#[must_use]
pub fn schema(services: Services, protocols: &Protocols) -> Schema {
    let accounts = services.accounts.clone();
    let schema = webhooks::register(shown(protocols), &services);
    identity::register(schema, &accounts)
        .data(services)
        .data(live::Windows::default())
        .data(states::States::default())
        .data(permit::Places::default())
        .finish()
}

/// The schema definition, as `schema.graphql` holds it.
#[must_use]
pub fn sdl() -> String {
    let mut sdl = builder().finish().sdl();
    sdl.truncate(sdl.trim_end().len());
    sdl.push('\n');
    sdl
}

/// Adds loaders, which read `snapshot`: children of many parents are read with one statement.
pub fn loaders(data: &mut Data, snapshot: &Snapshot) {
    support::loaders(data, snapshot);
    identity::loaders(data, snapshot);
    airport::loaders(data, snapshot);
    rail::loaders(data, snapshot);
    alerts::loaders(data, snapshot);
    audit::loaders(data, snapshot);
    webhooks::loaders(data, snapshot);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use async_graphql::{EmptyMutation, EmptySubscription, ObjectType, Schema, SubscriptionType};

    use super::*;

    #[test]
    fn the_schema_file_is_the_schema() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema.graphql");
        if std::env::var_os("VIGIE_WRITE_GENERATED").is_some() {
            std::fs::write(&path, sdl()).unwrap();
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(found == sdl(), "schema.graphql is old: run the tests with VIGIE_WRITE_GENERATED=1");
    }

    /// The fields of a root type that stands alone in a schema.
    fn fields(sdl: &str, root: &str) -> Vec<String> {
        let start = sdl.find(&format!("type {root} {{")).expect("the root type is in the schema");
        let body: Vec<&str> = sdl[start..].lines().skip(1).take_while(|line| *line != "}").collect();
        let names =
            body.iter().filter_map(|line| line.strip_prefix('\t').filter(|rest| rest.starts_with(char::is_lowercase)));
        names.map(|line| line.split(['(', ':']).next().unwrap_or_default().to_owned()).collect()
    }

    fn query<Q: ObjectType + Default + 'static>() -> Vec<String> {
        fields(&Schema::build(Q::default(), EmptyMutation, EmptySubscription).finish().sdl(), &Q::type_name())
    }
    fn mutation<M: ObjectType + Default + 'static>() -> Vec<String> {
        let schema = Schema::build(events::EventsQuery, M::default(), EmptySubscription);
        fields(&schema.register_output_type::<refusal::Refusal>().finish().sdl(), &M::type_name())
    }
    fn subscription<S: SubscriptionType + Default + 'static>() -> Vec<String> {
        fields(&Schema::build(events::EventsQuery, EmptyMutation, S::default()).finish().sdl(), &S::type_name())
    }

    fn each_once(contexts: impl IntoIterator<Item = Vec<String>>) {
        let mut seen = BTreeMap::<String, usize>::new();
        for name in contexts.into_iter().flatten() {
            *seen.entry(name).or_default() += 1;
        }
        assert!(seen.len() > 3, "the fields were not found: {seen:?}");
        let twice: Vec<_> = seen.iter().filter(|(_, count)| **count > 1).collect();
        assert!(twice.is_empty(), "two contexts expose the same field: {twice:?}");
    }

    #[test]
    fn no_two_contexts_expose_one_field() {
        each_once([
            query::<support::SupportQuery>(),
            query::<identity::IdentityQuery>(),
            query::<airport::AirportQuery>(),
            query::<rail::RailQuery>(),
            query::<alerts::AlertsQuery>(),
            query::<audit::AuditQuery>(),
            query::<audit::DiffQuery>(),
            query::<events::EventsQuery>(),
            query::<time::TimeQuery>(),
            query::<identity::AccountsQuery>(),
            query::<projections::ProjectionsQuery>(),
            query::<policies::PoliciesQuery>(),
            query::<jobs::JobsQuery>(),
            query::<dead_letters::DeadLettersQuery>(),
            query::<webhooks::WebhooksQuery>(),
            query::<webhooks::DeliveriesQuery>(),
        ]);
        each_once([
            mutation::<support::SupportMutation>(),
            mutation::<identity::IdentityMutation>(),
            mutation::<airport::AirportMutation>(),
            mutation::<rail::RailMutation>(),
            mutation::<alerts::AlertsMutation>(),
            mutation::<projections::ProjectionsMutation>(),
            mutation::<policies::PoliciesMutation>(),
            mutation::<jobs::JobsMutation>(),
            mutation::<dead_letters::DeadLettersMutation>(),
            mutation::<webhooks::WebhooksMutation>(),
        ]);
        each_once([
            subscription::<events::EventsSubscription>(),
            subscription::<airport::AirportSubscription>(),
            subscription::<rail::RailSubscription>(),
            subscription::<alerts::AlertsSubscription>(),
            subscription::<projections::ProjectionsSubscription>(),
            subscription::<webhooks::WebhooksSubscription>(),
        ]);
    }
}
