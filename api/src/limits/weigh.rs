//! What an operation would do: one walk over it, each fragment once.

use std::collections::HashMap;

use async_graphql::parser::types::{ExecutableDocument, Field, OperationDefinition, Selection, SelectionSet};
use async_graphql::{Name, Pos, Positioned, ServerError, Value, Variables};

use super::cost::INTROSPECTION;
use super::shapes::{Many, SHAPES, Shape, Shapes, root, rows};
use super::{Exceeded, Limit, Limits};

/// What a selection holds, its fragments written out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Weight {
    /// Cost.
    pub(super) cost: u64,
    /// Cost for each row, in a connection: how many there are only the field says that the connection answers.
    per_row: u64,
    /// Fields that the selection has itself.
    pub(super) width: u64,
    /// Fields, and those inside them.
    pub(super) fields: u64,
    pub(super) aliases: u64,
    pub(super) directives: u64,
    /// Fields inside fields.
    pub(super) depth: u64,
    /// Selections inside selections.
    height: u64,
}

impl Weight {
    fn beside(self, other: Self) -> Self {
        Self {
            cost: self.cost.saturating_add(other.cost),
            per_row: self.per_row.saturating_add(other.per_row),
            width: self.width.saturating_add(other.width),
            fields: self.fields.saturating_add(other.fields),
            aliases: self.aliases.saturating_add(other.aliases),
            directives: self.directives.saturating_add(other.directives),
            depth: self.depth.max(other.depth),
            height: self.height.max(other.height),
        }
    }
}

/// Why an operation has no weight.
#[derive(Debug)]
pub(super) enum Weightless {
    Exceeded(Exceeded),
    Wrong(ServerError),
}

impl From<Exceeded> for Weightless {
    fn from(exceeded: Exceeded) -> Self {
        Self::Exceeded(exceeded)
    }
}

struct Scale<'a> {
    shapes: &'static Shapes,
    limits: &'a Limits,
    document: &'a ExecutableDocument,
    variables: &'a Variables,
    operation: &'a OperationDefinition,
    /// Fragments that were weighed; none while that goes on.
    fragments: HashMap<&'a str, Option<Weight>>,
}

/// Weighs an operation of a document.
pub(super) fn weigh(
    operation: &OperationDefinition,
    document: &ExecutableDocument,
    variables: &Variables,
    limits: &Limits,
) -> Result<Weight, Weightless> {
    let fragments = HashMap::new();
    let mut scale = Scale { shapes: &SHAPES, limits, document, variables, operation, fragments };
    let mut weight = scale.selection(&operation.selection_set, root(operation.ty), 1)?;
    let declared: usize = operation.variable_definitions.iter().map(|variable| variable.node.directives.len()).sum();
    weight.directives = weight.directives.saturating_add(number(operation.directives.len() + declared));
    Ok(weight)
}

impl<'a> Scale<'a> {
    fn selection(
        &mut self,
        selection: &'a Positioned<SelectionSet>,
        on: &str,
        level: u64,
    ) -> Result<Weight, Weightless> {
        self.nests(level, selection.pos)?;
        let mut all = Weight::default();
        for item in &selection.node.items {
            let directives = number(item.node.directives().len());
            let weight = match &item.node {
                Selection::Field(field) => self.field(&field.node, on, level)?,
                Selection::FragmentSpread(spread) => {
                    self.fragment(&spread.node.fragment_name.node, level, spread.pos)?
                }
                Selection::InlineFragment(inline) => {
                    let on = inline.node.type_condition.as_ref().map_or(on, |condition| &condition.node.on.node);
                    self.selection(&inline.node.selection_set, on, level + 1)?
                }
            };
            all = all.beside(Weight { directives: weight.directives.saturating_add(directives), ..weight });
        }
        Ok(Weight { height: all.height + 1, ..all })
    }

    fn nests(&self, level: u64, pos: Pos) -> Result<(), Exceeded> {
        Limit::Nesting.check(level, self.limits.nesting).map_err(|exceeded| exceeded.at(pos))
    }

