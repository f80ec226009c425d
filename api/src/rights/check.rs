//! Whether somebody may ask what a document asks, before anything of it runs.
//!
//! Here it is about what they may anywhere; of which sites they see what they ask for is up to what they read.

use std::collections::BTreeSet;

use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, Selection, SelectionSet};
use async_graphql::{Pos, Positioned, ServerError};

use super::fields::needs;
use super::{Right, Rights};
use crate::limits::{answers, root};

/// What of an operation is forbidden.
#[derive(Debug)]
pub(crate) struct Forbidden {
    /// What its caller is told.
    pub(crate) error: ServerError,
    /// The command, by its field, if that is what may not be given.
    pub(crate) command: Option<String>,
}

/// The rights that an operation needs, each once.
///
/// # Errors
/// `FORBIDDEN`: one of them is held nowhere.
pub(crate) fn check(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    rights: &Rights,
) -> Result<Vec<Right>, Box<Forbidden>> {
    let mut walk = Walk { document, rights, needed: BTreeSet::new(), seen: BTreeSet::new() };
    walk.selection(&operation.selection_set, root(operation.ty))?;
    Ok(walk.needed.into_iter().collect())
}

struct Walk<'a> {
    document: &'a ExecutableDocument,
    rights: &'a Rights,
    needed: BTreeSet<Right>,
    /// Fragments that were looked at: each is of one type, wherever it is spread.
    seen: BTreeSet<&'a str>,
}

impl<'a> Walk<'a> {
    fn selection(&mut self, selection: &'a Positioned<SelectionSet>, on: &str) -> Result<(), Box<Forbidden>> {
        for item in &selection.node.items {
            match &item.node {
                Selection::Field(field) => {
                    let name = field.node.name.node.as_str();
                    // What is not in the schema is for the validation to tell; introspection is a setting of its own.
                    let Some(below) = answers(on, name).filter(|_| !name.starts_with("__")) else { continue };
                    self.field(on, name, field.pos)?;
                    self.selection(&field.node.selection_set, below)?;
                }
                Selection::InlineFragment(inline) => {
                    let on = inline.node.type_condition.as_ref().map_or(on, |condition| &condition.node.on.node);
                    self.selection(&inline.node.selection_set, on)?;
                }
                Selection::FragmentSpread(spread) => {
                    let name = spread.node.fragment_name.node.as_str();
                    if let Some(fragment) = self.document.fragments.get(name).filter(|_| self.seen.insert(name)) {
                        self.selection(&fragment.node.selection_set, &fragment.node.type_condition.node.on.node)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn field(&mut self, on: &str, name: &str, pos: Pos) -> Result<(), Box<Forbidden>> {
        let (error, command) = match needs(on, name) {
            Some(None) => return Ok(()),
            Some(Some(right)) if self.rights.hold(right) => {
                self.needed.insert(right);
                return Ok(());
            }
            Some(Some(right)) => {
                let command = (on == "Mutation").then(|| name.to_owned());
                (forbidden(right, &format!("{on}.{name}")), command)
            }
            None if self.rights.are_all() => return Ok(()),
            None => (denied(format!("{on}.{name} is open to nobody"), None), None),
        };
        Err(Box::new(Forbidden { error: at(error, pos), command }))
    }
}

fn at(error: ServerError, pos: Pos) -> ServerError {
    ServerError { locations: vec![pos], ..error }
}

/// The right is missing; `what` needs it.
pub(crate) fn forbidden(right: Right, what: &str) -> ServerError {
    denied(format!("{what} needs the right {}: to {}", right.name(), right.words()), Some(right))
}

fn denied(message: String, right: Option<Right>) -> ServerError {
    let mut error = ServerError::new(message, None);
    let extensions = error.extensions.get_or_insert_default();
    extensions.set("code", "FORBIDDEN");
    if let Some(right) = right {
        extensions.set("right", right.name());
    }
    error
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::super::held::Set;
    use super::*;

    fn ask(text: &str, rights: &Rights) -> Result<Vec<Right>, Box<Forbidden>> {
        let document = parse_query(text).unwrap();
        let (_, operation) = document.operations.iter().next().unwrap();
        check(&document, &operation.node, rights)
    }

    #[test]
    fn what_an_operation_asks_for_is_found_wherever_it_stands() {
        let rights = Rights::default().with(Set::of(&[Right::Read]), Some("LFW"));
        for (text, missing) in [
            ("{ stands { nodes { id } } }", None),
            ("{ __typename __schema { types { name } } }", None),
            ("{ nothing { at all } }", None),
            ("{ stands { nodes { id audit { totalCount } } } }", Some("Stand.audit")),
            (
                "{ stands { nodes { ... on Stand { ...F } } } } fragment F on Stand { name audit { totalCount } }",
                Some("Stand.audit"),
            ),
            ("mutation { acknowledgeAlert(input: {}) { __typename } }", Some("Mutation.acknowledgeAlert")),
            ("subscription { events { position } }", Some("Subscription.events")),
            ("{ at(position: 1) { stands { nodes { id } } } }", Some("Query.at")),
            ("{ projections { name } }", Some("Query.projections")),
        ] {
            match (ask(text, &rights), missing) {
                (Ok(needed), None) => assert!(needed.iter().all(|right| *right == Right::Read), "{text}"),
                (Err(forbidden), Some(field)) => {
                    let Forbidden { error, command } = *forbidden;
                    assert!(error.message.starts_with(field), "{text}: {}", error.message);
                    assert_eq!(command.as_deref(), field.strip_prefix("Mutation."), "{text}");
                }
                (answer, _) => panic!("{text}: {answer:?}"),
            }
        }
    }

    #[test]
    fn who_may_everything_may_ask_everything() {
        let needed = ask("{ stands { nodes { audit { totalCount } } } jobs { name } }", &Rights::all()).unwrap();
        assert_eq!(needed, [Right::Read, Right::Audit, Right::Inspect]);
    }
}
