package files_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/files"
	"timbre/sqlite"
)

func TestUploadAndDownload(t *testing.T) {
	places(t, nil, func(t *testing.T, r *rig) {
		for _, size := range []int{1, model.FilePart, 2*model.FilePart + 17} {
			data := content(size, 1)
			s := r.upload(alice, model.FileOther, "report 1.bin", data)
			if !s.Done || s.Size != int64(size) || s.URL != r.url+"/files/"+s.ID+"/report%201.bin" {
				t.Errorf("%+v", s)
			}
			r.get(0, s.URL, data)
			a := r.get(0, "/files/"+s.ID, data)
			b := announce(model.FileOther, "", data)
			sum, _ := hex.DecodeString(b.SHA256)
			for name, want := range map[string]string{"ETag": `"` + b.SHA256 + `"`, "X-Content-Type-Options": "nosniff",
				"Repr-Digest": "sha-256=:" + base64.StdEncoding.EncodeToString(sum) + ":", "Cache-Control": "private",
				"Accept-Ranges": "bytes"} {
				if a.Header.Get(name) != want {
					t.Errorf("%s: %q, want %q", name, a.Header.Get(name), want)
				}
			}
			if a, text := r.do(0, "HEAD", "/files/"+s.ID, nil); a.ContentLength != int64(size) || len(text) > 0 {
				t.Errorf("HEAD: %d bytes announced", a.ContentLength)
			}
			if size > 10 {
				a, text := r.do(0, "GET", "/files/"+s.ID, nil, "Range", "bytes=7-9")
				if a.StatusCode != http.StatusPartialContent || !bytes.Equal(text, data[7:10]) {
					t.Errorf("range: %s, %d bytes", a.Status, len(text))
				}
			}
			if a, _ := r.do(0, "GET", "/files/"+s.ID, nil, "If-None-Match", `"`+b.SHA256+`"`); a.StatusCode != http.StatusNotModified {
				t.Errorf("unchanged: %s", a.Status)
			}
		}
		total := int64(1 + model.FilePart + 2*model.FilePart + 17)
		if r.in.Load() != total || r.out.Load() != 2*total+2*3 {
			t.Errorf("counted %d in, %d out", r.in.Load(), r.out.Load())
		}
	})
}

func TestResumeAfterRestart(t *testing.T) {
	places(t, nil, func(t *testing.T, r *rig) {
		data := content(3*model.FilePart+1, 2)
		b := announce(model.FileVideo, "v.mp4", data)
		first := r.begin(alice, b)
		if first.Parts != 4 || len(first.Have) != 0 || first.Done {
			t.Fatalf("%+v", first)
		}
		r.part(alice, first.ID, data, 3)
		r.part(alice, first.ID, data, 1)
		token := r.Token(app, alice).Token
		r.restart()
		s := r.begin(alice, b)
		if s.ID != first.ID || !slices.Equal(s.Have, []int{1, 3}) {
			t.Fatalf("after the restart: %+v", s)
		}
		r.refused("not all parts", 422, tim.ErrSVRResInvalidFileMd5, alice, "POST", "/files/"+s.ID+"/done", nil)
		for n := range 4 { // the refusal says to begin again
			r.part(alice, s.ID, data, n)
		}
		p := partOf(data, 0)
		r.ask(0, "PUT", partPath(s.ID, 0), p, protocol.HeaderPartSum, partSum(p), "Authorization", "Bearer "+token)
		done := r.ask(alice, "POST", "/files/"+s.ID+"/done", nil)
		r.get(0, done.URL, data)
		if again := r.ask(alice, "POST", "/files/"+s.ID+"/done", nil); again.ID != s.ID {
			t.Errorf("done again: %+v", again)
		}
	})
}

func TestSameContentIsStoredOnce(t *testing.T) {
	places(t, nil, func(t *testing.T, r *rig) {
		data := content(model.FilePart+5, 3)
		first := r.upload(alice, model.FileOther, "a.bin", data)
		b := announce(model.FileOther, "b.bin", data)
		s := r.begin(bob, b)
		if !s.Done || s.ID != first.ID || !strings.HasSuffix(s.URL, "/b.bin") {
			t.Errorf("%+v", s)
		}
		// Another app has its own.
		token := r.Token(app+1, 9).Token
		if s := r.ask(0, "POST", "/files", protocol.Marshal(b), "Authorization", "Bearer "+token); s.Done || s.ID == first.ID {
			t.Errorf("another app sees it: %+v", s)
		}
		// The same hash with another size is another file.
		b.Size++
		if s := r.begin(bob, b); s.Done || s.ID == first.ID {
			t.Errorf("another size: %+v", s)
		}
	})
}

