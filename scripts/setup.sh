#!/usr/bin/env bash
# setup.sh [postgres] [redis] [node] [python] [chromium]: installs what is missing, with the system's package manager.
# Only Postgres is needed to run; Redis, Node, Python and Chromium are for what its name says in the list below.
set -euo pipefail

wanted=("$@")
[ "${#wanted[@]}" -gt 0 ] || wanted=(postgres redis node python chromium)

present() {
  case "$1" in
    postgres) command -v postgres >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null ||
      compgen -G '/opt/homebrew/opt/postgresql@*/bin/postgres' >/dev/null ;;
    redis) command -v redis-server >/dev/null || command -v valkey-server >/dev/null ;;
    node) command -v npm >/dev/null ;;
    python) python3 -c 'import ensurepip, venv' 2>/dev/null ;;
    chromium) command -v chromium >/dev/null || command -v chromium-browser >/dev/null ||
      command -v google-chrome >/dev/null ;;
    *) echo "setup.sh: unknown: $1" >&2; exit 2 ;;
  esac
}

# The packages of $1 for the package manager $2.
packages() {
  case "$2:$1" in
    apt-get:postgres) echo postgresql ;;
    apt-get:redis) echo redis-server ;;
    apt-get:node) echo nodejs npm ;;
    apt-get:python) echo python3 python3-venv ;;
    dnf:postgres) echo postgresql-server ;;
    dnf:redis) echo valkey ;;
    dnf:node) echo nodejs npm ;;
    dnf:python) echo python3 python3-pip ;;
    brew:postgres) echo postgresql@16 ;;
    *) echo "$1" ;;
  esac
}

missing=()
for what in "${wanted[@]}"; do present "$what" || missing+=("$what"); done
if [ "${#missing[@]}" -eq 0 ]; then
  echo "nothing is missing: ${wanted[*]}"
  exit 0
fi

manager=
for candidate in apt-get dnf brew; do
  if command -v "$candidate" >/dev/null; then manager=$candidate; break; fi
done
if [ -z "$manager" ]; then
  echo "missing: ${missing[*]}; install them as this system does it (Postgres 14 or newer, with its server programs)" >&2
  exit 1
fi

list=()
for what in "${missing[@]}"; do read -ra names <<<"$(packages "$what" "$manager")"; list+=("${names[@]}"); done
command=("$manager" install -y "${list[@]}")
[ "$manager" = brew ] && command=(brew install "${list[@]}")

as_root=()
if [ "$manager" != brew ] && [ "$(id -u)" -ne 0 ]; then
  if ! sudo -n true 2>/dev/null; then
    printf 'missing: %s. Install with:\n  sudo %s\n' "${missing[*]}" "${command[*]}" >&2
    exit 1
  fi
  as_root=(sudo -n)
fi

echo "installing: ${list[*]}"
# The package list of a fresh image is empty. Debian would also start a server of its own, which nobody asked for.
[ "$manager" = apt-get ] && "${as_root[@]}" apt-get update -q
if ! "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive "${command[@]}"; then
  printf 'that failed. Install with:\n  %s\n' "${command[*]}" >&2
  exit 1
fi
