#!/usr/bin/env bash
# Runs examples/cpp/live and looks at what it prints.
#   tests/with_server.sh tests/package/live.sh [PROGRAM]   the program; default build/examples/live
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
program=$(realpath "${1:-$root/build/examples/live}")
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" # the library keeps its data and log in the current folder
ticket() { "$TIMBRED" usersig --app "$TIMBRE_APP:$TIMBRE_SECRET" --user "$1"; }

out=$(timeout 200 "$program" "$TIMBRE_APP" anna "$(ticket anna)" ben "$(ticket ben)" cara "$(ticket cara)")
printf '%s\n' "$out"
[ "$out" = '3 in the room
ben gave a rose
5 likes
the room is closed' ] || { echo "FAILED: that is not what the example says" >&2; exit 1; }
