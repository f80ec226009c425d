#!/usr/bin/env bash
# browser.sh: installs what tests/browser drives Chromium with, unless it is there already.
set -euo pipefail
cd "$(dirname "$0")/../tests/browser"
if [ ! node_modules/.package-lock.json -nt package-lock.json ]; then
  npm ci --no-audit --no-fund --loglevel=error
  touch node_modules/.package-lock.json
fi
