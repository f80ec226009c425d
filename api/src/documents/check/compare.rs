//! What a document reads and sends, in an older schema and in a newer one.

use std::collections::BTreeSet;

use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};
use async_graphql::{Pos, Positioned};

use super::types::{Types, fits, name};

/// Every change that breaks the document although it stays valid, with its place in the document.
pub(super) fn compare(old: &Types, new: &Types, document: &ExecutableDocument) -> Vec<(Pos, String)> {
    let mut comparison = Comparison { old, new, document, fragments: BTreeSet::new(), found: Vec::new() };
    for (_, operation) in document.operations.iter() {
        for variable in &operation.node.variable_definitions {
            comparison.input(name(&variable.node.var_type.node), variable.pos, &mut BTreeSet::new());
        }
        comparison.read(old.root(operation.node.ty), &operation.node.selection_set);
    }
    comparison.found
}

struct Comparison<'a> {
    old: &'a Types,
    new: &'a Types,
    document: &'a ExecutableDocument,
    /// Those that have been looked at.
    fragments: BTreeSet<&'a str>,
    found: Vec<(Pos, String)>,
}

impl<'a> Comparison<'a> {
    /// What is read must still be what it was. What has gone is not told here: the document is not valid any more.
    fn read(&mut self, on: &'a str, selection: &'a Positioned<SelectionSet>) {
        for item in &selection.node.items {
            match &item.node {
                Selection::Field(field) => {
                    let field_name = field.node.name.node.as_str();
                    let Some(was) = self.old.field(on, field_name) else { continue };
                    if let Some(is) = self.new.field(on, field_name)
                        && !fits(&is.ty.node, &was.ty.node)
                    {
                        let what = format!("{on}.{field_name} was {}, is {}", was.ty.node, is.ty.node);
                        self.found.push((item.pos, what));
                    }
                    self.read(name(&was.ty.node), &field.node.selection_set);
                }
                Selection::InlineFragment(inline) => {
                    let condition = inline.node.type_condition.as_ref();
                    let on = condition.map_or(on, |condition| condition.node.on.node.as_str());
                    self.read(on, &inline.node.selection_set);
                }
                Selection::FragmentSpread(spread) => {
                    let spread = spread.node.fragment_name.node.as_str();
                    if let Some(fragment) = self.document.fragments.get(spread)
                        && self.fragments.insert(spread)
                    {
                        self.read(fragment.node.type_condition.node.on.node.as_str(), &fragment.node.selection_set);
                    }
                }
            }
        }
    }

    /// What may be sent must still be taken.
    fn input(&mut self, kind: &'a str, place: Pos, seen: &mut BTreeSet<&'a str>) {
        if !seen.insert(kind) {
            return;
        }
        let values = self.new.values(kind);
        for gone in self.old.values(kind).into_iter().filter(|value| !values.contains(value)) {
            self.found.push((place, format!("{kind} has no value {gone} any more")));
        }
        let (was, is) = (self.old.inputs(kind), self.new.inputs(kind));
        for field in &was {
            let field_name = &field.name.node;
            match is.iter().find(|other| other.name.node == *field_name) {
                None => self.found.push((place, format!("{kind} has no field {field_name} any more"))),
                Some(other) if !fits(&field.ty.node, &other.ty.node) => {
                    let what = format!("{kind}.{field_name} was {}, is {}", field.ty.node, other.ty.node);
                    self.found.push((place, what));
                }
                Some(_) => self.input(name(&field.ty.node), place, seen),
            }
        }
        let known: BTreeSet<&str> = was.iter().map(|field| field.name.node.as_str()).collect();
        for field in is.iter().filter(|field| !known.is_empty() && !known.contains(field.name.node.as_str())) {
            if !field.ty.node.nullable && field.default_value.is_none() {
                self.found.push((place, format!("{kind} needs the field {}", field.name.node)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    const OLD: &str = "
        type Query { stand(id: ID!): Stand! stands(filter: Filter): [Stand!]! }
        type Stand { id: ID! code: Code! name: String other: Stand! }
        enum Code { A B }
        input Filter { code: Code name: String inner: Filter }";

    fn broken(new: &str, query: &str) -> Vec<String> {
        let (old, new) = (Types::read(OLD).unwrap(), Types::read(new).unwrap());
        compare(&old, &new, &parse_query(query).unwrap()).into_iter().map(|(_, what)| what).collect()
    }

    const READS: &str = "{ stand(id: 1) { ...s other { name } } } fragment s on Stand { code other { ...s } }";
    const SENDS: &str = "query($filter: Filter) { stands(filter: $filter) { id } }";

    #[test]
    fn a_change_counts_for_documents_that_meet_it() {
        for (from, to, query, expected) in [
            ("code: Code!", "code: Code", READS, "Stand.code was Code!, is Code"),
            ("code: Code!", "code: Int!", READS, "Stand.code was Code!, is Int!"),
            ("stand(id: ID!): Stand!", "stand(id: ID!): Stand", READS, "Query.stand was Stand!, is Stand"),
            ("[Stand!]!", "Stand!", SENDS, "Query.stands was [Stand!]!, is Stand!"),
            ("enum Code { A B }", "enum Code { A C }", SENDS, "Code has no value B any more"),
            ("code: Code name: String inner", "code: Code inner", SENDS, "Filter has no field name any more"),
            ("name: String inner", "name: String! inner", SENDS, "Filter.name was String, is String!"),
            ("inner: Filter }", "inner: Filter more: Int! }", SENDS, "Filter needs the field more"),
        ] {
            let new = OLD.replacen(from, to, 1);
            assert_eq!(broken(&new, query), [expected]);
            let other = if query == READS { "{ stand(id: 1) { id } }" } else { READS };
            let met = query == READS && from.starts_with("stand(");
            assert_eq!(broken(&new, other).is_empty(), !met, "{expected}");
        }
    }

    #[test]
    fn what_only_adds_breaks_nothing() {
        for (from, to) in [
            ("name: String other", "name: String! more: Int other"),
            ("enum Code { A B }", "enum Code { A B C }"),
            ("inner: Filter }", "inner: Filter more: Int size: Int! = 1 }"),
        ] {
            let new = OLD.replacen(from, to, 1);
            assert_eq!(broken(&new, READS), Vec::<String>::new());
            assert_eq!(broken(&new, SENDS), Vec::<String>::new());
        }
    }
}
