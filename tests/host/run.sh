#!/usr/bin/env bash
# Compiles and runs the test programs in tests/c, tests/cpp and tests/python against the built library and a real timbred.
#
#   tests/host/run.sh NAME...        the names, in any number and order:
#     replay            the recorded answers of the vendor's library
#     setters           the functions that register callbacks
#     exits [N]         exit() and return from main with callbacks in flight, N runs of each program (20)
#     host              fork, dlclose, signals, threads, order, TIMUninit, every function inside a callback
#     instances [N]     ten accounts in one process, N messages each from four threads to the next one (40)
#     cycles [N]        N times init, login, logout, uninit (100)
#     garbage           bad input
#     fuzz [SECONDS]    random calls through the C interface (5)
#     asan              the C and C++ programs under AddressSanitizer
#     valgrind          C programs under valgrind
#     clang             the C and C++ programs, compiled by clang
#     all               everything but asan, valgrind and clang
#
# TIMBRE_LIB_DIR is where libImSDK.so lies (build/lib), TIMBRED the server program (build/bin/timbred), CC and CXX the
# compilers (gcc, g++). TIMBRE_ASAN=1 compiles all programs with AddressSanitizer, TIMBRE_VALGRIND=1 runs them in valgrind.
# Each name prints lines that begin with ok; the status is 1 when any of them failed, and the others run all the same.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
lib=${TIMBRE_LIB_DIR:-$root/build/lib}
lib=$(cd "$lib" && pwd) || exit 1
export TIMBRE_LIB_DIR=$lib TIMBRED=${TIMBRED:-$root/build/bin/timbred} PYTHONDONTWRITEBYTECODE=1
cc=${CC:-gcc} cxx=${CXX:-g++}
flags="-g -O1 -Wall -Wextra -Werror -I$root/include"
wrap=() failed=0 bin=

# variant plain|asan|valgrind: where programs go, and what runs them.
variant() {
    local sanitize=
    wrap=()
    case $1 in
    asan) # Go's heap holds pointers that the leak checker cannot see, and Go handles SIGSEGV itself
        sanitize="-fsanitize=address -fno-omit-frame-pointer"
        export ASAN_OPTIONS=detect_leaks=0:handle_segv=0:use_sigaltstack=0:abort_on_error=0 ;;
    valgrind) wrap=(valgrind -q --error-exitcode=9 --suppressions="$root/tests/host/go.supp" --errors-for-leak-kinds=none
        --undef-value-errors=no --max-stackframe=16777216 --fair-sched=yes) ;;
    esac
    bin=$root/build/tests/$1-$(basename "$cc")-$(printf %s "$lib" | cksum | cut -d' ' -f1)
    mkdir -p "$bin"
    compile="$flags $sanitize"
}

# source_of NAME: prints the file a program is made of.
source_of() {
    if [ -f "$root/tests/c/$1.c" ]; then echo "$root/tests/c/$1.c"; else echo "$root/tests/cpp/$1.cpp"; fi
}

# build PROGRAM...: compiles what is missing or older than its sources.
build() {
    local name source link="-L$lib -lImSDK -lpthread -ldl -Wl,-rpath,$lib" harness=$bin/harness.o
    newer "$harness" || $cc -std=gnu99 $compile -c "$root/tests/c/harness.c" -o "$harness" || return 1
    for name; do
        newer "$bin/$name" && continue
        source=$(source_of "$name")
        case $source in
        */reload.c) $cc -std=gnu99 -DTIMBRE_NO_LIBRARY $compile "$source" "$root/tests/c/harness.c" -o "$bin/$name" \
            -lpthread -ldl || return 1 ;;
        *.c) $cc -std=gnu99 -pedantic $compile "$source" "$harness" -o "$bin/$name" $link || return 1 ;;
        *) $cxx -std=c++98 -Wno-long-long $compile "$source" "$harness" -o "$bin/$name" $link || return 1 ;;
        esac
    done
}

newer() { [ -e "$1" ] && [ -z "$(find "$root/tests/c" "$root/tests/cpp" "$root/include" -newer "$1" -type f | head -1)" ]; }

# attempt COMMAND...: runs it and remembers a failure.
attempt() {
    "$@"
    local status=$?
    [ $status = 0 ] && return 0
    echo "FAILED ($status): $*" >&2
    failed=1
}

