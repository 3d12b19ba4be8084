package files

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"timbre/model"
	"timbre/protocol"
)

func FuzzBegin(f *testing.F) {
	f.Add([]byte(`{"kind":"file","name":"a","size":1,"sha256":"` + strings.Repeat("0", 64) + `"}`))
	f.Add([]byte(`{"kind":"image","name":"../x.exe ","size":9223372036854775807,"sha256":""}`))
	f.Add([]byte(`{"kind":"video","name":"\u0000..\\.","size":-1}`))
	files := &Files{cfg: Config{Denied: []string{"exe"}}}
	f.Fuzz(func(t *testing.T, text []byte) {
		var b protocol.FileBegin
		if json.Unmarshal(text, &b) != nil {
			return
		}
		name, sum, err := files.check(&b)
		if err != nil {
			return
		}
		if len(sum) != 32 || b.Size < 1 || b.Size > model.MaxFile || len(name) > model.MaxFileName || !utf8.ValidString(name) ||
			strings.ContainsAny(name, `/\`) || name == "." || name == ".." || strings.HasSuffix(strings.ToLower(name), ".exe") ||
			strings.ContainsFunc(name, unicode.IsControl) {
			t.Errorf("%s was accepted as %q", text, name)
		}
	})
}

func FuzzPart(f *testing.F) {
	f.Add("0", "00000000", int64(1), int64(1))
	f.Add("-1", "+0000000", int64(4<<20), int64(5<<20))
	f.Add("2147483648", "g", int64(-1), int64(1)<<40)
	f.Fuzz(func(t *testing.T, n, sum string, length, size int64) {
		r := &http.Request{Header: http.Header{protocol.HeaderPartSum: {sum}}, ContentLength: length}
		r.SetPathValue("n", n)
		p, err := parsePart(r)
		if err != nil || size < 1 || p.fits(size) != nil {
			return
		}
		if from := int64(p.n) * model.FilePart; p.n < 0 || p.size < 1 || p.size > model.FilePart || from+p.size > size {
			t.Errorf("part %q of %d bytes was accepted for a file of %d", n, length, size)
		}
	})
}
