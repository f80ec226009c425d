//! What an operation asks for, its fragments written out.

use async_graphql::Name;
use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{ExecutableDocument, Field, OperationDefinition, Selection, SelectionSet, Type};

use crate::limits::SHAPES;

/// The fields of an object by the keys of the answer, in the order in which they are first asked for.
#[derive(Debug, Default)]
pub(crate) struct Outline(IndexMap<Name, Asked>);

/// A field that is asked for.
#[derive(Debug)]
pub(super) struct Asked {
    /// Its type; none of what belongs to the schema itself. Where fragments on several types ask under one key, their
    /// types are null alike, which validation sees to.
    pub(super) kind: Option<&'static Type>,
    /// Whether it belongs to the schema itself.
    pub(super) of_schema: bool,
    /// The fields of what it answers.
    pub(super) below: Outline,
}

impl Outline {
    /// Of an operation whose fields, fragments written out, are within the limits.
    pub(crate) fn of(document: &ExecutableDocument, operation: &OperationDefinition) -> Self {
        let mut outline = Self::default();
        outline.gather(&operation.selection_set.node, crate::limits::root(operation.ty), document);
        outline
    }

    pub(super) fn get(&self, key: &str) -> Option<&Asked> {
        self.0.get(key)
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &Name> {
        self.0.keys()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn gather(&mut self, selection: &SelectionSet, on: &str, document: &ExecutableDocument) {
        for item in &selection.items {
            match &item.node {
                Selection::Field(field) => self.field(&field.node, on, document),
                Selection::InlineFragment(inline) => {
                    let on = inline.node.type_condition.as_ref().map_or(on, |condition| &condition.node.on.node);
                    self.gather(&inline.node.selection_set.node, on, document);
                }
                Selection::FragmentSpread(spread) => {
                    // One that does not exist is for the validation to tell.
                    let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) else { continue };
                    let on = &fragment.node.type_condition.node.on.node;
                    self.gather(&fragment.node.selection_set.node, on, document);
                }
            }
        }
    }

    fn field(&mut self, field: &Field, on: &str, document: &ExecutableDocument) {
        let shape = SHAPES.field(on, &field.name.node);
        let of_schema = field.name.node.starts_with("__");
        let new = || Asked { kind: shape.map(|shape| &shape.kind), of_schema, below: Self::default() };
        let asked = self.0.entry(field.response_key().node.clone()).or_insert_with(new);
        let answers = shape.map_or("", |shape| shape.answers.as_str());
        asked.below.gather(&field.selection_set.node, answers, document);
    }
}
