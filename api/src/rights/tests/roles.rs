//! The schema, walked with each role.

use std::collections::{BTreeMap, VecDeque};

use async_graphql::parser::parse_query;
use serde_json::{Value, json};
use vigie_domain::identity::{Grant, Role};
use vigie_domain::support::SiteId;

use super::asked::{base, fields};
use super::{OWN, Stage};
use crate::http::testing::caller;
use crate::rights::fields::{lines, needs};
use crate::rights::{Right, Rights, check, matrix};

/// A way from a root to a field, as the types and fields on it.
type Way = Vec<(String, String)>;

/// The shortest way from a root to each type.
fn ways(root: &str) -> BTreeMap<String, Way> {
    let (mut found, mut next) = (BTreeMap::from([(root.to_owned(), Way::new())]), VecDeque::from([root.to_owned()]));
    while let Some(on) = next.pop_front() {
        let way = found[&on].clone();
        for field in fields(&on) {
            let step = (on.clone(), field.name.node.to_string());
            for answers in super::asked::members(base(&field.ty.node)) {
                if !found.contains_key(&answers) {
                    found.insert(answers.clone(), way.iter().cloned().chain([step.clone()]).collect());
                    next.push_back(answers);
                }
            }
        }
    }
    found
}

/// A document that asks for the last field of a way, and the rights on it.
fn document(kind: &str, way: &[(String, String)]) -> (String, Vec<Right>) {
    let mut text = String::new();
    for (on, field) in way.iter().rev() {
        let below = if text.is_empty() { "__typename".to_owned() } else { text };
        text = format!("... on {on} {{ {field} {{ {below} }} }}");
    }
    (format!("{kind} {{ {text} }}"), way.iter().filter_map(|(on, field)| needs(on, field).unwrap()).collect())
}

fn rights(role: Role, site: Option<&str>) -> Rights {
    Rights::of(&[Grant { role, site: site.map(|site| SiteId::new(site).unwrap()) }])
}

#[test]
fn each_role_may_ask_for_what_the_page_of_rights_gives_it_and_nothing_else() {
    let (mut cases, mut allowed) = (0, 0);
    let mut seen = std::collections::BTreeSet::new();
    for (kind, root) in [("query", "Query"), ("mutation", "Mutation"), ("subscription", "Subscription")] {
        for (on, way) in ways(root) {
            for field in fields(&on) {
                let name = field.name.node.to_string();
                seen.insert((on.clone(), name.clone()));
                let way: Way = way.iter().cloned().chain([(on.clone(), name)]).collect();
                let (text, needed) = document(kind, &way);
                let document = parse_query(&text).unwrap();
                let (_, operation) = document.operations.iter().next().unwrap();
                for role in Role::ALL {
                    for site in [None, Some(OWN[0])] {
                        let held = |right: &Right| {
                            matrix::of(role).contains(*right) && (site.is_none() || !right.is_of_installation())
                        };
                        let answer = check(&document, &operation.node, &rights(role, site));
                        assert_eq!(answer.is_ok(), needed.iter().all(held), "{role} at {site:?}: {text}");
                        (cases, allowed) = (cases + 1, allowed + usize::from(answer.is_ok()));
                    }
                }
            }
        }
    }
    let lines: usize = lines().map(|line| line.fields.split_whitespace().count()).sum();
    let refusal = 2; // The fields of the interface, which every refusal has too.
    assert!(seen.len() + refusal >= lines, "{} of {lines} fields are reached", seen.len());
    assert!(allowed > cases / 10 && allowed < cases, "{allowed} of {cases} cases are allowed");
    println!("{cases} cases, {allowed} allowed");
}

/// What each role may do at its site, in words of its own: the table of rights must not drift from what roles are for.
#[tokio::test]
async fn each_role_does_what_it_is_there_for() {
    let stage = Stage::full().await;
    let questions = [
        ("{ stands { totalCount } }", "viewer operator supervisor auditor analyst integrator admin"),
        ("{ auditTrail { totalCount } }", "supervisor auditor admin"),
        ("{ refusals { totalCount } }", "supervisor auditor admin"),
        ("{ at(position: 1) { stands { totalCount } } }", "supervisor auditor analyst admin"),
        ("{ events(first: 1) { nodes { position } } }", "supervisor auditor analyst integrator admin"),
        (
            "mutation { acknowledgeAlert(input: { alert: \"0197f3a0-0000-7000-8000-000000000009\" }) { __typename } }",
            "operator supervisor",
        ),
        (
            "mutation { closeStand(input: { stand: \"OWN/S9\", from: \"2026-01-01T00:00:00Z\" }) { __typename } }",
            "supervisor",
        ),
        ("mutation { cancelFlight(input: { flight: \"OWN/AF999/2026-01-15/A/CDG\" }) { __typename } }", "supervisor"),
        (
            "mutation { assignAircraft(input: { flight: \"OWN/AF999/2026-01-15/A/CDG\", aircraftType: \"A320\" }) { __typename } }",
            "operator supervisor integrator",
        ),
        (
            "mutation { setTurnaroundRule(input: { site: \"OWN\", aircraftType: \"A320\", turnaround: { min: 30, typical: 40, max: 50 } }) { __typename } }",
            "admin",
        ),
        ("{ projections { name } }", ""),
        ("{ jobs { name } }", ""),
        ("{ deadLetters { id } }", ""),
    ];
    for (text, roles) in questions {
        for role in Role::ALL {
            let person = caller("user:person", None, &rights(role, Some(OWN[0])));
            let answer = stage.ask(&person, text, Value::Null).await;
            let forbidden = answer["errors"][0]["extensions"]["code"] == json!("FORBIDDEN");
            let expected = roles.split_whitespace().any(|name| name == role.as_str());
            assert_eq!(!forbidden, expected, "{role}: {text}: {answer}");
            assert!(!expected || answer.get("errors").is_none(), "{role}: {text}: {answer}");
        }
    }
    for (text, roles) in [
        ("{ projections { name } }", "auditor analyst admin"),
        ("{ jobs { name } }", "auditor analyst admin"),
        ("{ deadLetters { id } }", "admin"),
        ("mutation { resumeProjection(input: { projection: \"stands\" }) { __typename } }", "analyst admin"),
    ] {
        for role in Role::ALL {
            let answer = stage.ask(&caller("user:person", None, &rights(role, None)), text, Value::Null).await;
            let expected = roles.split_whitespace().any(|name| name == role.as_str());
            assert_eq!(answer.get("errors").is_none(), expected, "{role}: {text}: {answer}");
        }
    }
}