# nowhere COMMAND...: without a server; the port is closed. The library reads its environment when it is loaded.
nowhere() { env -u TIMBRED TIM_SERVER_URL=ws://127.0.0.1:9 "$@"; }

server() { "$root/tests/with_server.sh" "$@"; }

# alone PROGRAM...: without a server.
alone() {
    local name
    build "$@" || { failed=1; return; }
    for name; do
        attempt nowhere timeout 600 "${wrap[@]}" "$bin/$name" "$lib/libImSDK.so"
    done
}

# served PROGRAM...: each with a server of its own.
served() {
    local name
    build peer "$@" || { failed=1; return; }
    for name; do attempt server timeout 600 "${wrap[@]}" "$bin/$name"; done
}

setters() {
    if ! sed -n 's/^TIM_API void TIM_DECL \(TIM[A-Za-z0-9]*\)(\(TIM[A-Za-z0-9]*\) cb, const void\* user_data);/SETTER(\1, \2)/p' \
        "$root"/include/*.h | cmp - "$root/tests/c/setters.inc"; then
        echo "tests/c/setters.inc is not what the headers declare; make it with the sed above" >&2
        failed=1
    fi
    served setters
}

# Runs each exit program $1 times, the moment of the end moving along, beside a peer that sends without end.
exits() {
    build peer exit_return exit_call exit_thread exit_inside stuck || { failed=1; return; }
    attempt server "$root/tests/host/exits.sh" "$1" "$bin" "${wrap[@]}"
    alone stuck
}

host() {
    alone forked reload signals order
    served threads uninit
    attempt server timeout 600 python3 "$root/tests/python/inside.py"
    attempt nowhere timeout 600 python3 "$root/tests/python/inside.py"
}

instances() {
    build instances || { failed=1; return; }
    attempt server timeout 600 "${wrap[@]}" "$bin/instances" "$1"
}

cycles() {
    build cycles || { failed=1; return; }
    attempt server timeout 1200 "${wrap[@]}" "$bin/cycles" "$1"
}

fuzz() {
    attempt server timeout $(($1 + 400)) python3 "$root/tests/python/fuzz.py" "$1"
    attempt nowhere timeout $(($1 + 400)) python3 "$root/tests/python/fuzz.py" "$1"
}

with_asan() {
    variant asan
    setters
    alone garbage forked signals order reload
    served threads uninit
    instances 5
    exits 3
    variant "$usual"
}

with_clang() {
    cc=clang cxx=clang++
    variant "$usual"
    setters
    alone garbage forked signals order reload
    served threads uninit
    instances 5
    exits 3
    cc=${CC:-gcc} cxx=${CXX:-g++}
    variant "$usual"
}

with_valgrind() {
    variant valgrind
    served setters
    alone garbage
    variant "$usual"
}

usual=plain
[ "${TIMBRE_ASAN:-}" = 1 ] && usual=asan
[ "${TIMBRE_VALGRIND:-}" = 1 ] && usual=valgrind
variant "$usual"

# count DEFAULT NEXT: NEXT if it is a number.
count() { case ${2:-} in '' | *[!0-9]*) n=$1 used=1 ;; *) n=$2 used=2 ;; esac; }

[ $# -gt 0 ] || { sed -n '2,/^set -u/s/^# \{0,1\}//p' "$0"; exit 2; }
while [ $# -gt 0 ]; do
    used=1
    case $1 in
    replay) attempt timeout 600 python3 "$root/tests/host/replay.py" ;;
    setters) setters ;;
    exits) count 20 "${2:-}"; exits "$n" ;;
    host) host ;;
    instances) count 40 "${2:-}"; instances "$n" ;;
    cycles) count 100 "${2:-}"; cycles "$n" ;;
    garbage) alone garbage ;;
    fuzz) count 5 "${2:-}"; fuzz "$n" ;;
    asan) with_asan ;;
    valgrind) with_valgrind ;;
    clang) with_clang ;;
    all) shift; set -- replay setters exits host instances cycles garbage fuzz "$@"; used=0 ;;
    *) echo "run.sh: no test is called $1" >&2; exit 2 ;;
    esac
    shift "$used"
done
exit $failed