    fn field(&mut self, field: &'a Field, on: &str, level: u64) -> Result<Weight, Weightless> {
        let introspects = matches!(field.name.node.as_str(), "__schema" | "__type");
        let shape = self.shapes.field(on, &field.name.node);
        let answers = match field.name.node.as_str() {
            "__schema" => "__Schema",
            "__type" => "__Type",
            _ => shape.map_or("", |shape| shape.answers.as_str()),
        };
        let asked = self.page(field)?;
        let below = if field.selection_set.node.items.is_empty() {
            Weight::default()
        } else {
            self.selection(&field.selection_set, answers, level + 1)?
        };
        let (cost, per_row) = price(field, shape, asked, &below);
        Ok(Weight {
            cost: if introspects { 1 + cost / INTROSPECTION } else { cost },
            per_row,
            width: 1,
            fields: below.fields.saturating_add(1),
            aliases: below.aliases.saturating_add(u64::from(field.alias.is_some())),
            directives: below.directives,
            depth: below.depth + 1,
            height: below.height,
        })
    }

    /// Each fragment is weighed once, however often it is spread.
    fn fragment(&mut self, name: &'a str, level: u64, pos: Pos) -> Result<Weight, Weightless> {
        match self.fragments.get(name) {
            Some(Some(weight)) => {
                self.nests(level + weight.height, pos)?;
                return Ok(*weight);
            }
            Some(None) => {
                let message = format!("fragment {name:?} spreads itself");
                return Err(Weightless::Wrong(ServerError::new(message, Some(pos))));
            }
            None => {}
        }
        // One that does not exist is for the validation to tell.
        let Some(fragment) = self.document.fragments.get(name) else { return Ok(Weight::default()) };
        self.fragments.insert(name, None);
        let on = &fragment.node.type_condition.node.on.node;
        let weight = self.selection(&fragment.node.selection_set, on, level + 1)?;
        let directives = weight.directives.saturating_add(number(fragment.node.directives.len()));
        let weight = Weight { directives, ..weight };
        self.fragments.insert(name, Some(weight));
        Ok(weight)
    }

    /// The rows that `first` or `last` asks for.
    fn page(&self, field: &Field) -> Result<Option<u64>, Exceeded> {
        let mut most = None;
        for (name, value) in &field.arguments {
            if !matches!(name.node.as_str(), "first" | "last") {
                continue;
            }
            let given = value.node.clone().into_const_with(|name| self.variable(&name).ok_or(()));
            if let Some(asked) = given.ok().as_ref().and_then(rows) {
                Limit::Page.check(asked, self.limits.page).map_err(|exceeded| exceeded.at(value.pos))?;
                most = most.max(Some(asked));
            }
        }
        Ok(most)
    }

    fn variable(&self, name: &Name) -> Option<Value> {
        if let Some(given) = self.variables.get(name) {
            return Some(given.clone());
        }
        let declared = self.operation.variable_definitions.iter().find(|variable| variable.node.name.node == *name)?;
        declared.node.default_value().cloned()
    }
}

/// What a field costs, once and for each row of the connection that it is in.
fn price(field: &Field, shape: Option<&Shape>, asked: Option<u64>, below: &Weight) -> (u64, u64) {
    if field.name.node == "__typename" {
        return (0, 0);
    }
    let Some(shape) = shape else { return (below.cost.saturating_add(1), 0) };
    let leaf = field.selection_set.node.items.is_empty();
    let each = if leaf { 0 } else { below.cost.saturating_add(1) };
    let once = shape.beside.saturating_add(1);
    match shape.many {
        Many::One if leaf => (once, 0),
        Many::One => (once.saturating_add(below.cost), 0),
        Many::Rows => (once, each),
        Many::About(size) => (once.saturating_add(size.saturating_mul(each)), 0),
        Many::Page(size) => {
            let size = asked.unwrap_or(size);
            // Of a connection, what is in its rows is repeated; of a plain list, everything.
            let repeated = if shape.answers.ends_with("Connection") { below.per_row } else { each };
            let rest = if shape.answers.ends_with("Connection") { below.cost } else { 0 };
            (once.saturating_add(rest).saturating_add(size.saturating_mul(repeated)), 0)
        }
    }
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
