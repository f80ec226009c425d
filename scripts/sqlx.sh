#!/usr/bin/env bash
# sqlx.sh [FOLDER]: writes into FOLDER (.sqlx) what the Postgres of PGHOST and DATABASE_URL says about each query.
# Called with a new one: `make sqlx`.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:-$PWD/.sqlx}

for migration in migrations/*.sql; do
  psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 --file "$migration"
done
rm -rf "$folder"
mkdir -p "$folder"
# The macros write as they are compiled: everything that has some is compiled again, apart from the usual build.
touch ./*/src/lib.rs ./*/tests/*.rs 2>/dev/null || true
SQLX_OFFLINE=false SQLX_OFFLINE_DIR=$folder cargo check --quiet --locked --workspace --all-targets
