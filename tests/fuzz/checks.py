"""What no answer may be, whatever was asked, and values that reach further than those that are no ids at all."""

import json
import os

import schemathesis
from graphql import StringValueNode, Visitor, visit
from hypothesis import strategies as st
from schemathesis.graphql import nodes, scalar

# What only the server itself knows, and never says.
INTERNALS = ("panicked", "RUST_BACKTRACE", ".rs:", "sqlx", "postgres", "relation \"", "column \"", "syntax error at", "/ho" "me/", "/ro" "ot/")

# What whoever asks may not hear of, unless they name it themselves.
HIDDEN = os.environ.get("VIGIE_FUZZ_HIDDEN", "").split()

# Ids that the demo has, so that more is tried than how wrong ones are refused; and what they often are mistaken for.
TEXTS = [
    "LFW", "SANGATTE", "LFW/C01", "LFW/C02", "AF", "860", "A320", "operator", "read", "stand_board", "springs_out_of_limits",
    "' or 1=1 --", "\"; drop table event; --", "${jndi:ldap://x}", "../../etc/passwd", "<script>alert(1)</script>", "%00", "\u202e", "é" * 40,
]
TIMES = ["2026-01-01T00:00:00Z", "2026-06-30T12:00:00+02:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "-262143-01-01T00:00:00Z", "now"]

scalar("Position", st.one_of(st.integers(-1, 500), st.sampled_from([2**31, 2**53, 2**63 - 1, 2**63])).map(nodes.Int))
scalar("NaiveDate", st.one_of(st.dates().map(str), st.sampled_from(["2026-02-30", ""])).map(nodes.String))
scalar("DateTime", st.one_of(st.datetimes().map(lambda time: time.isoformat() + "Z"), st.sampled_from(TIMES)).map(nodes.String))
scalar("UUID", st.one_of(st.uuids().map(str), st.sampled_from(["", "0" * 32])).map(nodes.String))
scalar("JSON", st.one_of(st.text(), st.sampled_from(TEXTS)).map(nodes.String))


# Where it is known what a text should be, it often is that.
NAMED = {
    "site": ["LFW", "SANGATTE", "XXX"],
    "stand": ["LFW/C01", "LFW/C02", "LFW/ZZZ", "XXX/C01"],
    "id": ["LFW", "LFW/C01", "operational", "018f0000-0000-7000-8000-000000000000"],
    "flight": ["LFW:AF:860:2026-06-30:ARRIVAL"],
    "carrier": ["AF", "ET"],
    "number": ["860", "508"],
    "airport": ["CDG", "ADD"],
    "aircraftType": ["A320", "A333", "B789"],
    "zone": ["Africa/Lome", "Europe/Paris"],
    "projection": ["stand_board", "flights", "audit"],
    "name": ["stands", "flights", "alerts", "read_models"],
}


class Meaningful(Visitor):
    """Puts a text that means something in the place of two in three."""

    count = 0

    def enter_argument(self, node, *_):
        return self.meaningful(node)

    def enter_object_field(self, node, *_):
        return self.meaningful(node)

    def meaningful(self, node):
        if not isinstance(node.value, StringValueNode):
            return None
        self.count += 1
        texts = [NAMED.get(node.name.value, TEXTS), TEXTS, [node.value.value]][self.count % 3]
        # The choice follows from what was drawn, so that a seed gives the same requests again.
        text = texts[sum(map(ord, node.value.value)) % len(texts)]
        return type(node)(name=node.name, value=StringValueNode(value=text))


@schemathesis.hook
def map_body(context, body):
    # The body is the document's syntax tree.
    return visit(body, Meaningful())


@schemathesis.check
def nothing_breaks_and_nothing_leaks(context, response, case):
    text = response.text
    assert response.status_code < 500, f"status {response.status_code}: {text}"
    asked = response.request.body or b""
    asked = (asked.decode() if isinstance(asked, bytes) else asked).lower()
    for internal in [*INTERNALS, *HIDDEN]:
        assert internal.lower() not in text.lower() or internal.lower() in asked, f"{internal!r} in {text}"
    for error in json.loads(text).get("errors", []):
        code = error.get("extensions", {}).get("code")
        assert code and code != "INTERNAL", f"{code}: {text}"
