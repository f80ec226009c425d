//! Documents made from the schema: every field of every root, with each of its arguments in turn.

use std::collections::HashMap;
use std::sync::LazyLock;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    BaseType, FieldDefinition, InputValueDefinition, Type, TypeKind, TypeSystemDefinition,
};
use async_graphql::{Name, Value};

use crate::rights::fields::needs;

static TYPES: LazyLock<HashMap<String, TypeKind>> = LazyLock::new(|| {
    let document = parse_schema(crate::graphql::sdl()).unwrap();
    let types = document.definitions.into_iter().filter_map(|definition| match definition {
        TypeSystemDefinition::Type(definition) => Some((definition.node.name.node.to_string(), definition.node.kind)),
        _ => None,
    });
    types.collect()
});

/// What arguments are filled with: things of one kind each, all at the same sites.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) sites: [String; 2],
    pub(super) allocation: String,
    pub(super) alert: String,
    pub(super) endpoint: String,
    pub(super) event: String,
    pub(super) command: String,
}

/// An operation, and the field of a root that it is about.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) field: String,
    pub(super) text: String,
}

pub(super) fn fields(on: &str) -> Vec<&'static FieldDefinition> {
    match TYPES.get(on) {
        Some(TypeKind::Object(object)) => object.fields.iter().map(|field| &field.node).collect(),
        Some(TypeKind::Interface(interface)) => interface.fields.iter().map(|field| &field.node).collect(),
        _ => Vec::new(),
    }
}

pub(super) fn base(of: &Type) -> &str {
    match &of.base {
        BaseType::Named(name) => name,
        BaseType::List(inner) => base(inner),
    }
}

fn is_leaf(name: &str) -> bool {
    !matches!(TYPES.get(name), Some(TypeKind::Object(_) | TypeKind::Interface(_) | TypeKind::Union(_)))
}

/// Whether somebody whose rights are all of sites may ask for a field.
fn is_of_sites(on: &str, field: &str) -> bool {
    needs(on, field).unwrap().is_none_or(|right| !right.is_of_installation())
}

/// Everything below a type that can be asked for without an argument, so many levels deep; nothing when there is nothing.
pub(super) fn below(on: &str, levels: usize) -> String {
    let selection = match TYPES.get(on) {
        Some(TypeKind::Union(union)) => {
            // Fields of one name may be of several types: each gets a name of its own.
            let members = union.members.iter().map(|member| {
                let member = member.node.as_str();
                format!("... on {member} {{ __typename {} }} ", chosen(member, levels, member))
            });
            members.collect()
        }
        _ => chosen(on, levels, ""),
    };
    if is_leaf(on) { String::new() } else { format!("{{ __typename {selection} }}") }
}

fn chosen(on: &str, levels: usize, prefix: &str) -> String {
    let mut text = String::new();
    for field in fields(on) {
        let (name, answers) = (field.name.node.as_str(), base(&field.ty.node));
        let needed = field
            .arguments
            .iter()
            .any(|argument| !argument.node.ty.node.nullable && argument.node.default_value.is_none());
        if needed || !is_of_sites(on, name) || (!is_leaf(answers) && levels == 0) {
            continue;
        }
        let alias = if prefix.is_empty() { String::new() } else { format!("{prefix}_{name}: ") };
        text += &format!("{alias}{name} {} ", below(answers, levels.saturating_sub(1)));
    }
    text
}

/// Every way to ask for the fields of a root that are not of the installation, in an order that does not depend on the world.
pub(super) fn all(kind: &str, root: &str, world: &World, levels: usize) -> Vec<Asked> {
    let mut asked = Vec::new();
    for field in fields(root) {
        let name = field.name.node.to_string();
        if matches!(name.as_str(), "at" | "after") || !is_of_sites(root, &name) {
            continue;
        }
        let selection = below(base(&field.ty.node), levels);
        let of = if kind == "mutation" { format!("Mutation.{name}") } else { name.clone() };
        for arguments in arguments(&field.arguments, &of, world) {
            asked.push(Asked { field: name.clone(), text: format!("{kind} {{ {name}{arguments} {selection} }}") });
        }
    }
    asked
}

type Definitions = [async_graphql::Positioned<InputValueDefinition>];

/// The arguments that must be there, and each other one in turn.
fn arguments(definitions: &Definitions, of: &str, world: &World) -> Vec<String> {
    let all = objects(definitions, of, world);
    all.into_iter()
        .map(|object| {
            let pairs: Vec<String> = object.iter().map(|(name, value)| format!("{name}: {value}")).collect();
            if pairs.is_empty() { String::new() } else { format!("({})", pairs.join(", ")) }
        })
        .collect()
}

fn objects(definitions: &Definitions, of: &str, world: &World) -> Vec<IndexMap<Name, Value>> {
    let is_needed =
        |definition: &InputValueDefinition| !definition.ty.node.nullable && definition.default_value.is_none();
    let (mut all, mut least) = (Vec::new(), IndexMap::new());
    for definition in definitions.iter().map(|definition| &definition.node).filter(|definition| is_needed(definition)) {
        let values = values(definition, of, world);
        least.insert(definition.name.node.clone(), values[0].clone());
    }
    all.push(least.clone());
    for definition in definitions.iter().map(|definition| &definition.node) {
        let skipped = usize::from(is_needed(definition));
        for value in values(definition, of, world).into_iter().skip(skipped) {
            let mut object = least.clone();
            // A day follows the zone of a site.
            if definition.name.node == "day" {
                object.insert(Name::new("site"), world.sites[usize::from(is_rail(of))].as_str().into());
            }
            object.insert(definition.name.node.clone(), value);
            all.push(object);
        }
    }
    all
}

