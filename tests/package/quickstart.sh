#!/usr/bin/env bash
# Runs examples/cpp/quickstart and looks at what it prints.
#   tests/with_server.sh tests/package/quickstart.sh [PROGRAM]   the program; default build/examples/quickstart
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
program=$(realpath "${1:-$root/build/examples/quickstart}")
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" # the library keeps its data and log in the current folder
ticket() { "$TIMBRED" usersig --app "$TIMBRE_APP:$TIMBRE_SECRET" --user "$1"; }

out=$(timeout 200 "$program" "$TIMBRE_APP" erin "$(ticket erin)")
printf '%s\n' "$out"
grep -qxF 'received: Hello "myself", 你好 👋' <<<"$out" || { echo "FAILED: its own text did not come back" >&2; exit 1; }
# A refused login ends with its code and not with a crash.
status=0
err=$(timeout 200 "$program" "$TIMBRE_APP" erin "$(ticket somebody.else)" 2>&1 >/dev/null) || status=$?
[ "$status" = 1 ] && grep -q '70013' <<<"$err" || { echo "FAILED: a foreign ticket gives status $status: $err" >&2; exit 1; }
echo "quickstart works, and a foreign ticket is refused: $err"
