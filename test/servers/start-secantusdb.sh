#!/usr/bin/env bash
# Runs SecantusDB, which keeps everything in a folder and finds it again, until it is ended. It is under the GPL:
# a process of its own, for tests only. Needs Python 3.11 and, the first time, pip and its registry.
#
#   test/servers/start-secantusdb.sh <port> <folder>
set -euo pipefail

port=${1:?"usage: $0 <port> <folder>"}
folder=${2:?"usage: $0 <port> <folder>"}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/concord-test
venv=$cache/secantusdb-0.7.0b3

# The mark is left when all is installed: a virtual environment cannot be moved into place.
if [[ ! -f $venv/complete ]]; then
  python3 -m venv --clear "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check 'secantusdb==0.7.0b3' >&2
  touch "$venv/complete"
fi

# Synced at every commit, as the adapter asks for it and the server by itself does not.
exec "$venv/bin/secantusd-py" --port "$port" --storage-path "$folder" --sync-on-commit --log-level WARNING