func TestConcurrentUploadsOfTheSameContent(t *testing.T) {
	places(t, nil, func(t *testing.T, r *rig) {
		data := content(2*model.FilePart+9, 4)
		b := announce(model.FileOther, "a.bin", data)
		users := []int64{alice, alice, bob, 3, 4}
		ids := make([]string, len(users))
		begun := make([]string, len(users))
		for i, u := range users {
			begun[i] = r.begin(u, b).ID
		}
		if begun[0] != begun[1] || begun[0] == begun[2] {
			t.Errorf("uploads of one user are one, of two users two: %q", begun)
		}
		var all sync.WaitGroup
		for i, u := range users {
			all.Go(func() {
				for n := range 3 {
					p := partOf(data, n)
					if a, text := r.do(u, "PUT", partPath(begun[i], n), p, protocol.HeaderPartSum, partSum(p)); a.StatusCode != 200 {
						t.Errorf("part: %s %s", a.Status, text)
					}
				}
				s := r.ask(u, "POST", "/files/"+begun[i]+"/done", nil)
				ids[i] = s.ID
			})
		}
		all.Wait()
		for _, id := range ids {
			if id != ids[0] {
				t.Fatalf("stored as %q", ids)
			}
		}
		r.get(0, "/files/"+ids[0], data)
		if err := r.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := r.count(`SELECT count(*) FROM file`); n != 1 {
			t.Errorf("%d files are left", n)
		}
		if n := r.count(`SELECT count(*) FROM file_part`); n != 0 {
			t.Errorf("%d parts are left", n)
		}
		r.get(0, "/files/"+ids[0], data)
	})
}

func (r *rig) count(query string) (n int) {
	r.t.Helper()
	if err := r.store.Read(r.t.Context(), func(q sqlite.Queryer) error {
		_, err := q.Get(query, []any{&n})
		return err
	}); err != nil {
		r.t.Fatal(err)
	}
	return n
}

func TestWrongBytes(t *testing.T) {
	places(t, nil, func(t *testing.T, r *rig) {
		data := content(model.FilePart+100, 5)
		s := r.begin(alice, announce(model.FileOther, "a", data))
		other := content(model.FilePart, 6)
		r.refused("wrong checksum", 422, tim.ErrSVRResInvalidPartMd5, alice, "PUT", partPath(s.ID, 0), other,
			protocol.HeaderPartSum, partSum(data[:model.FilePart]))
		if s := r.begin(alice, announce(model.FileOther, "a", data)); len(s.Have) != 0 {
			t.Errorf("the part counts as had: %v", s.Have)
		}
		// A part that fits its own checksum and not the file's hash shows at the end, and nothing is published.
		r.ask(alice, "PUT", partPath(s.ID, 0), other, protocol.HeaderPartSum, partSum(other))
		r.part(alice, s.ID, data, 1)
		r.refused("wrong hash", 422, tim.ErrSVRResInvalidFileMd5, alice, "POST", "/files/"+s.ID+"/done", nil)
		r.refused("unfinished", 404, notFound, alice, "GET", "/files/"+s.ID, nil)
		s = r.begin(alice, announce(model.FileOther, "a", data))
		if s.Done || len(s.Have) != 0 {
			t.Errorf("after the wrong hash: %+v", s)
		}
		done := r.upload(alice, model.FileOther, "a", data)
		r.get(0, "/files/"+done.ID, data)
		// What is finished does not change any more.
		r.ask(alice, "PUT", partPath(done.ID, 0), other, protocol.HeaderPartSum, partSum(other))
		r.get(0, "/files/"+done.ID, data)
	})
}

