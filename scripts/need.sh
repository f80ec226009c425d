#!/usr/bin/env bash
# need.sh WHAT…: stops with what to do when something that a target needs is missing.
set -euo pipefail

say() { printf 'missing: %s\n  %s\n' "$1" "$2" >&2; missing=1; }

has_postgres() {
  [ -n "${VIGIE_POSTGRES_BIN:-}${DATABASE_URL:-}" ] && return 0
  command -v postgres >/dev/null && return 0
  compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null && return 0
  compgen -G '/usr/pgsql-*/bin/postgres' >/dev/null && return 0
  compgen -G '/usr/libexec/postgresql*/postgres' >/dev/null && return 0
  compgen -G '/opt/homebrew/opt/postgresql@*/bin/postgres' >/dev/null && return 0
  compgen -G '/usr/local/opt/postgresql@*/bin/postgres' >/dev/null && return 0
  command -v pg_config >/dev/null && [ -x "$(pg_config --bindir)/postgres" ]
}

missing=0
for what in "$@"; do
  case "$what" in
    cargo) command -v cargo >/dev/null || say 'the Rust toolchain' 'install it with rustup: https://rustup.rs' ;;
    postgres) has_postgres || { scripts/setup.sh postgres && has_postgres; } || missing=1 ;;
    node) command -v npm >/dev/null || say 'Node.js (node, npm)' 'run make setup' ;;
    chromium | redis | python) scripts/setup.sh "$what" >/dev/null || missing=1 ;;
    *) echo "need.sh: unknown: $what" >&2; exit 2 ;;
  esac
done
exit "$missing"
