#!/usr/bin/env bash
# check.sh: the gate. Every step runs, and each that fails is named at the end.
# The tools that are not part of the Rust toolchain are built into .tools at their first use (a few minutes).
set -uo pipefail
cd "$(dirname "$0")/.."

MACHETE=0.9.2
DENY=0.20.2
tools=$PWD/.tools
failed=()

step() {
  local name=$1
  shift
  printf '\n== %s\n' "$name"
  local begin=$SECONDS
  if "$@"; then printf '   ok, %s s\n' "$((SECONDS - begin))"; else failed+=("$name"); printf '   FAILED\n'; fi
}

# tool NAME VERSION: builds it unless it is there.
tool() {
  [ -x "$tools/$1-$2/bin/$1" ] || cargo install --quiet --locked --root "$tools/$1-$2" --version "$2" "$1"
}

docs() { RUSTDOCFLAGS='-D warnings' cargo doc --quiet --locked --workspace --no-deps --document-private-items; }

unused() { tool cargo-machete "$MACHETE" && "$tools/cargo-machete-$MACHETE/bin/cargo-machete" --skip-target-dir .; }

denied() {
  tool cargo-deny "$DENY" || return 1
  local deny=$tools/cargo-deny-$DENY/bin/cargo-deny
  "$deny" --log-level error --locked check licenses bans sources || return 1
  # Advisories come over the network. Where that is closed, this one check is left out, and says so.
  if "$deny" fetch db 2>/dev/null; then
    "$deny" --log-level error --locked check advisories
  else
    echo '   skipped: the advisory database cannot be reached'
  fi
}

queries() {
  local made=$PWD/target/sqlx-made
  target/debug/vigie postgres run --throwaway -- scripts/sqlx.sh "$made" && diff -rq .sqlx "$made" ||
    { echo '   .sqlx is old: run make sqlx'; return 1; }
}

# The tests compare the generated files with what the code says; the architecture test is one of them too.
generated() {
  target/debug/vigie postgres run --throwaway -- env -u DATABASE_URL \
    cargo test --quiet --locked --package vigie-api --lib -- schema documented
}

architecture() { cargo test --quiet --locked --package vigie-tests --test system architecture; }

scripts/need.sh cargo postgres || exit 1
step 'format' cargo fmt --all --check
step 'lints' cargo clippy --quiet --locked --workspace --all-targets -- -D warnings
step 'documentation' docs
step 'build' cargo build --quiet --locked --package vigie-api
step 'architecture' architecture
step 'generated: queries (.sqlx)' queries
step 'generated: schema.graphql, docs/configuration.md' generated
step 'unused dependencies' unused
step 'licences, bans, sources, advisories' denied

if [ "${#failed[@]}" -gt 0 ]; then
  printf '\nfailed: %s\n' "$(IFS=';'; echo "${failed[*]}")" >&2
  exit 1
fi
printf '\nall checks passed\n'
