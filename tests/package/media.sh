#!/usr/bin/env bash
# Runs examples/c/media: one process sends an image, a sound, a file and a video with its cover, another receives them.
#   tests/with_server.sh tests/package/media.sh [PROGRAM]   the program; default build/examples/media
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
program=$(realpath "${1:-$root/build/examples/media}")
tmp=$(mktemp -d)
receiver=
cleanup() {
    [ -z "$receiver" ] || kill "$receiver" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$tmp"
}
trap cleanup EXIT
ticket() { "$TIMBRED" usersig --app "$TIMBRE_APP:$TIMBRE_SECRET" --user "$1"; }
fail() {
    echo "FAILED: $*" >&2
    cat "$tmp/receiver.out" "$tmp/sender.out" >&2 || true
    exit 1
}

mkdir "$tmp/alice" "$tmp/bob" "$tmp/got"
# A picture of 2 x 2 points, and files that no two parts of are equal.
printf 'BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x02\0\0\0\x02\0\0\0\x01\0\x18\0\0\0\0\0\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0' >"$tmp/photo.bmp"
printf '\0\0\xff\0\xff\0\0\0\xff\0\0\xff\xff\xff\0\0' >>"$tmp/photo.bmp"
head -c 40000 /dev/urandom >"$tmp/hello.m4a"
head -c 9000000 /dev/urandom >"$tmp/a \"report\" 报告.pdf"
head -c 6000000 /dev/urandom >"$tmp/film.mp4"
: >"$tmp/empty.txt"

(cd "$tmp/bob" && exec timeout 200 "$program" receive bob "$(ticket bob)" "$tmp/got" 4) >"$tmp/receiver.out" 2>&1 &
receiver=$!
for _ in $(seq 1200); do
    grep -q 'is waiting' "$tmp/receiver.out" && break
    kill -0 "$receiver" 2>/dev/null || fail "the receiver ended"
    sleep 0.05
done
cd "$tmp/alice"
timeout 200 "$program" send alice "$(ticket alice)" bob "$tmp/photo.bmp" "$tmp/hello.m4a" "$tmp/a \"report\" 报告.pdf" \
    "$tmp/film.mp4:$tmp/photo.bmp" >"$tmp/sender.out" 2>&1 || fail "the sender ends with status $?"
wait "$receiver" || fail "the receiver ends with status $?"
receiver=
cat "$tmp/sender.out" "$tmp/receiver.out" | sed "s#$tmp/##g"

same() { cmp "$tmp/$1" "$tmp/got/$2" >&2 || fail "$1 came as something else"; }
same photo.bmp 1-image
same photo.bmp 1-thumb
same hello.m4a 2-sound
same 'a "report" 报告.pdf' '3-file-a "report" 报告.pdf'
same film.mp4 4-video
same photo.bmp 4-cover
[ "$(grep -c 'crc32' "$tmp/receiver.out")" = 6 ] || fail "not six checksums"
sum=$(python3 -c 'import sys,zlib; print("%08x" % zlib.crc32(open(sys.argv[1], "rb").read()))' "$tmp/film.mp4")
grep -q "4-video: 6000000 bytes, crc32 $sum" "$tmp/receiver.out" || fail "the checksum of the film is not $sum"
grep -q 'film.mp4: 100 %' "$tmp/sender.out" || fail "no progress of the upload"
grep -q '4-video: 100 %' "$tmp/receiver.out" || fail "no progress of the download"

status=0
timeout 200 "$program" send alice "$(ticket alice)" bob "$tmp/none.jpg" "$tmp/empty.txt" >"$tmp/sender.out" 2>&1 || status=$?
[ "$status" = 1 ] && grep -q 'none.jpg: 7004' "$tmp/sender.out" && grep -q 'empty.txt: 7006' "$tmp/sender.out" ||
    fail "files that cannot be sent end with status $status"
echo "an image, a sound, a file and a video went from alice to bob; a missing and an empty file were refused"
