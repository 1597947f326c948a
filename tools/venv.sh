#!/bin/sh
# Make .venv: the plugin, a kubectl and the development tools. PYTHON chooses the interpreter.
set -eu
cd "$(dirname "$0")/.."

suitable() { "$1" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 15))' 2>/dev/null; }

python=
for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 python3.10}; do
  if suitable "$candidate"; then python=$candidate; break; fi
done
# Debian has venv in a package of its own.
if [ -z "$python" ] || ! "$python" -c 'import ensurepip' 2>/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "venv: installing python3-venv" >&2
    apt-get update -q >/dev/null
    DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends python3-venv >/dev/null
    python=python3
  fi
  if ! suitable "${python:-python3}"; then
    echo "venv: Python 3.10 to 3.14 with venv is needed; install python3 and python3-venv" >&2
    exit 1
  fi
fi
echo "venv: making .venv with $("$python" --version)" >&2
"$python" -m venv .venv
.venv/bin/pip install --quiet --disable-pip-version-check --editable '.[dev]'
touch .venv/made
