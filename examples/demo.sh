#!/usr/bin/env bash
# The demo behind `./build.sh demo`: alice and bob, two processes of examples/c/hello, talk over the server that
# tests/with_server.sh has started. Prints their transcript; both end with it.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
tmp=$(mktemp -d)
pids= reader=
cleanup() {
    for p in $pids $reader; do kill "$p" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
ticket() { "$TIMBRED" usersig --app "$TIMBRE_APP:$TIMBRE_SECRET" --user "$1"; }
start() { # NAME PEER [first]: runs in a folder of its own, where the library keeps its data and log
    mkdir -p "$tmp/$1"
    (cd "$tmp/$1" && exec "$root/build/examples/hello" "$1" "$2" "$(ticket "$1")" ${3:-}) >&3 3>&- &
    pids="$pids $!"
}
# Both write into one pipe, line by line; the reader prints the transcript and notices when bob has logged in.
mkfifo "$tmp/lines"
while IFS= read -r line; do
    printf '%s\n' "$line"
    case $line in bob*'logged in') : >"$tmp/ready" ;; esac
done <"$tmp/lines" &
reader=$!
exec 3>"$tmp/lines"
echo "A server of their own is running at $TIM_SERVER_URL. bob logs in and waits, alice begins."
start bob alice
bob=$!
# A user exists from the first login on, so alice starts when bob is there.
until [ -e "$tmp/ready" ]; do
    kill -0 "$bob" 2>/dev/null || break
    sleep 0.02
done
start alice bob first
alice=$!
status=0
wait "$alice" || status=$?
wait "$bob" || status=$?
exec 3>&-
wait "$reader"
if [ "$status" = 0 ]; then echo "The demo worked."; else echo "The demo FAILED with status $status."; fi
exit "$status"