func TestPartRefusals(t *testing.T) {
	r := newRig(t, nil)
	data := content(model.FilePart+100, 7)
	s := r.begin(alice, announce(model.FileOther, "a", data))
	p := partOf(data, 1)
	sum := partSum(p)
	put := func(what string, status, code int, uid int64, path string, body []byte, sum string) {
		t.Helper()
		r.refused(what, status, code, uid, "PUT", path, body, protocol.HeaderPartSum, sum)
	}
	for _, n := range []string{"2", "-1", "x", "99999999999999999999", "1e0"} {
		put("part "+n, 400, invalid, alice, "/files/"+s.ID+"/parts/"+n, p, sum)
	}
	put("too short", 400, invalid, alice, partPath(s.ID, 1), p[1:], sum)
	put("too long", 400, invalid, alice, partPath(s.ID, 1), append(p[:len(p):len(p)], 0), sum)
	put("no sum", 400, invalid, alice, partPath(s.ID, 1), p, "")
	put("long sum", 400, invalid, alice, partPath(s.ID, 1), p, sum+"0")
	put("somebody else's", 403, denied, bob, partPath(s.ID, 1), p, sum)
	put("nobody", 401, tim.ErrFileTransAuthFailed, 0, partPath(s.ID, 1), p, sum)
	put("unknown id", 404, notFound, alice, partPath("ABCDEFGH", 1), p, sum)
	r.refused("somebody else's end", 403, denied, bob, "POST", "/files/"+s.ID+"/done", nil)
	if s := r.begin(alice, announce(model.FileOther, "a", data)); len(s.Have) != 0 {
		t.Errorf("a refused part counts: %v", s.Have)
	}
}

func TestBeginRefusals(t *testing.T) {
	r := newRig(t, func(r *rig) {
		r.cfg.Denied = []string{"exe", ".BAT"}
		r.cfg.Max = map[model.FileKind]int64{model.FileVideo: 50}
	})
	good := announce(model.FileOther, "a.txt", content(100, 8))
	for what, c := range map[string]struct {
		change func(*protocol.FileBegin)
		status int
		code   int
	}{
		"kind":              {func(b *protocol.FileBegin) { b.Kind = "other" }, 400, invalid},
		"no kind":           {func(b *protocol.FileBegin) { b.Kind = "" }, 400, invalid},
		"empty":             {func(b *protocol.FileBegin) { b.Size = 0 }, 400, invalid},
		"negative":          {func(b *protocol.FileBegin) { b.Size = -1 }, 400, invalid},
		"no hash":           {func(b *protocol.FileBegin) { b.SHA256 = "" }, 400, invalid},
		"short hash":        {func(b *protocol.FileBegin) { b.SHA256 = b.SHA256[2:] }, 400, invalid},
		"no hexadecimal":    {func(b *protocol.FileBegin) { b.SHA256 = "x" + b.SHA256[1:] }, 400, invalid},
		"large file":        {func(b *protocol.FileBegin) { b.Size = model.MaxFile + 1 }, 413, tooBig},
		"large image":       {func(b *protocol.FileBegin) { b.Kind, b.Size = "image", model.MaxImageFile+1 }, 413, tooBig},
		"large cover":       {func(b *protocol.FileBegin) { b.Kind, b.Size = "snapshot", model.MaxImageFile+1 }, 413, tooBig},
		"large sound":       {func(b *protocol.FileBegin) { b.Kind, b.Size = "sound", model.MaxSoundFile+1 }, 413, tooBig},
		"large by setting":  {func(b *protocol.FileBegin) { b.Kind, b.Size = "video", 51 }, 413, tooBig},
		"extension":         {func(b *protocol.FileBegin) { b.Name = "a.exe" }, 403, denied},
		"extension case":    {func(b *protocol.FileBegin) { b.Name = "a.ExE" }, 403, denied},
		"extension setting": {func(b *protocol.FileBegin) { b.Name = "a.bat" }, 403, denied},
		"extension hidden":  {func(b *protocol.FileBegin) { b.Name = "a.exe. " }, 403, denied},
	} {
		b := good
		c.change(&b)
		r.refused(what, c.status, c.code, alice, "POST", "/files", protocol.Marshal(b))
	}
	for what, text := range map[string]string{"nothing": "", "no JSON": "x", "a list": "[]", "other types": `{"size":"1"}`,
		"too much": `{"kind":"` + strings.Repeat("x", 9000) + `"}`} {
		r.refused(what, 400, invalid, alice, "POST", "/files", []byte(text))
	}
	for _, token := range []string{"", "x", "Bearer ", "Bearer x", "Basic " + r.Token(app, alice).Token, "Bearer " + flip(r.Token(app, alice).Token)} {
		r.refused("token "+token, 401, tim.ErrFileTransAuthFailed, 0, "POST", "/files", protocol.Marshal(good), "Authorization", token)
	}
	old := r.Token(app, alice)
	r.now = time.UnixMilli(old.Expire)
	r.refused("expired token", 401, tim.ErrFileTransAuthFailed, 0, "POST", "/files", protocol.Marshal(good), "Authorization", "Bearer "+old.Token)
	if s := r.begin(alice, good); s.Parts != 1 {
		t.Errorf("%+v", s)
	}
}

