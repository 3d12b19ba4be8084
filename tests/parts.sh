# The parts of `./build.sh test`, sourced by build.sh. A part is a function; part NAME COMMAND... runs one, keeps its output
# in build/tests/NAME.log, prints it when it fails, and counts its seconds. All parts run, whatever fails.

part_names=() part_seconds=() part_results=()

part() {
    local name=$1 start end log=$build/tests/$1.log result=ok
    shift
    mkdir -p "$build/tests"
    printf '%-22s ' "$name"
    start=$(date +%s.%N)
    if ! "$@" >"$log" 2>&1; then
        result=FAILED
    fi
    end=$(date +%s.%N)
    part_names+=("$name")
    part_seconds+=("$(awk "BEGIN{printf \"%.1f\", $end-$start}")")
    part_results+=("$result")
    printf '%-7s %6ss  %s\n' "$result" "${part_seconds[-1]}" "$(tail -n 1 "$log" | cut -c1-110)"
    if [ "$result" = FAILED ]; then
        printf -- '--- %s, the end of %s:\n' "$name" "${log#"$root"/}"
        tail -n 80 "$log"
        printf -- '---\n'
    fi
}

summary() {
    local i failed=0 total=0
    echo
    for i in "${!part_names[@]}"; do
        printf '%-22s %-7s %6ss\n' "${part_names[i]}" "${part_results[i]}" "${part_seconds[i]}"
        total=$(awk "BEGIN{print $total+${part_seconds[i]}}")
        [ "${part_results[i]}" = ok ] || failed=$((failed + 1))
    done
    printf 'in all %ss\n' "$total"
    printf '%d passed, %d failed\n' $((${#part_names[@]} - failed)) "$failed"
    [ "$failed" = 0 ]
}

is_full() { [ "${TIMBRE_TEST:-}" = full ] || [ "${CI:-}" = true ]; }

# choose PLAIN FULL: the size of a part.
choose() { if is_full; then echo "$2"; else echo "$1"; fi; }

generated() { # go generate leaves the tree as it is
    local before after
    before=$(find include capi model/tim docs -type f -exec sha256sum {} + | sort -k 2 | sha256sum)
    go generate ./...
    after=$(find include capi model/tim docs -type f -exec sha256sum {} + | sort -k 2 | sha256sum)
    if [ "$before" != "$after" ]; then
        echo "go generate changed files: commit what it makes"
        git status --short include capi model docs || true
        return 1
    fi
    echo "the generated files are up to date"
}

formatted() {
    local bad
    bad=$(gofmt -l api capi cmd core examples model protocol search server sqlite tests)
    [ -z "$bad" ] || { echo "not gofmt-clean: $bad"; return 1; }
    go vet ./api/... ./cmd/... ./core/... ./examples/... ./model/... ./protocol/... ./search/... ./server/... ./sqlite/... ./tests/... ./capi
    echo "gofmt and go vet have nothing to say"
}

go_tests() { # without cgo: the database driver is eleven times slower under -race
    CGO_ENABLED=0 go list ./... | grep -v '/tests/converge$' | CGO_ENABLED=0 xargs go test -p 4 -count=1 -timeout 600s | grep -v 'no test files'
    [ "${PIPESTATUS[2]}" = 0 ]
}

converge() { # random acts on the devices of three users for some seconds: in the end they show what the server has
    CGO_ENABLED=0 TIMBRE_TEST_SECONDS=$1 go test -count=1 -timeout "$(($1 + 300))s" -run '^TestDevicesConverge$' ./tests/converge
}

model() { # 20 or 200 sequences of steps, or up to 10,000 within TIMBRE_TEST_SECONDS, against a model of what users must see
    CGO_ENABLED=0 go test -count=1 -timeout "$((${TIMBRE_TEST_SECONDS:-600} + 600))s" -v -run '^TestDevicesFollowTheModel$' ./tests/converge
}

groups() { # the same for what six users do in groups of all types: 8 or 40 sequences
    CGO_ENABLED=0 go test -count=1 -timeout "$((${TIMBRE_TEST_SECONDS:-900} + 600))s" -v -run '^TestGroupsFollowTheModel$' ./tests/converge
}

race_tests() { # what is about concurrency and not about the database; the library's C flags are not for these
    CGO_ENABLED=1 CGO_CFLAGS= go test -race -count=1 -timeout 600s ./core/dispatch $(choose '' ./core/face) ./core/instances ./core/transport ./protocol ./server/gateway/... ./server/live/... ./server/session/... | grep -v 'no test files'
    [ "${PIPESTATUS[0]}" = 0 ]
}

# fuzz_one NAME FOLDER SECONDS: the end of the time can hit a worker in the middle of an input, and go calls that a failure
# without an input to show; then it is run again.
fuzz_one() {
    local out
    for _ in 1 2 3; do
        if out=$(CGO_ENABLED=0 go test -run '^$' -fuzz "^$1\$" -fuzztime "${3}s" "./$2" </dev/null 2>&1); then
            printf '%s\n' "$out"
            return
        fi
        printf '%s\n' "$out"
        grep -q 'context deadline exceeded' <<<"$out" && ! grep -q 'Failing input' <<<"$out" || return 1
    done
    return 1
}

fuzz() { # every fuzz target for some seconds
    local seconds=$1 file name
    grep -rl --include='*_test.go' '^func Fuzz' api core model protocol search server sqlite tests | while read -r file; do
        sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\).*/\1/p' "$file" | while read -r name; do
            echo "$name in $(dirname "$file")"
            fuzz_one "$name" "$(dirname "$file")" "$seconds" || exit 1
        done || exit 1
    done
}

contract() { python3 tests/contract/check.py --include include --lib "$build/lib/libImSDK.so"; }

crowds() { # a live room of 500 connections and a group of 2,000 members: everything arrives once, in order and without a hole
    build/bin/timbench live --start build/bin/timbred --clients 500 --seconds 5 | grep 'live room' &&
        build/bin/timbench groups --start build/bin/timbred --sizes 10,2000 --online 500 --seconds 3 | grep 'online:'
}

install_test_tools() {
    need python3 python3
    need objdump binutils
    need openssl openssl
    need ps procps
    need /usr/include/jsoncpp/json/json.h libjsoncpp-dev
    if is_full; then
        need clang clang
        need valgrind valgrind
        need cmake cmake
        need pkg-config pkg-config
    fi
}

run_tests() {
    local seconds=${TIMBRE_TEST_SECONDS:-$(choose 10 60)}
    install_test_tools
    part build-library build_lib
    part build-server build_server
    part build-examples build_examples
    part generated generated
    part formatted formatted
    part contract contract
    part abi tests/abi/run.sh "$build/lib/libImSDK.so"
    part go go_tests
    part converge converge "${TIMBRE_TEST_SECONDS:-$(choose 8 60)}"
    part model model
    part groups groups
    part race race_tests
    part replay tests/host/run.sh replay
    part setters tests/host/run.sh setters
    part exits tests/host/run.sh exits "$(choose 20 200)"
    part host tests/host/run.sh host
    part instances tests/host/run.sh instances
    part cycles tests/host/run.sh cycles "$(choose 100 1000)"
    part garbage tests/host/run.sh garbage
    part calls tests/host/run.sh fuzz "${TIMBRE_TEST_SECONDS:-$(choose 5 20)}"
    part asan tests/host/run.sh asan
    part seed-programs tests/cpp/seed/run.sh
    part engine python3 tests/engine/run.py
    part demo ./build.sh demo
    part interrupt python3 tests/package/interrupt.py
    part quickstart tests/with_server.sh tests/package/quickstart.sh
    part media tests/with_server.sh tests/package/media.sh
    part accounts tests/with_server.sh tests/package/accounts.sh
    part group-life tests/with_server.sh tests/package/groups.sh
    part live-room tests/with_server.sh tests/package/live.sh
    part chat tests/with_server.sh tests/package/chat.py
    part faults tests/faults/run.sh "$seconds"
    part matrix python3 tests/matrix/run.py
    part permissions python3 tests/permissions/run.py
    part membership python3 tests/membership/run.py
    part upgrade python3 tests/upgrade/run.py
    if is_full; then
        part crowds crowds
        part clang tests/host/run.sh clang
        part valgrind tests/host/run.sh valgrind
        part reproducible tests/abi/run.sh --reproduce
        part package tests/package/run.sh
        part fuzz fuzz "${TIMBRE_TEST_SECONDS:-10}"
    fi
    summary
}
