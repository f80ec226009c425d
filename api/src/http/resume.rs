//! Going on after a position: a client that was cut off names the last one that it has.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, Field, InputValueDefinition, OperationDefinition, OperationType, Selection,
    TypeKind, TypeSystemDefinition,
};
use async_graphql::{Name, Positioned, Value};

/// The argument that subscriptions which resume have, and what their items call the position to resume after.
const AFTER: &str = "after";
const POSITION: &str = "position";

/// The subscriptions that resume after a position.
static RESUMABLE: LazyLock<BTreeSet<String>> = LazyLock::new(|| resumable(&crate::graphql::sdl()));

fn resumable(sdl: &str) -> BTreeSet<String> {
    let schema = parse_schema(sdl).expect("the schema prints what can be parsed");
    let types = schema.definitions.into_iter().filter_map(|definition| match definition {
        TypeSystemDefinition::Type(definition) if definition.node.name.node == "Subscription" => {
            Some(definition.node.kind)
        }
        _ => None,
    });
    let fields = types.filter_map(|kind| match kind {
        TypeKind::Object(object) => Some(object.fields),
        _ => None,
    });
    let resumes = |arguments: &[Positioned<InputValueDefinition>]| {
        arguments.iter().any(|argument| argument.node.name.node == AFTER)
    };
    fields
        .flatten()
        .filter(|field| resumes(&field.node.arguments))
        .map(|field| field.node.name.node.to_string())
        .collect()
}

/// What the items of this subscription call the position after which to go on, if they say it and this server can.
pub(super) fn resumes(operation: &OperationDefinition) -> Option<Name> {
    let field = only_field(operation).filter(|_| operation.ty == OperationType::Subscription)?;
    if RESUMABLE.contains(field.name.node.as_str()) { told(field) } else { None }
}

/// A subscription has one field; one that is in a fragment is left alone.
fn only_field(operation: &OperationDefinition) -> Option<&Field> {
    match &operation.selection_set.node.items[..] {
        [Positioned { node: Selection::Field(field), .. }] => Some(&field.node),
        _ => None,
    }
}

fn told(field: &Field) -> Option<Name> {
    field.selection_set.node.items.iter().find_map(|item| match &item.node {
        Selection::Field(field) if field.node.name.node == POSITION => Some(field.node.response_key().node.clone()),
        Selection::Field(_) | Selection::FragmentSpread(_) | Selection::InlineFragment(_) => None,
    })
}

/// Lets the subscription of that name begin after `position`. Where the document leaves the start to a variable, the
/// variable says it. Nothing happens to queries and mutations: they have no positions to resume after.
///
/// # Errors
/// The subscription does not resume.
pub(super) fn resume(
    document: &mut ExecutableDocument,
    name: Option<&str>,
    variables: &mut serde_json::Map<String, serde_json::Value>,
    position: i64,
) -> Result<(), &'static str> {
    let operation = match (&mut document.operations, name) {
        (DocumentOperations::Single(operation), _) => Some(operation),
        (DocumentOperations::Multiple(all), Some(name)) => all.get_mut(name),
        (DocumentOperations::Multiple(all), None) => all.values_mut().next(),
    };
    let Some(operation) = operation.filter(|operation| operation.node.ty == OperationType::Subscription) else {
        return Ok(());
    };
    let [Positioned { node: Selection::Field(field), pos }] = &mut operation.node.selection_set.node.items[..] else {
        return Err("Last-Event-ID needs a subscription with one field");
    };
    if !RESUMABLE.contains(field.node.name.node.as_str()) {
        return Err("Last-Event-ID: this subscription does not go on after a position");
    }
    let after = Value::from(position).into_value();
    match field.node.arguments.iter_mut().find(|(name, _)| name.node == AFTER) {
        Some((_, given)) => match given.node.clone().into_const_with(Err::<Value, _>) {
            Err(variable) => {
                variables.insert(variable.to_string(), position.into());
            }
            Ok(_) => given.node = after,
        },
        None => {
            let pos = *pos;
            field.node.arguments.push((Positioned::new(Name::new(AFTER), pos), Positioned::new(after, pos)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;
    use serde_json::{Map, json};

    use super::*;

    fn starts(query: &str, variables: serde_json::Value) -> Result<serde_json::Value, &'static str> {
        let mut document = parse_query(query).unwrap();
        let mut variables: Map<_, _> = variables.as_object().cloned().unwrap_or_default();
        resume(&mut document, None, &mut variables, 9)?;
        let DocumentOperations::Single(operation) = document.operations else { panic!("several operations") };
        let after = only_field(&operation.node).unwrap().get_argument(AFTER).unwrap().node.clone();
        let after =
            after.into_const_with(|name| Ok::<_, ()>(Value::from_json(variables[name.as_str()].clone()).unwrap()));
        Ok(after.unwrap().into_json().unwrap())
    }

    #[test]
    fn a_subscription_begins_after_the_position_that_the_client_has() {
        for (query, variables) in [
            ("subscription { events { position } }", json!({})),
            ("subscription { events(after: 3) { position } }", json!({})),
            ("subscription($from: Position) { events(after: $from) { position } }", json!({ "from": 3 })),
            ("subscription($from: Position) { events(after: $from) { position } }", json!({})),
        ] {
            assert_eq!(starts(query, variables), Ok(json!(9)), "{query}");
        }
        assert!(starts("subscription { projectionChanged { position } }", json!({})).is_err());
        assert!(starts("subscription { events { position } standChanged { position } }", json!({})).is_err());
    }

    #[test]
    fn only_items_that_tell_their_position_can_be_resumed_after() {
        let told = |query: &str| match parse_query(query).unwrap().operations {
            DocumentOperations::Single(operation) => resumes(&operation.node).map(|name| name.to_string()),
            DocumentOperations::Multiple(_) => panic!("several operations"),
        };
        assert_eq!(told("subscription { events { position } }").as_deref(), Some("position"));
        assert_eq!(told("subscription { e: events(after: 1) { event { id } p: position } }").as_deref(), Some("p"));
        assert_eq!(told("subscription { events { event { id } } }"), None);
        assert_eq!(told("subscription { events { position: __typename } }"), None);
        assert_eq!(told("{ head position }"), None);
    }
}
