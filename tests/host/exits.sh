#!/usr/bin/env bash
# exits.sh N BIN [WRAPPER...]: runs each of the four exit programs N times under tests/with_server.sh, while a peer sends to
# them without end. Called by run.sh.
set -u
n=$1 bin=$2
shift 2
"$bin/peer" exit_alice exit_bob 0 >/dev/null 2>&1 &
peer=$!
trap 'kill $peer 2>/dev/null; wait $peer 2>/dev/null' EXIT
failed=0
for program in exit_return exit_call exit_thread exit_inside; do
    for ((i = 1; i <= n; i++)); do
        said=$(timeout 200 "$@" "$bin/$program" $((i * 3 % 200)) 2>&1)
        status=$?
        # exit() may overtake the abort of a program that touched a destroyed object; what it said stays
        if [ $status != 0 ] || [[ $said == *destroyed* ]]; then
            echo "exits: run $i of $program ended with $status: $said" >&2
            failed=$((failed + 1))
        fi
    done
done
kill -0 $peer 2>/dev/null || { echo "exits: the sending peer has died" >&2; failed=$((failed + 1)); }
[ $failed = 0 ] || exit 1
echo "ok exits: $n runs each of return from main, exit() in main, on a second thread and inside a callback, with callbacks" \
    "of four instances in flight into a C++ global and a function-local static made after TIMLogin: no abort, no crash"