fn is_rail(of: &str) -> bool {
    ["pass", "Pass", "spring", "Limits", "alert", "Alert"].iter().any(|word| of.contains(word))
}

/// What an argument can be.
fn values(definition: &InputValueDefinition, of: &str, world: &World) -> Vec<Value> {
    let (name, kind) = (definition.name.node.as_str(), base(&definition.ty.node));
    let list = matches!(definition.ty.node.base, BaseType::List(_));
    let values: Vec<Value> = match TYPES.get(kind) {
        Some(TypeKind::InputObject(input)) => {
            let one_of =
                input.fields.iter().all(|field| field.node.ty.node.nullable) && ["Moment", "DiffOf"].contains(&kind);
            let objects = objects(&input.fields, of, world);
            objects.into_iter().skip(usize::from(one_of)).map(Value::Object).collect()
        }
        Some(TypeKind::Enum(kind)) => {
            kind.values.iter().map(|value| Value::Enum(value.node.value.node.clone())).collect()
        }
        _ => scalars(name, kind, of, world),
    };
    if list { values.into_iter().map(|value| Value::List(vec![value])).collect() } else { values }
}

fn scalars(name: &str, kind: &str, of: &str, world: &World) -> Vec<Value> {
    let [airport, rail] = &world.sites;
    let site = if is_rail(of) { rail } else { airport };
    let stand = || Value::from(format!("{airport}/S1"));
    let flight = |number| Value::from(format!("{airport}/AF{number}/2026-01-15/A/CDG"));
    let pass = || Value::from(format!("{rail}/P1"));
    let things = || {
        let World { allocation, alert, .. } = world;
        let tags = [
            format!("site:{airport}"),
            format!("stand:{airport}/S1"),
            format!("flight:{airport}/AF100/2026-01-15/A/CDG"),
            format!("allocation:{allocation}"),
            format!("alert:{alert}"),
            format!("pass:{rail}/P1"),
        ];
        tags.into_iter().map(Value::from).collect()
    };
    match (kind, name) {
        // The answer to a command that was given before is for whoever may give it.
        ("UUID", "commandId") if of.starts_with("Mutation.") => Vec::new(),
        ("UUID", "id") => vec![world.event.as_str().into()],
        ("UUID", _) => vec![world.command.as_str().into()],
        ("ID", "site") => vec![site.as_str().into()],
        ("ID", "allocation") => vec![world.allocation.as_str().into()],
        ("ID", "alert") => vec![world.alert.as_str().into()],
        ("ID", "flight" | "arrival") => vec![flight(100)],
        ("ID", "departure" | "turnaround") => vec![flight(101)],
        ("ID", "pass") => vec![pass()],
        ("ID", "stand" | "to") => vec![stand()],
        ("ID", "endpoint") => vec![world.endpoint.as_str().into()],
        ("ID", "replay") => vec!["1".into()],
        ("ID", "event") => vec![world.event.as_str().into()],
        ("ID", "id") => match of {
            "site" => vec![airport.as_str().into()],
            "stand" | "standChanged" => vec![stand()],
            "flight" | "flightChanged" => vec![flight(100)],
            "allocation" => vec![world.allocation.as_str().into()],
            "alert" | "alertChanged" => vec![world.alert.as_str().into()],
            "pass" | "passChanged" => vec![pass()],
            "webhookEndpoint" => vec![world.endpoint.as_str().into()],
            other => panic!("{other} has an id: say of which kind"),
        },
        ("ID", other) => panic!("{of} has an argument {other}: say what it can be"),
        ("String", "thing" | "things") => things(),
        ("String", "tags") => things(),
        ("String", "actor") => vec!["operator:all".into()],
        ("String", "text" | "note" | "reason") => vec!["x".into()],
        ("String", "type" | "types") => vec!["airport.stand_defined".into()],
        ("String", "command") => vec!["airport.define_stand".into()],
        ("String", "zone") => vec!["Africa/Lome".into()],
        ("String", "icao") => vec!["DXXX".into()],
        ("String", "carrier" | "operator") => vec!["AF".into()],
        ("String", "number") => vec!["100".into()],
        ("String", "airport") => vec!["CDG".into()],
        ("String", "aircraftType") => vec!["A320".into()],
        ("String", "quantity") => vec!["height".into()],
        ("String", "url") => vec!["https://receiver.example/hook".into()],
        ("String", "unit") => vec!["mm".into()],
        // Cursors are told by lists.
        ("String", "after" | "before" | "cursor") => Vec::new(),
        ("String", _) => vec!["x".into()],
        ("Boolean", _) => vec![true.into()],
        ("Float", _) => vec![1.0.into()],
        ("DateTime", "to" | "until") => vec!["2026-01-15T12:00:00Z".into()],
        ("DateTime", _) => vec!["2026-01-15T09:00:00Z".into()],
        ("NaiveDate", _) => vec!["2026-01-15".into()],
        ("Position", "position" | "after") => vec![0.into(), 1.into()],
        (_, "last") => vec![3.into()],
        _ => vec![10.into()],
    }
}

/// The types that a value of a type can be.
pub(super) fn members(on: &str) -> Vec<String> {
    match TYPES.get(on) {
        Some(TypeKind::Union(union)) => union.members.iter().map(|member| member.node.to_string()).collect(),
        _ => vec![on.to_owned()],
    }
}
