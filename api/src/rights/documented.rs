//! `docs/rights.md`.

use std::fmt::Write as _;
use std::path::Path;

use vigie_domain::identity::Role;

use super::fields::lines;
use super::{Right, matrix};

const OPENING: &str = "\
# Rights

Who may do what, and of which sites. This page is made from the tables that the program decides by; [ADR
10](adr/0010-rights-and-sites.md) says why it is so.

A person or an API key holds roles, each everywhere or at one site. What they may do at a site is what their roles there
and their roles everywhere allow together.

- **A field needs a right.** Each field of the schema has a line below; one without a line would be refused to everybody.
  A document that asks for a field whose right its caller holds nowhere is refused as a whole with the error `FORBIDDEN`,
  which names the field and the right, before anything of it runs.
- **Other sites do not exist.** Whoever holds a right at some sites sees with it what is there, as if there were nothing
  else: lists, counts, things by their id, the past, the audit trail, refusals, events, downloads, and the items of
  subscriptions. Things by the id of another site are answered as those that never were. Positions of the log have no gaps:
  that something happened somewhere can be told from them, but not what.
- **A command needs its right at every site that it touches.** Where its caller sees the site but lacks the right, the
  answer is the error `FORBIDDEN`. Where they may know nothing of the site, the command is judged as if what it names never
  had been: the refusal is the one of a thing that is not there; where no rule refuses that, `FORBIDDEN`. Both are kept
  among the [refusals](audit.md#refusals), and so is a command that its caller may give nowhere: unread, under the name of its
  field, without input, things and site.
- **A command id is answered again** only to whoever may do at its site what the command did; to others it is used up
  (`COMMAND_ID_REUSED`).
- **What runs ends.** A subscription ends with `FORBIDDEN` when a right that it needs is taken away at a site of which it
  shows something, and with `UNAUTHENTICATED` when its caller is deactivated, signed out, or shows something that expires.
  A WebSocket is closed with 4401 then, and with 4403 when its caller has no right left. Servers notice as soon as they
  see the fact in the log.
- **Rights are those of now**, also for the past.
- **The log decides.** Servers fold the facts about people, keys and roles themselves, and follow the log. No read model is
  between: pausing one changes nobody's rights. A server that cannot follow the log refuses everything. It reads those
  facts from the beginning when it starts, also where the rest of the log is [archived](operations.md#archive).
- **Names are of those whose acts one sees.** Beside an event, an entry of the audit trail or a refusal stands what its actor
  is called. Asked for by their id (`actorNames`), people and keys are named to whoever sees a site at which they hold or
  ever held a role; those with a role everywhere to everybody; each to themselves.

Rights of the installation (marked \u{2217}) are about all sites together: a role at one site does not give them.

";

fn markdown() -> String {
    let mut text = OPENING.to_owned();
    text.push_str("## Roles\n\n| Right | may \u{2026} |");
    for role in Role::ALL {
        write!(text, " {role} |").expect("writing to a text cannot fail");
    }
    text.push_str("\n|---|---|");
    text.push_str(&"---|".repeat(Role::ALL.len()));
    for right in Right::ALL {
        let mark = if right.is_of_installation() { "\u{2217}" } else { "" };
        write!(text, "\n| `{}`{mark} | {} |", right.name(), right.words()).expect("writing to a text cannot fail");
        for role in Role::ALL {
            text.push_str(if matrix::of(role).contains(right) { " yes |" } else { " |" });
        }
    }
    text.push_str("\n\nAn open server (`VIGIE_OPEN`) asks nobody: there everybody holds every right everywhere.\n");
    for (title, types) in
        [("What can be asked", "Query"), ("What can be done", "Mutation"), ("What can be watched", "Subscription")]
    {
        write!(text, "\n## {title}\n\n| Right | Fields of `{types}` |\n|---|---|\n")
            .expect("writing to a text cannot fail");
        fields(&mut text, |on| on == types, |_, names| names);
    }
    text.push_str(
        "\nThe same fields under `at` and `after` need the same.\n\n## What answers are made of\n\n\
         Connections, edges, results and refusals need nothing of their own: what is in them does.\n\n\
         | Right | Fields |\n|---|---|\n",
    );
    let roots = ["Query", "Mutation", "Subscription", "Past", "Now"];
    fields(&mut text, |on| !roots.contains(&on), |on, names| format!("**{on}**: {names}"));
    text
}

/// Rows of right and fields, for the types that `takes` lets through.
fn fields(text: &mut String, takes: impl Fn(&str) -> bool, tell: impl Fn(&str, String) -> String) {
    for line in lines().filter(|line| takes(line.on)) {
        let Some(right) = line.right else { continue };
        let names: Vec<String> = line.fields.split_whitespace().map(|field| format!("`{field}`")).collect();
        writeln!(text, "| `{}` | {} |", right.name(), tell(line.on, names.join(", ")))
            .expect("writing to a text cannot fail");
    }
}

#[test]
fn the_documented_rights_are_those_that_are_decided_by() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/rights.md");
    if std::env::var_os("VIGIE_WRITE_GENERATED").is_some() {
        std::fs::write(&path, markdown()).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == markdown(), "docs/rights.md is old: run the tests with VIGIE_WRITE_GENERATED=1");
}