func flip(s string) string { return s[:5] + string(s[5]^1) + s[6:] }

func TestNamesAreNoPaths(t *testing.T) {
	r := newRig(t, nil)
	for i, c := range [][2]string{{"../../etc/passwd", "/passwd"}, {`C:\x\y.txt`, "/y.txt"}, {"..", ""}, {"a/..", ""}, {"", ""},
		{"%2e%2e", "/%252e%252e"}, {"?x=1#y", "/%3Fx=1%23y"}, {"a\x00\nb.txt", "/ab.txt"}, {"图 1.png", "/%E5%9B%BE%201.png"},
		{strings.Repeat("é", 200), "/" + strings.Repeat("%C3%A9", 127)}} {
		data := content(10+i, 9)
		b := announce(model.FileOther, c[0], data)
		s := r.begin(alice, b)
		if s.URL != r.url+"/files/"+s.ID+c[1] {
			t.Errorf("%q: %s", c[0], s.URL)
		}
		r.part(alice, s.ID, data, 0)
		r.ask(alice, "POST", "/files/"+s.ID+"/done", nil)
		r.get(0, s.URL, data)
	}
	for _, path := range []string{"..", "%2e%2e", "..%2f..%2ftimbred.db", "%2e%2e%2ftimbred.db", "...", "a%00b", "..%5ctimbred.db"} {
		for _, m := range []string{"GET", "HEAD"} {
			if a, text := r.do(alice, m, "/files/"+path, nil); a.StatusCode != http.StatusNotFound && a.StatusCode != http.StatusMethodNotAllowed {
				t.Errorf("%s %s: %s %s", m, path, a.Status, text)
			}
		}
	}
	found, err := filepath.Glob(filepath.Join(r.dir, "*"))
	if err != nil || len(found) > 5 { // the database's files and the folder
		t.Errorf("%q, %v", found, err)
	}
}

func TestTypes(t *testing.T) {
	r := newRig(t, nil)
	for text, want := range map[string]string{
		"\x89PNG\r\n\x1a\n":               "image/png",
		"\xff\xd8\xff\xe0":                "image/jpeg",
		"GIF89a":                          "image/gif",
		"plain":                           "text/plain; charset=utf-8",
		"<html><script>alert(1)</script>": "application/octet-stream",
		"<?xml version=\"1.0\"?><svg onload=\"alert(1)\">": "application/octet-stream",
		"%PDF-1.4":     "application/octet-stream",
		"\x00\x01\x02": "application/octet-stream",
		"<svg xmlns=\"http://www.w3.org/2000/svg\"/>": "text/plain; charset=utf-8",
	} {
		s := r.upload(alice, model.FileOther, "a.html", []byte(text))
		h := r.get(0, s.URL, []byte(text)).Header
		attached := h.Get("Content-Disposition") == "attachment"
		if h.Get("Content-Type") != want || attached != (want == "application/octet-stream") || h.Get("X-Content-Type-Options") != "nosniff" ||
			h.Get("Content-Security-Policy") != "sandbox" {
			t.Errorf("%q: %v", text, h)
		}
	}
}

