//! The schema as far as limits and answers depend on it: the types of fields, which are lists, and how large their pages
//! are.

use std::collections::HashMap;
use std::sync::LazyLock;

use async_graphql::Value;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{BaseType, FieldDefinition, OperationType, Type, TypeKind, TypeSystemDefinition};

use super::cost;

/// The types of introspection, as far as their fields lead to others; no schema definition holds them.
const INTROSPECTION: &str = "
    type __Schema { types: [__Type!]! queryType: __Type! mutationType: __Type subscriptionType: __Type directives: [__Directive!]! }
    type __Type { fields: [__Field!] interfaces: [__Type!] possibleTypes: [__Type!] enumValues: [__EnumValue!] inputFields: [__InputValue!] ofType: __Type }
    type __Field { args: [__InputValue!]! type: __Type! }
    type __InputValue { type: __Type! }
    type __EnumValue { name: String! }
    type __Directive { args: [__InputValue!]! }";

/// A field.
#[derive(Debug)]
pub(crate) struct Shape {
    /// Its type.
    pub(crate) kind: Type,
    /// The type of what it answers, without lists around it.
    pub(crate) answers: String,
    /// What it costs beside its answer.
    pub(super) beside: u64,
    pub(super) many: Many,
}

/// How many elements a field answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Many {
    /// One, or none.
    One,
    /// As many as the page has rows: a list in a connection, or in a list that is kept up to date.
    Rows,
    /// A page: a connection, or a list with an argument for its size. Without that argument, so many.
    Page(u64),
    /// About so many.
    About(u64),
}

/// The types by name, each with its fields by name.
#[derive(Debug)]
pub(crate) struct Shapes(HashMap<String, HashMap<String, Shape>>);

/// Those of the schema.
pub(crate) static SHAPES: LazyLock<Shapes> = LazyLock::new(|| Shapes::of(&crate::graphql::sdl()));

impl Shapes {
    /// Of a schema definition.
    fn of(sdl: &str) -> Self {
        let mut shapes = HashMap::new();
        for text in [sdl, INTROSPECTION] {
            let document = parse_schema(text).expect("the schema's own definition is one");
            for definition in document.definitions {
                let TypeSystemDefinition::Type(definition) = definition else { continue };
                let name = definition.node.name.node.to_string();
                let fields = match definition.node.kind {
                    TypeKind::Object(object) => object.fields,
                    TypeKind::Interface(interface) => interface.fields,
                    TypeKind::Scalar | TypeKind::Union(_) | TypeKind::Enum(_) | TypeKind::InputObject(_) => continue,
                };
                let fields = fields.iter().map(|field| (field.node.name.node.to_string(), shape(&name, &field.node)));
                let fields = fields.collect();
                shapes.insert(name, fields);
            }
        }
        Self(shapes)
    }

    /// Every field of every type, by both names.
    #[cfg(test)]
    fn names(&self) -> impl Iterator<Item = (String, String)> {
        let types = self.0.iter().filter(|(on, _)| !on.starts_with("__"));
        types.flat_map(|(on, fields)| fields.keys().map(move |field| (on.clone(), field.clone())))
    }

    /// A field of a type. Introspection is on every root.
    pub(crate) fn field(&self, on: &str, field: &str) -> Option<&Shape> {
        self.0.get(on)?.get(field)
    }
}

/// The type of what a field of the schema answers.
pub(crate) fn answers(on: &str, field: &str) -> Option<&'static str> {
    SHAPES.field(on, field).map(|shape| shape.answers.as_str())
}

/// Every field of every type of the schema, by both names.
#[cfg(test)]
pub(crate) fn schema_fields() -> std::collections::BTreeSet<(String, String)> {
    SHAPES.names().collect()
}

fn shape(on: &str, field: &FieldDefinition) -> Shape {
    let (answers, list) = base(&field.ty.node);
    let connection = answers.ends_with("Connection");
    let first = field.arguments.iter().find(|argument| argument.node.name.node == "first");
    let many = match (list, first) {
        (true, None) if is_page(on) => Many::Rows,
        (true, None) => Many::About(cost::list(on, &field.name.node)),
        (_, Some(first)) if list || is_page(answers) => {
            let size = first.node.default_value.as_ref().and_then(|default| rows(&default.node));
            Many::Page(size.unwrap_or(cost::PAGE))
        }
        (false, None) if connection => Many::Page(cost::PAGE),
        (false, None | Some(_)) | (true, Some(_)) => Many::One,
    };
    let (beside, answers) = (cost::beside(on, &field.name.node, connection), answers.to_owned());
    Shape { kind: field.ty.node.clone(), answers, beside, many }
}

/// A connection, or a list that is kept up to date: what it holds is as much as its page.
fn is_page(of: &str) -> bool {
    of.ends_with("Connection") || of.starts_with("Live") && of.ends_with("List")
}

fn base(of: &Type) -> (&str, bool) {
    match &of.base {
        BaseType::Named(name) => (name, false),
        BaseType::List(inner) => (base(inner).0, true),
    }
}

/// The type whose fields an operation asks for.
pub(crate) fn root(operation: OperationType) -> &'static str {
    match operation {
        OperationType::Query => "Query",
        OperationType::Mutation => "Mutation",
        OperationType::Subscription => "Subscription",
    }
}

/// A size of a page; a negative one, which is refused later, is no rows.
pub(super) fn rows(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64().or_else(|| number.as_i64().map(|_| 0)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_counted_by_their_pages() {
        let many = |on, field| SHAPES.field(on, field).unwrap().many;
        assert_eq!(many("Query", "stand"), Many::One);
        assert_eq!(many("Query", "stands"), Many::Page(50));
        assert_eq!(many("StandConnection", "edges"), Many::Rows);
        assert_eq!(many("StandConnection", "nodes"), Many::Rows);
        assert_eq!(many("Subscription", "liveStands"), Many::Page(50));
        assert_eq!(many("LiveStandList", "snapshot"), Many::Rows);
        assert_eq!(many("LiveStandList", "changes"), Many::Rows);
        assert_eq!(many("Projection", "operations"), Many::Page(10));
        assert_eq!(many("Pass", "cars"), Many::About(40));
        assert_eq!(many("Pass", "alerts"), Many::About(10));
        assert_eq!(SHAPES.field("Refusal", "code").unwrap().many, Many::One);
    }

    #[test]
    fn every_field_with_a_price_is_in_the_schema() {
        for (on, field) in cost::named() {
            assert!(SHAPES.field(on, field).is_some(), "{on}.{field} is not in the schema");
        }
    }

    /// A list without a bound of its own is counted as if it had one: whoever adds a connection gives it a page.
    #[test]
    fn every_connection_has_a_page() {
        for (on, fields) in &SHAPES.0 {
            for (field, shape) in fields.iter().filter(|(_, shape)| shape.answers.ends_with("Connection")) {
                assert!(matches!(shape.many, Many::Page(_)), "{on}.{field}");
            }
        }
    }
}
