//! Each limit at its value and one over it.

use async_graphql::Value;
use serde_json::json;

use super::*;

fn checked(text: &str, variables: serde_json::Value, limits: &Limits) -> Result<u64, ServerError> {
    let variables = Variables::from_json(variables);
    check(text, None, &variables, limits).map(|(_, cost)| cost.cost).map_err(|unfit| unfit.error)
}

fn cost(text: &str) -> u64 {
    checked(text, json!({}), &Limits::default()).unwrap()
}

/// `text` passes where `most` of what it has is allowed, and is refused by its code where one less is.
#[track_caller]
fn just(text: &str, most: u64, limit: Limit, set: impl Fn(&mut Limits, u64)) {
    let with = |value| {
        let mut limits = Limits::default();
        set(&mut limits, value);
        checked(text, json!({}), &limits)
    };
    with(most).unwrap();
    let error = with(most - 1).unwrap_err();
    let told = |name: &str| error.extensions.as_ref().and_then(|extensions| extensions.get(name)).cloned();
    assert_eq!(told("code"), Some(Value::from(limit.code())));
    assert_eq!(told("asked"), Some(Value::from(most)), "{error:?}");
    assert_eq!(told("allowed"), Some(Value::from(most - 1)));
    assert!(error.message.contains(limit.setting()) && error.message.contains(&most.to_string()), "{}", error.message);
}

#[test]
fn each_limit_of_a_document_lets_its_value_through_and_one_more_not() {
    just("{ head position }", 4, Limit::Tokens, |limits, most| limits.tokens = most);
    just("{ stands { nodes { id } } }", 3, Limit::Nesting, |limits, most| limits.nesting = most);
    just("{ event(id: [[1]]) { id } }", 4, Limit::Nesting, |limits, most| limits.nesting = most);
    just("{ stands { nodes { id site { id } } } }", 4, Limit::Depth, |limits, most| limits.depth = most);
    just("{ head stands { nodes { id name } } }", 5, Limit::Fields, |limits, most| limits.fields = most);
    just("query a { head } query b { head position }", 3, Limit::Fields, |limits, most| limits.fields = most);
    just("{ a: head b: stands { c: nodes { id } } }", 3, Limit::Aliases, |limits, most| limits.aliases = most);
    just("{ a: head b: head head }", 3, Limit::RootFields, |limits, most| limits.root_fields = most);
    just("{ stands(first: 7) { nodes { id } } }", 7, Limit::Page, |limits, most| limits.page = most);
    just("{ stands(last: 7) { nodes { id } } }", 7, Limit::Page, |limits, most| limits.page = most);
    just("query ($n: Int = 9) { stands(first: $n) { nodes { id } } }", 9, Limit::Page, |limits, most| {
        limits.page = most
    });
    just("{ jobRuns(first: 3) { id } }", 3, Limit::Page, |limits, most| limits.page = most);
    just("{ stands(first: 3) { nodes { id } } }", 1 + 10 + 1 + 3 * 2, Limit::Cost, |limits, most| limits.cost = most);
}

#[test]
fn directives_are_counted_wherever_they_stand() {
    let text = "query q($a: Boolean! @x) @y { head @skip(if: $a) ... @x { position } ...F @x } fragment F on Query @z { head @w }";
    just(text, 7, Limit::Directives, |limits, most| limits.directives = most);
}

#[test]
fn fragments_count_as_if_they_were_written_out() {
    let text = "{ ...A ...A } fragment A on Query { a: stands { ...B } } fragment B on StandConnection { nodes { id site { id } } }";
    just(text, 10, Limit::Fields, |limits, most| limits.fields = most);
    just(text, 2, Limit::Aliases, |limits, most| limits.aliases = most);
    just(text, 2, Limit::RootFields, |limits, most| limits.root_fields = most);
    just(text, 4, Limit::Depth, |limits, most| limits.depth = most);
    just(text, 6, Limit::Nesting, |limits, most| limits.nesting = most);
    let written = "{ a: stands { nodes { id site { id } } } a: stands { nodes { id site { id } } } }";
    assert_eq!(cost(text), cost(written));
}

#[test]
fn a_cost_is_the_fields_of_the_answer_lists_times_their_pages() {
    assert_eq!(cost("{ head }"), 1);
    assert_eq!(cost("{ __typename }"), 1);
    assert_eq!(cost("{ stand(id: \"LFW/C03\") { id name site { id } } }"), 5);
    // The connection and its statement, edges, and three fields for each of the rows.
    assert_eq!(cost("{ stands(first: 4) { edges { node { id } } } }"), 1 + 10 + 1 + 4 * 3);
    assert_eq!(cost("{ stands { nodes { id } } }"), 1 + 10 + 1 + 50 * 2);
    let nested =
        "{ stands(first: 4) { nodes { id allocations(first: 3) { nodes { id } } } pageInfo { hasNextPage } } }";
    assert_eq!(cost(nested), 1 + 10 + 1 + 2 + 4 * (1 + 1 + (1 + 10 + 1 + 3 * 2)));
    assert_eq!(cost("{ timers { due } }"), 1 + 50 * 2);
    assert_eq!(cost("{ policies { name } }"), 1 + 10 * 2);
    assert_eq!(cost("{ stands(first: 0) { totalCount } }"), 1 + 10 + 51);
}