func TestExpiringURLs(t *testing.T) {
	r := newRig(t, func(r *rig) {
		r.cfg.URLLife, r.cfg.PublicURL = time.Minute, "https://files.example.org"
	})
	data := content(100, 10)
	s := r.upload(alice, model.FileOther, "a.bin", data)
	if !strings.HasPrefix(s.URL, "https://files.example.org/files/"+s.ID+"/a.bin?e=") {
		t.Fatal(s.URL)
	}
	link := strings.TrimPrefix(s.URL, "https://files.example.org")
	other := r.upload(alice, model.FileOther, "b.bin", content(101, 10))
	r.get(0, link, data)
	no := func(what string, uid int64, path string) {
		t.Helper()
		r.refused(what, 403, denied, uid, "GET", path, nil)
	}
	no("no signature", 0, "/files/"+s.ID)
	no("another file's", 0, strings.Replace(link, s.ID, other.ID, 1))
	no("another time", 0, strings.Replace(link, "e=", "e=1", 1))
	no("changed", 0, link+"x")
	r.now = r.now.Add(time.Minute + time.Second)
	no("expired", 0, link)
	r.get(bob, "/files/"+s.ID, data)
	r.get(bob, link, data)
	r.refused("another app's user", 403, denied, 0, "GET", "/files/"+s.ID, nil, "Authorization", "Bearer "+r.Token(app+1, 7).Token)
	fresh := r.begin(bob, announce(model.FileOther, "a.bin", data))
	r.get(0, strings.TrimPrefix(fresh.URL, "https://files.example.org"), data)
	if base := r.Token(app, alice).Base; base != "https://files.example.org" {
		t.Errorf("base %q", base)
	}
}

func TestQuota(t *testing.T) {
	r := newRig(t, func(r *rig) { r.cfg.Quota = 250 })
	data := func(seed byte) []byte { return content(100, seed) }
	r.upload(alice, model.FileOther, "a", data(1))
	b := announce(model.FileOther, "b", data(2))
	r.begin(alice, b)
	r.begin(alice, b) // continuing costs nothing
	r.upload(alice, model.FileOther, "a", data(1))
	r.refused("used up", 413, tooBig, alice, "POST", "/files", protocol.Marshal(announce(model.FileOther, "c", data(3))))
	if s := r.upload(alice, model.FileOther, "b", data(2)); !s.Done {
		t.Errorf("what was begun cannot be ended: %+v", s)
	}
	r.upload(bob, model.FileOther, "c", data(3))
	if s := r.begin(alice, announce(model.FileOther, "c", data(3))); !s.Done {
		t.Error("what is there costs nothing")
	}
	r.now = r.now.Add(24 * time.Hour)
	r.upload(alice, model.FileOther, "d", data(4))
}

