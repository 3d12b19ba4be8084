package vault

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

func bytesOf(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func cipherOf(t *testing.T, keys []byte) *xts {
	t.Helper()
	p, err := newPair(keys)
	if err != nil {
		t.Fatal(err)
	}
	return &xts{pair: p}
}

// The vectors of IEEE 1619, appendix B, that have whole blocks.
func TestTheStandardsVectors(t *testing.T) {
	for _, v := range []struct {
		number             int
		keys, plain, crypt string
		position           int64
	}{
		{1, "0000000000000000000000000000000000000000000000000000000000000000",
			"0000000000000000000000000000000000000000000000000000000000000000",
			"917cf69ebd68b2ec9b9fe9a3eadda692cd43d2f59598ed858c02c2652fbf922e", 0},
		{2, "1111111111111111111111111111111122222222222222222222222222222222",
			"4444444444444444444444444444444444444444444444444444444444444444",
			"c454185e6a16936e39334038acef838bfb186fff7480adc4289382ecd6d394f0", 0x3333333333},
		{3, "fffefdfcfbfaf9f8f7f6f5f4f3f2f1f022222222222222222222222222222222",
			"4444444444444444444444444444444444444444444444444444444444444444",
			"af85336b597afc1a900b2eb21ec949d292df4c047e0b21532186a5971a227a89", 0x3333333333},
	} {
		x, b := cipherOf(t, bytesOf(t, v.keys)), bytesOf(t, v.plain)
		x.encrypt(b, v.position*unit)
		if got := hex.EncodeToString(b); got != v.crypt {
			t.Errorf("vector %d: %s, want %s", v.number, got, v.crypt)
		}
		x.decrypt(b, v.position*unit)
		if got := hex.EncodeToString(b); got != v.plain {
			t.Errorf("vector %d comes back as %s", v.number, got)
		}
	}
}

// Vectors 4 to 6: 512 bytes counting up, then each result encrypted at the next position.
func TestTheStandardsWholeUnits(t *testing.T) {
	x := cipherOf(t, bytesOf(t, "2718281828459045235360287471352631415926535897932384626433832795"))
	b := make([]byte, unit)
	for i := range b {
		b[i] = byte(i)
	}
	for i := range int64(3) {
		x.encrypt(b, i*unit)
	}
	const want = "68f1e84faa401c9914a7fd6fc565eaa7b531cedbc22bd28269aa58b15ceec03f"
	if got := fmt.Sprintf("%x", sha256.Sum256(b)); got != want {
		t.Errorf("the digest of vector 6 is %s, want %s; it begins with %x", got, want, b[:block])
	}
}

func TestAnyPartIsEncryptedLikeTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := &xts{}
		p, err := newPair(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "keys"))
		if err != nil {
			t.Fatal(err)
		}
		x.pair = p
		whole := rapid.SliceOfN(rapid.Byte(), 4*unit, 4*unit).Draw(t, "content")
		base := block * rapid.Int64Range(0, 1<<40).Draw(t, "offset")
		from := block * rapid.IntRange(0, len(whole)/block).Draw(t, "from")
		to := block * rapid.IntRange(from/block, len(whole)/block).Draw(t, "to")
		part := bytes.Clone(whole[from:to])
		x.encrypt(part, base+int64(from))
		all := bytes.Clone(whole)
		x.encrypt(all, base)
		if !bytes.Equal(part, all[from:to]) {
			t.Fatal("a part differs from the same part of the whole")
		}
		x.decrypt(all[from:to], base+int64(from))
		if !bytes.Equal(all[from:to], whole[from:to]) {
			t.Fatal("a part does not come back")
		}
	})
}
