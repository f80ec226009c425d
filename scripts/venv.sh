#!/usr/bin/env bash
# venv.sh FOLDER: installs the Python packages of FOLDER/requirements.txt into FOLDER/.venv, unless they are there already.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$1/.venv
if [ ! "$venv/installed" -nt "$1/requirements.txt" ]; then
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --requirement "$1/requirements.txt"
  touch "$venv/installed"
fi
