#!/usr/bin/env bash
# Builds, shows, tests and installs Timbre. `./build.sh help` lists what it can do.
set -euo pipefail
cd "$(dirname "$0")"
root=$PWD
build=$root/build

usage() {
    cat <<'TXT'
usage: ./build.sh COMMAND

  demo      two C programs, alice and bob, talk over a server of their own
  test      everything that proves the project right; one summary, one exit status
              TIMBRE_TEST=full    the long parts too (implied by CI=true)
              TIMBRE_TEST_SECONDS=n  how long random tests run
  lib       build/lib/libImSDK.so, stripped, with libImSDK.so.debug beside it
  server    build/bin/timbred
  examples  build/examples/*
  bench     figures with their method (some minutes)
  soak      SECONDS (3600): twenty accounts in one process, cuts, memory over time; build/soak.svg
  install   PREFIX=/usr/local DESTDIR= ./build.sh install
  clean     remove build/
  help      this text
TXT
}

say() { printf '%s\n' "$*" >&2; }

# need PROGRAM PACKAGE: installs the Debian package when the program, or the file with this path, is missing.
need() {
    command -v "$1" >/dev/null 2>&1 && return
    [ ! -f "$1" ] || return 0
    say "build.sh: $1 is missing, installing the package $2"
    local sudo=
    [ "$(id -u)" = 0 ] || sudo=sudo
    if [ ! -e "$build/.apt-updated" ]; then
        $sudo apt-get update -qq >&2
        mkdir -p "$build" && touch "$build/.apt-updated"
    fi
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq "$2" >&2
}

toolchain() {
    need gcc gcc
    need g++ g++
    need objcopy binutils
    if ! command -v go >/dev/null 2>&1; then
        say "build.sh: Go is missing: install the version named in go.mod or newer"
        exit 1
    fi
}

# The library and timbred are compiled with the same flags, so that one build cache serves both.
flags() {
    export CGO_ENABLED=1 GOFLAGS=-mod=readonly
    local rev
    rev=$(sha256sum capi/glibc_compat.h | cut -c1-8)
    export CGO_CFLAGS="-O2 -g -include $root/capi/glibc_compat.h -DTIMBRE_COMPAT_REV=0x$rev"
    go_flags=(-trimpath -buildvcs=false -tags netgo,osusergo)
}

# newer TARGET: is anything that the Go programs are made of newer than the target?
newer() {
    [ -e "$1" ] || return 0
    [ -n "$(find build.sh api capi cmd core model protocol search server sqlite go.mod go.sum -newer "$1" -type f -print -quit)" ]
}

build_lib() {
    toolchain
    local out=$build/lib/libImSDK.so
    newer "$out" || return 0
    flags
    mkdir -p "$build/lib"
    local link="-Wl,--version-script=$root/capi/exports.map -Wl,-soname,libImSDK.so -Wl,--wrap=pthread_getattr_np"
    link="$link -Wl,-z,relro,-z,now -Wl,--build-id=none -Wl,--no-as-needed -l:libpthread.so.0"
    go build -buildmode=c-shared "${go_flags[@]}" -ldflags="-buildid= -extldflags '$link'" -o "$out.new" ./capi
    rm -f "$out.h" "$build/lib/libImSDK.so.h" "$build/lib/libImSDK.h"
    objcopy --only-keep-debug --compress-debug-sections "$out.new" "$build/lib/libImSDK.so.debug"
    (cd "$build/lib" && strip --strip-unneeded "$out.new" && objcopy --add-gnu-debuglink=libImSDK.so.debug "$out.new")
    mv "$out.new" "$out"
}

build_server() {
    toolchain
    newer "$build/bin/timbred" || return 0
    flags
    mkdir -p "$build/bin"
    go build -buildmode=pie "${go_flags[@]}" -ldflags="-buildid=" -o "$build/bin/" ./cmd/timbred ./cmd/timbench
}

build_examples() {
    build_lib
    mkdir -p "$build/examples"
    local src name
    for src in examples/c/*/; do
        name=$(basename "$src")
        gcc -std=c99 -Wall -Wextra -O2 -Iinclude "$src"*.c -o "$build/examples/$name" \
            -L"$build/lib" -lImSDK -Wl,-rpath,'$ORIGIN/../lib' -lpthread
    done
    for src in examples/cpp/*.cpp examples/cpp/*/; do
        name=$(basename "$src" .cpp)
        [ ! -d "$src" ] || src=$src*.cpp
        # shellcheck disable=SC2086 # a folder is a program of several files
        g++ -std=c++11 -Wall -Wextra -O2 -Iinclude $src -o "$build/examples/$name" \
            -L"$build/lib" -lImSDK -Wl,-rpath,'$ORIGIN/../lib' -lpthread
    done
}

case ${1:-help} in
lib) build_lib ;;
server) build_server ;;
examples) build_examples ;;
demo)
    build_server
    build_examples
    exec tests/with_server.sh examples/demo.sh
    ;;
test)
    shift
    source tests/parts.sh
    run_tests "$@"
    ;;
bench)
    build_server
    build_examples
    shift
    exec tests/bench/run.sh "$@"
    ;;
soak)
    build_server
    build_lib
    shift
    exec tests/soak/run.sh "$@"
    ;;
install)
    build_server
    build_lib
    exec packaging/install.sh "${PREFIX:-/usr/local}" "${DESTDIR:-}"
    ;;
clean) rm -rf "$build" ;;
help | -h | --help) usage ;;
*)
    usage >&2
    exit 2
    ;;
esac
