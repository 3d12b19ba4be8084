package media_test

import (
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
)

func certificate(s *httptest.Server) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
}

// The benchmarks move files of 100 MB over loopback, with everything that belongs to it: checksums, both databases'
// commits and the flush to disk.
func BenchmarkUpload(b *testing.B) {
	r := newRig(b, nil)
	data := content(100*mb, 1)
	path := filepath.Join(b.TempDir(), "file")
	b.SetBytes(100 * mb)
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		data[0], data[1] = byte(i), byte(i>>8) // another content, or nothing would be sent
		if err := os.WriteFile(path, data, 0o600); err != nil {
			b.Fatal(err)
		}
		l := r.file("none", data[:1])
		l.Path = path
		b.StartTimer()
		if _, err := r.Upload(b.Context(), l, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDownload(b *testing.B) {
	r := newRig(b, nil)
	data := content(100*mb, 1)
	s := r.upload(r.file("file", data), data)
	path := filepath.Join(b.TempDir(), "target")
	b.SetBytes(100 * mb)
	for b.Loop() {
		b.StopTimer()
		_ = os.Remove(path) // there is none at first
		b.StartTimer()
		if err := r.Download(b.Context(), remote(s), path, nil); err != nil {
			b.Fatal(err)
		}
	}
}
