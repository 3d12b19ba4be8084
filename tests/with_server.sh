#!/usr/bin/env bash
# Runs a command with a timbred of its own: a free port of the loopback, a temporary data folder, an app of its own.
#   tests/with_server.sh [--dir FOLDER] [--devices POLICY] COMMAND...
# The command finds TIM_SERVER_URL, TIMBRE_APP, TIMBRE_SECRET, TIMBRED (the program, for tickets) and TIMBRE_SERVER_PID in
# its environment; its status is the script's. The server ends with the command, however that ends.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
export TIMBRED=${TIMBRED:-$root/build/bin/timbred} TIMBRE_APP=1400000001
export TIMBRE_SECRET=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
dir= devices=platform
while :; do
    case ${1:-} in
    --dir) dir=$2; shift 2 ;;
    --devices) devices=$2; shift 2 ;;
    *) break ;;
    esac
done
own=
if [ -z "$dir" ]; then
    dir=$(mktemp -d) && own=$dir
fi
"$TIMBRED" serve --data "$dir/data" --listen 127.0.0.1:0 --app "$TIMBRE_APP:$TIMBRE_SECRET" --devices "$devices" \
    >"$dir/timbred.out" 2>"$dir/timbred.log" &
export TIMBRE_SERVER_PID=$!
stop() {
    kill -TERM "$TIMBRE_SERVER_PID" 2>/dev/null
    wait "$TIMBRE_SERVER_PID" 2>/dev/null
    [ -z "$own" ] || rm -rf "$own"
}
trap stop EXIT
trap 'exit 130' INT TERM
address=
for _ in $(seq 1200); do
    address=$(sed -n 's/^listening on //p' "$dir/timbred.out" 2>/dev/null)
    [ -z "$address" ] || break
    kill -0 "$TIMBRE_SERVER_PID" 2>/dev/null || break
    sleep 0.05
done
if [ -z "$address" ]; then
    echo "with_server: timbred did not start" >&2
    cat "$dir/timbred.log" >&2
    exit 1
fi
export TIM_SERVER_URL=ws://$address
"$@"
