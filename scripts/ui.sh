#!/usr/bin/env bash
# ui.sh [--optional]: builds api/ui into api/ui/dist, unless that is newer than its sources.
# Optional: where it cannot be built, say so and go on; the program is built without the page at /graphql then.
set -euo pipefail
scripts=$(cd "$(dirname "$0")" && pwd)
cd "$scripts/../api/ui"

build() {
  (cd "$scripts/.." && scripts/need.sh node) && npm ci --no-audit --no-fund --loglevel=error && npm run --silent build && touch dist
}

if [ -d dist ] && [ -z "$(find . \( -name node_modules -o -name dist \) -prune -o -type f -newer dist -print -quit)" ]; then
  exit 0
fi
if ! build; then
  [ "${1:-}" = --optional ] || exit 1
  echo 'the page at /graphql could not be built; everything else works without it' >&2
fi
