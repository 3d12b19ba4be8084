#!/usr/bin/env bash
# Figures of the whole: `./build.sh bench [protocol|library]`. Prints the method with them. All processes share this
# machine; nothing passes or fails. TIMBRE_BENCH_MESSAGES (default 1000000) sizes the big history.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
lib=$root/build/lib/libImSDK.so
messages=${TIMBRE_BENCH_MESSAGES:-1000000}
what=${1:-all}

protocol() {
    echo "== (a) protocol level: cmd/timbench against timbred (SQLite, synchronous=FULL) on this machine's loopback"
    build/bin/timbench --start build/bin/timbred
}

library() {
    echo "== (b) through the C library: two processes with their databases on, one timbred, one machine"
    gcc -std=gnu11 -O2 -Wall -Iinclude tests/bench/bench.c -o build/tests/bench -ldl -lpthread
    tests/with_server.sh tests/bench/run.sh inner
    printf '%-44s %8.1f MB\n' "libImSDK.so, stripped" "$(awk "BEGIN{print $(stat -c %s "$lib")/1048576}")"
}

inner() {
    tmp=$(mktemp -d)
    trap 'rm -rf "$tmp"' EXIT
    ticket() { "$TIMBRED" usersig --app "$TIMBRE_APP:$TIMBRE_SECRET" --user "$1"; }
    bench() { build/tests/bench "$1" "$lib" "$2" "$(ticket "$2")" "$tmp/$2" "${@:3}"; }
    echo "start of a process, empty folder:"
    bench start dora
    echo "messages of about 100 bytes; the receiver is another process; times in one monotonic clock:"
    mkfifo "$tmp/out"
    bench receive bob 2000 40000 >"$tmp/out" &
    local receiver=$! line
    exec 4<"$tmp/out"
    read -r line <&4
    [ "$line" = ready ]
    bench send alice bob 2000 40000
    cat <&4
    wait "$receiver"
    echo "a folder with 10,000 conversations and $messages messages in one of them:"
    bench fill carol 10000 "$messages"
    bench local carol
}

mkdir -p build/tests
case $what in
all) protocol; library ;;
inner) inner ;;
*) "$what" ;;
esac
