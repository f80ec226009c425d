//! What can be said about a document without the schema.

use std::collections::BTreeSet;

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, OperationDefinition, Selection, SelectionSet,
};
use async_graphql::{Positioned, ServerError};
use serde_json::{Map, Value};

/// The operation that will run; `None` if executing the request will explain why there is none.
pub(super) fn chosen<'a>(document: &'a ExecutableDocument, name: Option<&str>) -> Option<&'a OperationDefinition> {
    let operation = match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Some(operation),
        (DocumentOperations::Single(_), Some(_)) => None,
        (DocumentOperations::Multiple(all), Some(name)) => all.get(name),
        (DocumentOperations::Multiple(all), None) => {
            let mut all = all.values();
            all.next().filter(|_| all.next().is_none())
        }
    };
    operation.map(|operation| &operation.node)
}

/// What a variable that must have a value and has none is refused with. Left to the execution, it would be a fault of
/// each field that uses it, and none where no field does.
pub(super) fn without_value(operation: &OperationDefinition, variables: &Map<String, Value>) -> Option<ServerError> {
    let missing = operation.variable_definitions.iter().find(|variable| {
        let given = variables.get(variable.node.name.node.as_str());
        let has_default = variable.node.default_value.is_some() && given.is_none();
        !variable.node.var_type.node.nullable && !has_default && given.is_none_or(Value::is_null)
    })?;
    let (name, kind) = (&missing.node.name.node, &missing.node.var_type.node);
    Some(ServerError::new(format!("the variable ${name} of type {kind} has no value"), Some(missing.pos)))
}

/// Whether the operation asks for the schema itself.
pub(super) fn introspects(document: &ExecutableDocument, operation: &OperationDefinition) -> bool {
    asks(document, &operation.selection_set, &mut BTreeSet::new())
}

fn asks<'a>(
    document: &'a ExecutableDocument,
    selection: &'a Positioned<SelectionSet>,
    seen: &mut BTreeSet<&'a str>,
) -> bool {
    selection.node.items.iter().any(|item| match &item.node {
        Selection::Field(field) => matches!(field.node.name.node.as_str(), "__schema" | "__type"),
        Selection::InlineFragment(inline) => asks(document, &inline.node.selection_set, seen),
        Selection::FragmentSpread(spread) => {
            let name = spread.node.fragment_name.node.as_str();
            let fragment = document.fragments.get(name).filter(|_| seen.insert(name));
            fragment.is_some_and(|fragment| asks(document, &fragment.node.selection_set, seen))
        }
    })
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_kind_of_the_named_operation_counts() {
        use async_graphql::parser::types::OperationType::{Mutation, Query};
        let kind =
            |query: &str, name: Option<&str>| chosen(&parse_query(query).unwrap(), name).map(|operation| operation.ty);
        assert_eq!(kind("{ a }", None), Some(Query));
        assert_eq!(kind("query q { a } mutation m { b }", Some("m")), Some(Mutation));
        assert_eq!(kind("query q { a } mutation m { b }", None), None);
        assert_eq!(kind("query q { a }", Some("m")), None);
    }

    #[test]
    fn a_variable_without_a_value_is_found() {
        let missing = |query: &str, variables: Value| {
            let document = parse_query(query).unwrap();
            let operation = chosen(&document, None).unwrap();
            without_value(operation, variables.as_object().unwrap()).map(|error| error.message)
        };
        let told = Some("the variable $a of type Int! has no value".to_owned());
        assert_eq!(missing("query($a: Int!) { a }", json!({})), told);
        assert_eq!(missing("query($a: Int! = 1) { a }", json!({ "a": null })), told);
        for (query, variables) in [
            ("query($a: Int!) { a }", json!({ "a": 1 })),
            ("query($a: Int! = 1) { a }", json!({})),
            ("query($a: Int) { a }", json!({})),
        ] {
            assert_eq!(missing(query, variables), None, "{query}");
        }
    }

    #[test]
    fn who_asks_for_the_schema_is_found_wherever_it_is_asked() {
        let asks = |query: &str| {
            let document = parse_query(query).unwrap();
            introspects(&document, chosen(&document, None).unwrap())
        };
        assert!(asks("{ a: __schema { b } }") && asks("{ ... { __type(name: \"b\") { c } } }"));
        assert!(asks("{ ...f } fragment f on Query { ...g } fragment g on Query { __schema { b } }"));
        assert!(!asks("{ __typename a { __schema } ...f } fragment f on Query { ...f }"));
    }
}
