package media

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash/crc32"
	"io"
	"os"

	"timbre/model"
	"timbre/model/tim"
)

// readBuffer is large enough that reading costs few system calls.
const readBuffer = 256 << 10

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// digest is a file's checksums.
type digest struct {
	sha256 string
	crc32  uint32   // IEEE, of the whole
	parts  []uint32 // CRC-32C of each part
}

// digestOf reads a file once.
func digestOf(ctx context.Context, file *os.File, size int64) (d digest, err error) {
	sum, whole := sha256.New(), crc32.NewIEEE()
	buf := make([]byte, readBuffer)
	for n := range model.FileParts(size) {
		if ctx.Err() != nil {
			return d, context.Cause(ctx)
		}
		part := crc32.New(castagnoli)
		want := model.FilePartSize(size, n)
		r := io.NewSectionReader(file, int64(n)*model.FilePart, want)
		got, err := io.CopyBuffer(onlyWriter{io.MultiWriter(sum, whole, part)}, onlyReader{r}, buf)
		if err != nil {
			return d, failed(tim.ErrSDKCommFileOpenFailed, err.Error())
		}
		if got != want {
			return d, failed(tim.ErrSDKCommFileOpenFailed, "the file became shorter while it was read")
		}
		d.parts = append(d.parts, part.Sum32())
	}
	d.sha256, d.crc32 = hex.EncodeToString(sum.Sum(nil)), whole.Sum32()
	return d, nil
}

// partSum reads one part again.
func partSum(file *os.File, size int64, n int) (uint32, error) {
	part := crc32.New(castagnoli)
	_, err := io.Copy(part, io.NewSectionReader(file, int64(n)*model.FilePart, model.FilePartSize(size, n)))
	return part.Sum32(), err
}

// onlyWriter and onlyReader hide short cuts of io.Copy that would bring a smaller buffer.
type onlyWriter struct{ io.Writer }
type onlyReader struct{ io.Reader }
