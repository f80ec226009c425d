#!/usr/bin/env bash
# ui.sh: builds api/ui into api/ui/dist, unless that is newer than its sources.
set -euo pipefail
cd "$(dirname "$0")/../api/ui" 2>/dev/null || exit 0

if [ -d dist ] && [ -z "$(find . -path ./node_modules -prune -o -path ./dist -prune -o -type f -newer dist -print -quit)" ]; then
  exit 0
fi
"$(dirname "$0")/need.sh" node
npm ci --no-audit --no-fund
npm run build
touch dist
