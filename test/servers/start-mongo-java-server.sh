#!/usr/bin/env bash
# Runs mongo-java-server, which keeps everything in memory, until it is ended. When it is ready, it prints the
# connection string for CONCORD_TEST_MONGODB. Needs Java 17 and, the first time, Maven and its registry.
#
#   test/servers/start-mongo-java-server.sh <port>
set -euo pipefail

port=${1:?"usage: $0 <port>"}
here=$(cd "$(dirname "$0")/mongo-java-server" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/concord-test
jars=$cache/mongo-java-server-1.47.0

if [[ ! -d $jars ]]; then
  mkdir -p "$cache"
  # Into place only when it is whole.
  incomplete=$(mktemp -d "$cache/incomplete.XXXXXX")
  trap 'rm -rf "$incomplete"' EXIT
  mvn --quiet --batch-mode --file "$here/pom.xml" dependency:copy-dependencies \
    -DoutputDirectory="$incomplete" >&2
  mv "$incomplete" "$jars"
fi

exec java -Xmx1g -cp "$jars/*" "$here/Server.java" "$port"
