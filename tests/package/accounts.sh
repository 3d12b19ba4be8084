#!/usr/bin/env bash
# Runs examples/cpp/accounts and looks at what it prints and leaves: a database an account, a log file an instance.
#   tests/with_server.sh tests/package/accounts.sh [PROGRAM]   the program; default build/examples/accounts
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
program=$(realpath "${1:-$root/build/examples/accounts}")
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" # the library keeps its data and log in the current folder
ticket() { "$TIMBRED" usersig --app "$TIMBRE_APP:$TIMBRE_SECRET" --user "$1"; }
fail() { echo "FAILED: $*" >&2; exit 1; }

out=$(timeout 200 "$program" "$TIMBRE_APP" amy "$(ticket amy)" ben "$(ticket ben)")
printf '%s\n' "$out"
[ "$out" = 'ben received from amy: Hello in the same process
amy received from ben: Hello from the same process
both accounts are gone' ] || fail "that is not what the example says"
databases=(timbre_data/*/timbre.db)
[ "${#databases[@]}" = 2 ] || fail "${#databases[@]} databases, want 2: ${databases[*]}"
for instance in 1 2; do
    logs=(timbre_log/imsdk-"$instance"_*.log)
    ! grep -v " instance=$instance " "${logs[@]}" || fail "lines of another instance in ${logs[*]}"
done
# The same user twice: the second instance finds the database in use, and the program ends with that.
status=0
err=$(timeout 200 "$program" "$TIMBRE_APP" amy "$(ticket amy)" amy "$(ticket amy)" 2>&1 >/dev/null) || status=$?
[ "$status" = 1 ] && grep -q 'the login of amy gave 7010' <<<"$err" || fail "one user twice gives status $status: $err"
echo "accounts works, and one user twice in one folder is refused: $err"
