//! What a person's groups mean here.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use vigie_domain::identity::Grant;

/// The roles that groups give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Roles {
    /// Those that this person has.
    pub(crate) held: BTreeSet<Grant>,
    /// All that groups can give: what of them somebody has without the group, they lose. Others were granted here, and
    /// stay.
    pub(crate) given: BTreeSet<Grant>,
}

impl Roles {
    /// Of somebody in these groups.
    pub(crate) fn of(meaning: &[(String, Grant)], groups: &[String]) -> Self {
        let held = meaning.iter().filter(|(group, _)| groups.contains(group));
        Self {
            held: held.map(|(_, grant)| grant.clone()).collect(),
            given: meaning.iter().map(|(_, grant)| grant.clone()).collect(),
        }
    }
}

/// The texts of a claim, which is a list of them or one; nothing where there is no such claim.
pub(super) fn groups(claims: &Map<String, Value>, claim: &str) -> Option<Vec<String>> {
    match at(claims, claim)? {
        Value::Array(items) => Some(items.iter().filter_map(Value::as_str).map(str::to_owned).collect()),
        Value::String(one) => Some(vec![one.clone()]),
        _ => None,
    }
}

/// The text of a claim, without blanks around it.
pub(crate) fn text_at(claims: &Map<String, Value>, claim: &str) -> Option<String> {
    let text = at(claims, claim)?.as_str()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// A claim by its name, or by a path of names with dots. Names may hold dots themselves (`https://example/groups`).
fn at<'a>(claims: &'a Map<String, Value>, claim: &str) -> Option<&'a Value> {
    claims.get(claim).or_else(|| {
        let (first, rest) = claim.split_once('.')?;
        at(claims.get(first)?.as_object()?, rest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn claims(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn groups_are_a_list_or_one_at_the_top_or_below() {
        let found = claims(json!({ "groups": ["a", 1, "b"], "role": "c", "realm_access": { "roles": ["d"] },
            "https://example/groups": ["e"], "n": 1 }));
        let of = |claim: &str| groups(&found, claim);
        assert_eq!(of("groups"), Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(of("role"), Some(vec!["c".to_owned()]));
        assert_eq!(of("realm_access.roles"), Some(vec!["d".to_owned()]));
        assert_eq!(of("https://example/groups"), Some(vec!["e".to_owned()]));
        assert_eq!((of("n"), of("none"), of("realm_access.none")), (None, None, None));
    }

    #[test]
    fn groups_give_their_roles_and_no_others() {
        let grant = |text: &str| text.parse::<Grant>().unwrap();
        let meaning = [("ops".to_owned(), grant("operator@LFW")), ("it".to_owned(), grant("admin"))];
        let roles = Roles::of(&meaning, &["ops".to_owned(), "Ops".to_owned(), "else".to_owned()]);
        assert_eq!(roles.held, BTreeSet::from([grant("operator@LFW")]));
        assert_eq!(roles.given, BTreeSet::from([grant("operator@LFW"), grant("admin")]));
        assert!(Roles::of(&meaning, &[]).held.is_empty());
    }
}
