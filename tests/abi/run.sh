#!/usr/bin/env bash
# Looks at the finished library as a linker and a loader do.
#   tests/abi/run.sh LIB          oldest glibc it loads with, exports, SONAME, NEEDED, flags, no debug sections left
#   tests/abi/run.sh --reproduce  builds it again elsewhere, with an empty build cache: the file must be the same (minutes)
set -euo pipefail
export LC_ALL=C
root=$(cd "$(dirname "$0")/../.." && pwd)
floor=2.28
failed=0
tmp=$(mktemp -d)
trap 'chmod -R u+w "$tmp" && rm -rf "$tmp"' EXIT

fail() {
    echo "FAILED: $*" >&2
    failed=1
}

# same WHAT FOUND WANTED
same() { [ "$2" = "$3" ] || fail "$1 is '$2', want '$3'"; }

look() {
    local lib=$1 dynamic symbols exports newest machine segments sections
    dynamic=$(readelf -dW "$lib")
    symbols=$(objdump -T "$lib")
    segments=$(readelf -lW "$lib")
    sections=$(readelf -SW "$lib")
    machine=$(readelf -hW "$lib" | sed -n 's/ *Machine: *//p')

    newest=$(sed -n 's/.*(\{0,1\}GLIBC_\([0-9][0-9.]*\).*/\1/p' <<<"$symbols" | sort -Vu | tail -n 1)
    [ -n "$newest" ] || fail "no symbol of glibc is used at all: objdump -T cannot have worked"
    if [ "$(printf '%s\n' "$floor" "$newest" | sort -V | tail -n 1)" != "$floor" ]; then
        fail "needs glibc $newest, newer than $floor:"
        grep -F -m 20 "GLIBC_$newest" <<<"$symbols" >&2
    fi
    # Other versions (GCC_, GLIBC_PRIVATE) come from libraries that other machines may lack, or change.
    if readelf -VW "$lib" | grep -o 'Name: [A-Za-z_]*' | sort -u | grep -v '^Name: GLIBC_$' >&2; then
        fail "needs symbol versions other than those of glibc"
    fi

    exports=$(nm -D --defined-only "$lib" | awk '{print $NF}' | sed 's/@.*//' | sort)
    if grep -vE -m 20 '^(TIM[A-Za-z0-9]+|callExperimentalAPI)$' <<<"$exports" >&2; then
        fail "exports the symbols above, which are no part of the interface"
    fi
    grep -qx callExperimentalAPI <<<"$exports" || fail "does not export callExperimentalAPI"
    # The names come from the headers here; tests/contract holds both against the contract.
    sed -n 's/^TIM_API .*TIM_DECL \([A-Za-z0-9]*\)(.*/\1/p' "$root"/include/*.h | sort -u |
        comm -3 - <(echo "$exports") >"$tmp/differences"
    if [ -s "$tmp/differences" ]; then
        head -n 20 "$tmp/differences" >&2
        fail "headers (left) and exports (right) differ as above"
    fi

    same SONAME "$(sed -n 's/.*(SONAME).*\[\(.*\)\].*/\1/p' <<<"$dynamic")" libImSDK.so
    same NEEDED "$(sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p' <<<"$dynamic" | sort | tr '\n' ' ')" 'libc.so.6 libpthread.so.0 '
    grep -q 'FLAGS_1).*NODELETE' <<<"$dynamic" || fail "the NODELETE flag is missing: dlclose would pull the code away"
    grep -q 'FLAGS_1).*NOW' <<<"$dynamic" || fail "the NOW flag is missing"
    ! grep -qE '\((RPATH|RUNPATH|TEXTREL)\)' <<<"$dynamic" || fail "has RPATH, RUNPATH or TEXTREL"
    grep -q GNU_RELRO <<<"$segments" || fail "has no RELRO segment"
    grep -q 'GNU_STACK.* RW ' <<<"$segments" || fail "wants an executable stack"
    ! grep -qE ' \.(debug_|zdebug_|symtab)' <<<"$sections" || fail "is not stripped"
    [ "$failed" = 0 ] || exit 1
    echo "$machine: glibc $newest (at most $floor), $(wc -l <<<"$exports") exports, SONAME, NEEDED and flags as wanted"
}

reproduce() {
    local copy first second file
    first=$root/build/lib
    "$root/build.sh" lib
    copy=$tmp/another/and/longer/folder
    mkdir -p "$copy"
    tar -C "$root" --exclude=./build --exclude=./.git --exclude=./timbre_log --exclude=./timbre_data --exclude=./timbred-data -cf - . | tar -C "$copy" -xf -
    (cd "$copy" && GOCACHE=$tmp/cache ./build.sh lib)
    second=$copy/build/lib
    for file in libImSDK.so libImSDK.so.debug; do
        same "the second $file" "$(sha256sum <"$second/$file")" "$(sha256sum <"$first/$file")"
    done
    [ "$failed" = 0 ] || exit 1
    echo "built twice, the same file: sha256 $(sha256sum "$first/libImSDK.so" | cut -c1-16)..."
}

case ${1:-} in
--reproduce) reproduce ;;
'' | -*)
    echo "usage: tests/abi/run.sh LIB | --reproduce" >&2
    exit 2
    ;;
*) look "$1" ;;
esac
