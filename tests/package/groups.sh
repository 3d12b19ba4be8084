#!/usr/bin/env bash
# Runs examples/c/groups: three users of one program through a group's life, which ends only if each is told what he should be.
#   tests/with_server.sh tests/package/groups.sh [PROGRAM]   the program; default build/examples/groups
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
program=$(realpath "${1:-$root/build/examples/groups}")
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" # the library keeps its data and log in the current folder
ticket() { "$TIMBRED" usersig --app "$TIMBRE_APP:$TIMBRE_SECRET" --user "$1"; }

out=$(timeout 200 "$program" "$TIMBRE_APP" ann "$(ticket ann)" bert "$(ticket bert)" cleo "$(ticket cleo)")
printf '%s\n' "$out"
[ "$(tail -n 1 <<<"$out")" = 'the group is history' ] || { echo "FAILED: it did not come to its end" >&2; exit 1; }