#[test]
fn a_variable_says_how_large_a_page_is() {
    let text = "query q($n: Int = 7) { stands(first: $n) { nodes { id } } }";
    let of = |variables| checked(text, variables, &Limits::default()).unwrap();
    assert_eq!(of(json!({})), 12 + 7 * 2);
    assert_eq!(of(json!({ "n": 100 })), 12 + 100 * 2);
    assert_eq!(of(json!({ "n": -5 })), 12);
    assert_eq!(of(json!({ "n": null })), 12 + 50 * 2);
    let error = checked(text, json!({ "n": 201 }), &Limits::default()).unwrap_err();
    assert_eq!(error.message, "the page has 201 rows; at most 200 are allowed (VIGIE_MAX_PAGE)");
}

#[test]
fn the_past_walks_and_commands_cost_more_than_their_fields() {
    assert_eq!(cost("{ at(position: 1) { head } }"), 202);
    assert_eq!(cost("mutation { cancelFlight(input: { flight: \"x\" }) { ... on Refusal { code } } }"), 102);
}

#[test]
fn of_several_operations_the_named_one_is_charged() {
    let text = "query a { head } query b { at(position: 1) { head } }";
    let of = |name| check(text, name, &Variables::default(), &Limits::default()).unwrap().1.cost;
    assert_eq!((of(Some("a")), of(Some("b")), of(None)), (1, 202, 202));
}

/// Written out, each of these would be 2^60 fields; so they would be if they were only looked at so often.
#[test]
fn fragments_that_multiply_are_refused_at_once() {
    let bomb = |last: &str| {
        let mut text = "{ ...F0 }".to_owned();
        for n in 0..60 {
            text += &format!(" fragment F{n} on Query {{ ...F{m} ...F{m} }}", m = n + 1);
        }
        format!("{text} fragment F60 on Query {{ {last} }}")
    };
    let error = checked(&bomb("head"), json!({}), &Limits::default()).unwrap_err();
    assert!(error.message.contains("VIGIE_MAX_FIELDS"), "{}", error.message);
    let error = checked(&bomb("...F0"), json!({}), &Limits::default()).unwrap_err();
    assert_eq!(error.message, "fragment \"F0\" spreads itself");
}

/// Neither the parser's stack nor ours ends with the text: what nests too deep is not descended into.
#[test]
fn no_depth_of_brackets_or_fragments_ends_the_stack() {
    let limits = Limits { tokens: 1_000_000, ..Limits::default() };
    for (open, close) in [("{a", "}"), ("{...{a", "}}"), ("{a(b:[[[[", "]]]])}"), ("{a(b:{c:{d:", "}})}")] {
        let text = format!("{}{}", open.repeat(20_000), close.repeat(20_000));
        let error = checked(&text, json!({}), &limits).unwrap_err();
        assert!(error.message.contains("VIGIE_MAX_NESTING"), "{}", error.message);
    }
    let chain = |length: usize| {
        let links = (0..length).map(|n| format!("fragment F{n} on Query {{ ...F{} }}", n + 1));
        format!("{{ ...F0 }} {} fragment F{length} on Query {{ head }}", links.collect::<Vec<_>>().join(" "))
    };
    let error = checked(&chain(20_000), json!({}), &limits).unwrap_err();
    assert!(error.message.contains("VIGIE_MAX_NESTING"), "{}", error.message);
    just(&chain(10), 12, Limit::Nesting, |limits, most| limits.nesting = most);
    checked(&chain(62), json!({}), &limits).unwrap();
    checked(&chain(63), json!({}), &limits).unwrap_err();
}

#[test]
fn introspection_is_allowed_as_tools_ask_it_and_not_as_a_bomb() {
    let ofs = (0..9).fold("name".to_owned(), |inner, _| format!("kind name ofType {{ {inner} }}"));
    let tool = format!(
        "query {{ __schema {{ queryType {{ name }} types {{ ...T }} directives {{ name args {{ ...I }} }} }} }}
         fragment T on __Type {{ kind name fields(includeDeprecated: true) {{ name args {{ ...I }} type {{ ...R }} }}
             inputFields {{ ...I }} interfaces {{ ...R }} enumValues {{ name }} possibleTypes {{ ...R }} }}
         fragment I on __InputValue {{ name type {{ ...R }} defaultValue }}
         fragment R on __Type {{ {ofs} }}"
    );
    assert!(cost(&tool) < 50_000, "{}", cost(&tool));
    let bomb = (0..4).fold("name".to_owned(), |inner, _| format!("fields {{ type {{ {inner} }} }}"));
    let error =
        checked(&format!("{{ __schema {{ types {{ {bomb} }} }} }}"), json!({}), &Limits::default()).unwrap_err();
    assert!(error.message.contains("VIGIE_MAX_COST"), "{}", error.message);
}

#[test]
fn a_document_that_is_refused_is_charged_for_being_read() {
    let read = |text: &str| check(text, None, &Variables::default(), &Limits::default()).unwrap_err().cost;
    assert_eq!(read("{"), 1);
    assert_eq!(read(&format!("{{ {} }}", "head ".repeat(100_000))), 501);
}
