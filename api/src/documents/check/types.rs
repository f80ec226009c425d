//! The types of a schema, looked up by name.

use std::collections::HashMap;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    FieldDefinition, InputValueDefinition, OperationType, Type, TypeKind, TypeSystemDefinition,
};

/// A text that is not a schema.
#[derive(Debug, thiserror::Error)]
#[error("is not a GraphQL schema: {0}")]
pub(crate) struct NotASchema(String);

/// Every type of a schema.
pub(crate) struct Types {
    types: HashMap<String, TypeKind>,
    roots: [String; 3],
}

impl Types {
    /// Those of a schema definition.
    pub(crate) fn read(sdl: &str) -> Result<Self, NotASchema> {
        let document = parse_schema(sdl).map_err(|error| NotASchema(error.to_string()))?;
        let mut types = HashMap::new();
        let mut roots = ["Query", "Mutation", "Subscription"].map(str::to_owned);
        for definition in document.definitions {
            match definition {
                TypeSystemDefinition::Type(definition) => {
                    types.insert(definition.node.name.node.to_string(), definition.node.kind);
                }
                TypeSystemDefinition::Schema(schema) => {
                    let named = [schema.node.query, schema.node.mutation, schema.node.subscription];
                    for (root, name) in roots.iter_mut().zip(named) {
                        if let Some(name) = name {
                            *root = name.node.to_string();
                        }
                    }
                }
                TypeSystemDefinition::Directive(_) => {}
            }
        }
        if types.is_empty() {
            return Err(NotASchema("it defines no type".to_owned()));
        }
        Ok(Self { types, roots })
    }

    /// Those of this build.
    pub(crate) fn now() -> Self {
        Self::read(&crate::graphql::sdl()).expect("the schema prints what can be parsed")
    }

    /// The type that operations of this kind begin at.
    pub(super) fn root(&self, kind: OperationType) -> &str {
        let [query, mutation, subscription] = &self.roots;
        match kind {
            OperationType::Query => query,
            OperationType::Mutation => mutation,
            OperationType::Subscription => subscription,
        }
    }

    /// A field of an object or interface.
    pub(super) fn field(&self, on: &str, name: &str) -> Option<&FieldDefinition> {
        let fields = match self.types.get(on)? {
            TypeKind::Object(object) => &object.fields,
            TypeKind::Interface(interface) => &interface.fields,
            TypeKind::Scalar | TypeKind::Union(_) | TypeKind::Enum(_) | TypeKind::InputObject(_) => return None,
        };
        fields.iter().map(|field| &field.node).find(|field| field.name.node == name)
    }

    /// The fields of an input object; nothing for any other type.
    pub(super) fn inputs(&self, name: &str) -> Vec<&InputValueDefinition> {
        match self.types.get(name) {
            Some(TypeKind::InputObject(input)) => input.fields.iter().map(|field| &field.node).collect(),
            Some(_) | None => Vec::new(),
        }
    }

    /// The values of an enum; nothing for any other type.
    pub(super) fn values(&self, name: &str) -> Vec<&str> {
        match self.types.get(name) {
            Some(TypeKind::Enum(kind)) => kind.values.iter().map(|value| value.node.value.node.as_str()).collect(),
            Some(_) | None => Vec::new(),
        }
    }
}

/// Whether every value of `narrow` is one of `wide`.
pub(super) fn fits(narrow: &Type, wide: &Type) -> bool {
    use async_graphql::parser::types::BaseType::{List, Named};
    (wide.nullable || !narrow.nullable)
        && match (&narrow.base, &wide.base) {
            (Named(narrow), Named(wide)) => narrow == wide,
            (List(narrow), List(wide)) => fits(narrow, wide),
            (Named(_), List(_)) | (List(_), Named(_)) => false,
        }
}

/// The name at the heart of a type.
pub(super) fn name(of: &Type) -> &str {
    use async_graphql::parser::types::BaseType::{List, Named};
    match &of.base {
        Named(name) => name.as_str(),
        List(inner) => name(inner),
    }
}
