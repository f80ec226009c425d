#!/usr/bin/env bash
# clients.sh: installs the GraphQL clients that tests/clients and examples use, unless they are there already.
set -euo pipefail
cd "$(dirname "$0")/.."
for folder in tests/clients examples/typescript; do
  if [ ! "$folder/node_modules/.package-lock.json" -nt "$folder/package-lock.json" ]; then
    npm ci --prefix "$folder" --no-audit --no-fund --loglevel=error
    touch "$folder/node_modules/.package-lock.json"
  fi
done
scripts/venv.sh tests/clients
