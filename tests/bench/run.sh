#!/usr/bin/env bash
# Figures of the whole: `./build.sh bench [PART...]`, all parts without an argument, some eight minutes. Prints the method
# with them. All processes share this machine; nothing passes or fails.
#   protocol  pairs of users, at the protocol        group    deliveries to a group of 200, likewise
#   library   start, sending and receiving, memory   lanes    sending to 1, 8 and 64 conversations
#   history   pages of a large history               files    100 MB up and down
#   sync      devices that start, are new, come back storm    1,000 clients that come back at once
#   search    the full-text index                    memory   of a process with a large database
#   live      a live room of 5,000 connections       groups   of 10, 1,000 and 100,000 members
# TIMBRE_BENCH_MESSAGES (default 1000000) sizes the big history and the index.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
lib=$root/build/lib/libImSDK.so
messages=${TIMBRE_BENCH_MESSAGES:-1000000}

load() { printf '%s\n' "-- load average $(cut -d' ' -f1-3 /proc/loadavg)"; }

protocol() {
    echo "== protocol level: cmd/timbench against timbred (SQLite, synchronous=FULL) on this machine's loopback"
    build/bin/timbench pairs --start build/bin/timbred
}

# A window of 40 for all senders together keeps two CPUs busy without a queue that nobody needs.
group() {
    echo "== a group of 200 members who are all online, at the protocol level"
    build/bin/timbench group --start build/bin/timbred --senders 1 --window 40
    build/bin/timbench group --start build/bin/timbred --senders 10 --window 4
}

live() {
    echo "== a live room of 5,000 connections in which somebody speaks 40 times a second, at the protocol level; wanted: 200,000 deliveries a second, p99 under 400 ms, at most 25 KB a connection"
    build/bin/timbench live --start build/bin/timbred
}

groups() {
    echo "== groups of 10, 1,000 and 100,000 members, at the protocol level; wanted: a page under 5 ms, and 2 ms of server CPU for a message beside its deliveries"
    build/bin/timbench groups --start build/bin/timbred
}

storm() {
    echo "== clients that come back at the same moment, at the protocol level"
    build/bin/timbench storm --start build/bin/timbred
}

sync() {
    echo "== a device comes up, through the C library; the server is in the same machine"
    inside sync
}

search() {
    echo "== full-text search"
    go run ./tests/bench/search --messages "$messages"
}

# inside PART: runs a part of the library's figures with a server of its own.
inside() {
    gcc -std=gnu11 -O2 -Wall -Iinclude tests/bench/*.c -o build/tests/bench -ldl -lpthread
    tests/with_server.sh tests/bench/run.sh "inner_$1"
}

library() {
    echo "== through the C library: two processes with their databases on, one timbred, one machine"
    inside library
    printf '%-44s %8.1f MB\n' "libImSDK.so, stripped" "$(awk "BEGIN{print $(stat -c %s "$lib")/1048576}")"
}

lanes() {
    echo "== send throughput through the C library: 20,000 messages of about 100 bytes, acknowledged after the server's fsync"
    inside lanes
}

history() {
    echo "== pages of 20 out of a conversation with $messages messages, through the C library"
    inside history
}

memory() {
    echo "== resident memory with 10,000 conversations and $messages messages, the host's own copy of each answer included; wanted: 60 MB"
    inside memory
}

files() {
    echo "== a file of 100 MB on loopback, through the C library, with checksums on both sides and the server's fsync"
    inside files
}

ticket() { "$TIMBRED" usersig --app "$TIMBRE_APP:$TIMBRE_SECRET" --user "$1"; }
bench() { build/tests/bench "$1" "$lib" "$2" "$(ticket "$2")" "$tmp/$2" "${@:3}"; }
fill() { build/bin/timbench fill --url "$TIM_SERVER_URL" --app "$TIMBRE_APP" --secret "$TIMBRE_SECRET" "$@"; }

inner_library() {
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
}

inner_lanes() {
    fill --users peer --count 64
    bench lanes alice peer 20000
}

inner_history() {
    echo "a folder with 10,000 conversations and $messages messages in one of them:"
    bench fill carol 10000 "$messages"
    bench local carol
    echo "another conversation, with $((messages / 10)) messages that came to the server while the user was away: a hole"
    fill --users friend --to carol --messages $((messages / 10))
    bench history carol friend0
}

inner_sync() {
    local n
    for n in 100 10000 100000; do
        echo "a process starts; its database has $n conversations:"
        bench fill "cold$n" "$n" 0
        bench page "cold$n"
    done
    echo "a new device; the server has 10,000 conversations of its user:"
    fill --users dora --count 1
    fill --users writer --count 10000 --each --messages 10000 --to dora0
    bench page dora0
    echo "a device that was away; 100 users have written 1,000 messages each:"
    bench start erik >"$tmp/none"
    fill --users friend --count 100 --each --messages 100000 --to erik
    bench catchup erik 100000
}

inner_memory() {
    bench fill carol 10000 "$messages"
    fill --users peer
    bench memory carol peer0
    printf '%-44s %8.1f MB\n' "the database, searched through" "$(awk "BEGIN{print $(stat -c %s "$tmp"/carol/data/*/timbre.db)/1048576}")"
}

inner_files() {
    fill --users peer
    bench files alice peer0
}

mkdir -p build/tests
case ${1:-} in
inner_*)
    tmp=$(mktemp -d)
    trap 'rm -rf "$tmp"' EXIT
    "$1"
    ;;
*)
    [ $# -gt 0 ] || set -- protocol group live groups storm library lanes sync history memory files search
    for part; do
        load
        "$part"
    done
    load
    ;;
esac