func TestSweep(t *testing.T) {
	const keep = 30 * 24 * time.Hour
	places(t, func(r *rig) { r.cfg.Retention = func() time.Duration { return keep } }, func(t *testing.T, r *rig) {
		unused := r.upload(alice, model.FileOther, "a", content(100, 1))
		used := r.upload(alice, model.FileOther, "b", content(100, 2))
		data := content(model.FilePart+1, 3)
		left := r.begin(alice, announce(model.FileOther, "c", data))
		r.part(alice, left.ID, data, 0)
		sweep := func() {
			t.Helper()
			if err := r.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		r.now = r.now.Add(6 * 24 * time.Hour)
		sweep()
		if s := r.begin(alice, announce(model.FileOther, "c", data)); len(s.Have) != 1 || s.ID != left.ID {
			t.Errorf("after 6 days: %+v", s)
		}
		r.now = r.now.Add(8 * 24 * time.Hour)
		sweep()
		r.refused("given up", 404, notFound, alice, "PUT", partPath(left.ID, 1), data[model.FilePart:], protocol.HeaderPartSum, "00000000")
		r.now = r.now.Add(10 * 24 * time.Hour)
		if err := r.store.Write(t.Context(), func(tx *sqlite.Tx) error { return r.Touch(tx, []string{used.ID, "unknown"}) }); err != nil {
			t.Fatal(err)
		}
		r.now = r.now.Add(10 * 24 * time.Hour)
		sweep()
		r.refused("unused", 404, notFound, 0, "GET", "/files/"+unused.ID, nil)
		r.get(0, "/files/"+used.ID, content(100, 2))
		for id, want := range map[string]bool{unused.ID: false, used.ID: true, left.ID: false} {
			if has, err := r.blobs.Has(t.Context(), id, 100); has != want || err != nil {
				t.Errorf("bytes of %s: %v, %v", id, has, err)
			}
		}
		if n := r.count(`SELECT count(*) FROM file`); n != 1 {
			t.Errorf("%d rows", n)
		}
		if s := r.begin(alice, announce(model.FileOther, "a", content(100, 1))); s.Done || s.ID == unused.ID {
			t.Errorf("a deleted file counts as there: %+v", s)
		}
	})
}

// TestHeld holds that who uses a file uses those that are named in it, at any depth and in a circle too, and that nothing is left
// of what was noted when the file goes.
func TestHeld(t *testing.T) {
	const keep = 30 * 24 * time.Hour
	places(t, func(r *rig) { r.cfg.Retention = func() time.Duration { return keep } }, func(t *testing.T, r *rig) {
		picture := r.upload(alice, model.FileImage, "a", content(100, 1))
		stranger := r.upload(bob, model.FileOther, "b", content(100, 2))
		holding := func(n byte, ids ...string) protocol.FileState {
			t.Helper()
			b := announce(model.FileOther, "m.json", content(100, n))
			b.Holds = ids
			s := r.begin(alice, b)
			r.part(alice, s.ID, content(100, n), 0)
			return r.ask(alice, "POST", "/files/"+s.ID+"/done", nil)
		}
		inner := holding(3, picture.ID, "unknown")
		outer := holding(4, inner.ID)
		circle := announce(model.FileOther, "m.json", content(100, 3))
		circle.Holds = []string{outer.ID}
		if s := r.begin(bob, circle); !s.Done || s.ID != inner.ID {
			t.Fatalf("the same content again: %+v", s)
		}
		for range 2 {
			r.now = r.now.Add(keep - time.Hour)
			if err := r.store.Write(t.Context(), func(tx *sqlite.Tx) error { return r.Touch(tx, []string{outer.ID}) }); err != nil {
				t.Fatal(err)
			}
			r.now = r.now.Add(2 * time.Hour)
			if err := r.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		r.get(0, "/files/"+picture.ID, content(100, 1))
		r.get(0, "/files/"+inner.ID, content(100, 3))
		r.refused("held by nobody", 404, notFound, 0, "GET", "/files/"+stranger.ID, nil)
		r.now = r.now.Add(keep)
		if err := r.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if files, held := r.count(`SELECT count(*) FROM file`), r.count(`SELECT count(*) FROM file_held`); files+held != 0 {
			t.Errorf("%d files and %d notes are left", files, held)
		}
		many := announce(model.FileOther, "m.json", content(100, 5))
		many.Holds = make([]string, model.MaxHeld+1)
		r.refused("too many", 400, invalid, alice, "POST", "/files", protocol.Marshal(many))
	})
}

func TestKeptForEver(t *testing.T) {
	r := newRig(t, nil)
	s := r.upload(alice, model.FileOther, "a", content(100, 1))
	r.now = r.now.Add(20 * 365 * 24 * time.Hour)
	if err := r.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.get(0, "/files/"+s.ID, content(100, 1))
}

// A disk that lost a file must not make its content impossible to send for ever, and the old links heal.
func TestLostBytesComeBack(t *testing.T) {
	r := newRig(t, nil)
	data := content(100, 1)
	s := r.upload(alice, model.FileOther, "a", data)
	if err := os.RemoveAll(filepath.Join(r.dir, "files")); err != nil {
		t.Fatal(err)
	}
	r.refused("lost", 404, notFound, 0, "GET", "/files/"+s.ID, nil)
	again := r.begin(bob, announce(model.FileOther, "a", data))
	if again.Done || again.ID != s.ID {
		t.Fatalf("%+v", again)
	}
	r.refused("lost", 404, notFound, 0, "GET", "/files/"+s.ID, nil)
	r.upload(bob, model.FileOther, "a", data)
	r.get(0, "/files/"+s.ID, data)
}

func TestTwoNodesShareTheKey(t *testing.T) {
	r := newRig(t, nil)
	other, err := files.New(t.Context(), r.cfg, files.Parts{Store: r.store, Blobs: r.blobs, Now: func() time.Time { return r.now }})
	if err != nil {
		t.Fatal(err)
	}
	r.ask(0, "POST", "/files", protocol.Marshal(announce(model.FileOther, "a", content(9, 1))), "Authorization", "Bearer "+other.Token(app, alice).Token)
}
