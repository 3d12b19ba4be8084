package vault

import "encoding/binary"

const (
	block = 16  // bytes that are encrypted together
	unit  = 512 // bytes that share one encrypted position
)

// xts is AES in XTS mode (IEEE 1619) that can start at any block of a unit. The blocks of a unit do not depend on each
// other, so a write touches only the blocks it changes, and writing an unchanged block again puts the same bytes on the
// disk: what SQLite expects of a disk for the neighbours of a write holds for the encrypted file too. That is why this
// is not golang.org/x/crypto/xts, which takes whole units only. Not for use by two goroutines at once.
type xts struct {
	pair
	buf    [block]byte
	lo, hi uint64 // the tweak of the block at hand
}

// encrypt works in place on whole blocks that lie at off, a multiple of block.
func (x *xts) encrypt(b []byte, off int64) {
	for x.seek(off); len(b) > 0; b = b[block:] {
		x.mask(b)
		x.data.Encrypt(b[:block], b[:block])
		x.mask(b)
		off += block
		x.next(off)
	}
}

// decrypt is the reverse. A block of zeros stays what it is: it is a hole that the file system made when the file grew,
// and SQLite expects zeros there. An encrypted block is all zeros once in 2^128.
func (x *xts) decrypt(b []byte, off int64) {
	for x.seek(off); len(b) > 0; b = b[block:] {
		if !isZero(b) {
			x.mask(b)
			x.data.Decrypt(b[:block], b[:block])
			x.mask(b)
		}
		off += block
		x.next(off)
	}
}

// seek sets the tweak for the block at off.
func (x *xts) seek(off int64) {
	binary.LittleEndian.PutUint64(x.buf[:], uint64(off/unit))
	clear(x.buf[8:])
	x.tweak.Encrypt(x.buf[:], x.buf[:])
	x.lo, x.hi = binary.LittleEndian.Uint64(x.buf[:]), binary.LittleEndian.Uint64(x.buf[8:])
	for range off % unit / block {
		x.double()
	}
}

// next sets the tweak for the block at off, which follows the one at hand.
func (x *xts) next(off int64) {
	if off%unit == 0 {
		x.seek(off)
		return
	}
	x.double()
}

// double multiplies the tweak by x in GF(2^128).
func (x *xts) double() {
	carry := x.hi >> 63
	x.hi = x.hi<<1 | x.lo>>63
	x.lo = x.lo<<1 ^ carry*0x87
}

func (x *xts) mask(b []byte) {
	binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^x.lo)
	binary.LittleEndian.PutUint64(b[8:], binary.LittleEndian.Uint64(b[8:])^x.hi)
}

func isZero(b []byte) bool {
	return binary.LittleEndian.Uint64(b)|binary.LittleEndian.Uint64(b[8:]) == 0
}
