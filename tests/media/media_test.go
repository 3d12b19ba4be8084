package media_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"timbre/core/media"
	"timbre/core/transport"
	"timbre/model"
	"timbre/model/tim"
)

func remote(s media.Stored) media.Remote { return media.Remote{ID: s.ID, Size: s.Size} }

func puts(s string) bool { return strings.HasPrefix(s, "PUT") }

func TestThereAndBack(t *testing.T) {
	r := newRig(t, nil)
	for i, size := range []int{1, 4 * mb, 4*mb + 1, 13*mb - 5} {
		data := content(size, byte(i))
		s := r.upload(r.file("some file.bin", data), data)
		if s.CRC32 != crc32.ChecksumIEEE(data) || s.URL != "http://"+r.addr+"/files/"+s.ID+"/some%20file.bin" {
			t.Errorf("%+v", s)
		}
		r.fetch(remote(s), data)
		r.fetch(media.Remote{URL: s.URL, Size: s.Size}, data)
		r.fetch(media.Remote{ID: s.ID}, data)
	}
	if r.asked.Load() != 1 {
		t.Errorf("asked for %d tokens", r.asked.Load())
	}
}

func TestSameContentIsNotSentAgain(t *testing.T) {
	r := newRig(t, nil)
	data := content(5*mb, 1)
	first := r.upload(r.file("a", data), data)
	sent := r.received()
	second := r.upload(r.file("b", data), data)
	if second.ID != first.ID || r.received() != sent || !strings.HasSuffix(second.URL, "/b") {
		t.Errorf("%+v, %+v, %d bytes more", first, second, r.received()-sent)
	}
}

// Connections live for about one part: every part is stored once, however often the connection breaks.
func TestUploadOverCuts(t *testing.T) {
	var sizes atomic.Int64
	r := newRig(t, func(r *rig) {
		r.cut = func() int64 { return 3*mb + sizes.Add(1)*mb%(4*mb) }
	})
	var mu sync.Mutex
	stored, known := map[string]bool{}, map[string]bool{} // and when the client last asked what there is
	r.between(func(w http.ResponseWriter, q *http.Request, next http.Handler) {
		mu.Lock()
		switch {
		case q.Method == http.MethodPost && q.URL.Path == "/files":
			known = maps.Clone(stored)
		case q.Method == http.MethodPut && known[q.URL.Path]:
			t.Errorf("%s came again", q.URL.Path)
		}
		mu.Unlock()
		out := httptest.NewRecorder()
		next.ServeHTTP(out, q)
		if q.Method == http.MethodPut && out.Code == http.StatusOK {
			mu.Lock()
			stored[q.URL.Path] = true
			mu.Unlock()
		}
		w.WriteHeader(out.Code)
		_, _ = w.Write(out.Body.Bytes())
	})
	data := content(18*mb, 2)
	s := r.upload(r.file("a", data), data)
	r.rest()
	if len(stored) == 0 { // there are more, whose answers were cut off
		t.Error("no part was stored at once")
	}
	if n := r.seen(puts); n <= 5 {
		t.Errorf("%d requests: nothing was cut", n)
	}
	r.mu.Lock()
	r.cut = nil
	r.mu.Unlock()
	r.between(nil)
	r.fetch(remote(s), data)
}

func TestDownloadOverCuts(t *testing.T) {
	r := newRig(t, nil)
	data := content(14*mb, 3)
	s := r.upload(r.file("a", data), data)
	r.startClient() // whose connections are new
	r.mu.Lock()
	r.cut = func() int64 { return 2*mb + 1234 }
	r.mu.Unlock()
	r.fetch(remote(s), data)
	if n := r.seen(func(s string) bool { return strings.Contains(s, "bytes=") }); n < 5 { // no connection carries more than 2 MB
		t.Errorf("%d requests continued", n)
	}
}

// Whichever side starts anew: only what is missing travels.
func TestUploadAfterRestarts(t *testing.T) {
	r := newRig(t, nil)
	data := content(30*mb, 4)
	l := r.file("a", data)
	ctx, cancel := context.WithCancel(t.Context())
	var passed atomic.Int64
	r.between(func(w http.ResponseWriter, q *http.Request, next http.Handler) {
		next.ServeHTTP(w, q)
		if puts(q.Method) && passed.Add(1) == 4 {
			cancel()
		}
	})
	if _, err := r.Upload(ctx, l, nil); code(err) != tim.ErrSVRResSendCancel {
		t.Fatalf("cancelled, and got %v", err)
	}
	r.between(nil)
	r.stopServer()
	r.startServer()
	r.startClient()
	sent := r.received()
	p := &progress{t: t}
	s, err := r.Upload(t.Context(), l, p.tell)
	if err != nil {
		t.Fatal(err)
	}
	if more := r.received() - sent; more > 30*mb-4*4*mb || p.first < 4*4*mb {
		t.Errorf("%d MB were sent again, progress began at %d MB", more/mb, p.first/mb)
	}
	r.fetch(remote(s), data)
}

func TestServerRestartsDuringUpload(t *testing.T) {
	r := newRig(t, nil)
	data := content(20*mb, 5)
	var once sync.Once
	stopped := make(chan struct{})
	r.between(func(w http.ResponseWriter, q *http.Request, next http.Handler) {
		next.ServeHTTP(w, q)
		if puts(q.Method) {
			once.Do(func() { close(stopped) })
		}
	})
	var restart sync.WaitGroup
	restart.Go(func() {
		<-stopped
		r.stopServer()
		r.startServer()
	})
	s := r.upload(r.file("a", data), data)
	restart.Wait()
	r.fetch(remote(s), data)
}

func TestDownloadAfterRestart(t *testing.T) {
	r := newRig(t, nil)
	data := content(20*mb, 6)
	s := r.upload(r.file("a", data), data)
	path := filepath.Join(t.TempDir(), "target")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, at := range []int64{5 * mb, 12 * mb} {
		ctx, cancel := context.WithCancel(t.Context())
		err := r.Download(ctx, remote(s), path, func(done, _ int64) {
			if done > at {
				cancel()
			}
		})
		if code(err) != tim.ErrSDKCommInterrupt {
			t.Fatalf("cancelled, and got %v", err)
		}
		if old, err := os.ReadFile(path); string(old) != "old" {
			t.Fatalf("the target was touched: %d bytes, %v", len(old), err)
		}
		r.startClient()
	}
	p := &progress{t: t}
	if err := r.Download(t.Context(), remote(s), path, p.tell); err != nil {
		t.Fatal(err)
	}
	if p.first < 12*mb { // what the server sent does not count: the cancelled downloads may still be in its buffers
		t.Errorf("progress began at %d", p.first)
	}
	p.complete(len(data))
	r.holds(path, data)
}

// A part file of something else, or one that was changed, never gets into the target.
func TestPartFileOfSomethingElse(t *testing.T) {
	r := newRig(t, nil)
	data := content(3*mb, 7)
	s := r.upload(r.file("a", data), data)
	tag := fmt.Sprintf(`"\"%s\""`, s.SHA256)
	for what, c := range map[string][2]string{
		"changed":      {strings.Repeat("x", mb), fmt.Sprintf(`{"source":%q,"tag":%s}`, s.ID, tag)},
		"too long":     {strings.Repeat("x", 4*mb), fmt.Sprintf(`{"source":%q,"tag":%s}`, s.ID, tag)},
		"complete":     {string(data), fmt.Sprintf(`{"source":%q,"tag":%s}`, s.ID, tag)},
		"older":        {strings.Repeat("x", mb), fmt.Sprintf(`{"source":%q,"tag":"\"0123\""}`, s.ID)},
		"another file": {strings.Repeat("x", mb), fmt.Sprintf(`{"source":"other","tag":%s}`, tag)},
		"no tag":       {strings.Repeat("x", mb), fmt.Sprintf(`{"source":%q}`, s.ID)},
		"no state":     {strings.Repeat("x", mb), ""},
	} {
		path := filepath.Join(t.TempDir(), "target")
		for name, text := range map[string]string{".timbre-part": c[0], ".timbre-part.json": c[1]} {
			if err := os.WriteFile(path+name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Download(t.Context(), remote(s), path, nil); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		r.holds(path, data)
	}
}

func TestTargetThatIsThere(t *testing.T) {
	r := newRig(t, nil)
	data := content(3*mb, 8)
	s := r.upload(r.file("a", data), data)
	path := filepath.Join(t.TempDir(), strings.Repeat("n", 250)) // no room for a suffix
	for _, there := range [][]byte{nil, data, data[:mb], content(3*mb, 9)} {
		if there != nil {
			if err := os.WriteFile(path, there, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		sent := r.sent()
		p := &progress{t: t}
		if err := r.Download(t.Context(), remote(s), path, p.tell); err != nil {
			t.Fatal(err)
		}
		if same := bytes.Equal(there, data); (r.sent() == sent) != same {
			t.Errorf("%d bytes there, equal: %v; %d bytes sent", len(there), same, r.sent()-sent)
		}
		p.complete(len(data))
		r.holds(path, data)
	}
}

func TestDownloadsToOnePath(t *testing.T) {
	r := newRig(t, nil)
	a, b := content(6*mb, 10), content(6*mb, 11)
	sa, sb := r.upload(r.file("a", a), a), r.upload(r.file("b", b), b)
	same := filepath.Join(t.TempDir(), "same")
	both := filepath.Join(t.TempDir(), "both")
	before := r.sent()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if err := r.Download(t.Context(), remote(sa), same, nil); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	r.holds(same, a)
	if sent := r.sent() - before; sent != int64(len(a)) {
		t.Errorf("%d bytes were sent for one file", sent)
	}
	for _, s := range []media.Stored{sa, sb, sa, sb} {
		all.Go(func() {
			if err := r.Download(t.Context(), remote(s), both, nil); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	got, err := os.ReadFile(both)
	if err != nil || !bytes.Equal(got, a) && !bytes.Equal(got, b) {
		t.Errorf("neither of the two files: %d bytes, %v", len(got), err)
	}
	r.holds(both, got)
}

func TestUploadsOfOneFileAtOnce(t *testing.T) {
	r := newRig(t, nil)
	data := content(10*mb, 12)
	l := r.file("a", data)
	var all sync.WaitGroup
	ids := make([]string, 4)
	for i := range ids {
		all.Go(func() { ids[i] = r.upload(l, data).ID })
	}
	all.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Errorf("stored as %q", ids)
		}
	}
	r.fetch(media.Remote{ID: ids[0]}, data)
}

// spoil changes a byte of what passes.
func spoil(b []byte) []byte {
	b = bytes.Clone(b)
	b[len(b)/2] ^= 1
	return b
}

func TestSpoiltOnTheWayUp(t *testing.T) {
	r := newRig(t, nil)
	data := content(9*mb, 13)
	var times atomic.Int64
	r.between(func(w http.ResponseWriter, q *http.Request, next http.Handler) {
		if puts(q.Method) && times.Add(1) <= 2 {
			if b := bodyOf(q); b != nil {
				q.Body = io.NopCloser(bytes.NewReader(spoil(b)))
			}
		}
		next.ServeHTTP(w, q)
	})
	s := r.upload(r.file("a", data), data)
	r.fetch(remote(s), data)
	if times.Load() < 4 {
		t.Errorf("%d parts came", times.Load())
	}
}

func TestSpoiltOnTheWayDown(t *testing.T) {
	r := newRig(t, nil)
	data := content(2*mb, 14)
	s := r.upload(r.file("a", data), data)
	var left atomic.Int64
	r.between(func(w http.ResponseWriter, q *http.Request, next http.Handler) {
		out := httptest.NewRecorder()
		next.ServeHTTP(out, q)
		b := out.Body.Bytes()
		if left.Add(-1) >= 0 {
			b = spoil(b)
		}
		for k, v := range out.Header() {
			w.Header()[k] = v
		}
		w.WriteHeader(out.Code)
		_, _ = w.Write(b)
	})
	left.Store(2)
	r.fetch(remote(s), data)
	left.Store(1 << 40)
	path := filepath.Join(t.TempDir(), "target")
	if err := r.Download(t.Context(), remote(s), path, nil); code(err) != tim.ErrFileTransDownloadFailed {
		t.Errorf("always spoilt: %v", err)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestFileThatChanges(t *testing.T) {
	for what, change := range map[string]func(path string) error{
		"shorter": func(path string) error { return os.Truncate(path, 5*mb) },
		"other":   func(path string) error { return os.WriteFile(path, content(12*mb, 16), 0o600) },
	} {
		r := newRig(t, nil)
		l := r.file("a", content(12*mb, 15))
		var once sync.Once
		r.between(func(w http.ResponseWriter, q *http.Request, next http.Handler) {
			if q.Method == http.MethodPost {
				once.Do(func() {
					if err := change(l.Path); err != nil {
						t.Error(err)
					}
				})
			}
			next.ServeHTTP(w, q)
		})
		if _, err := r.Upload(t.Context(), l, nil); code(err) != tim.ErrFileTransUploadFailed {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestTokenThatExpires(t *testing.T) {
	r := newRig(t, func(r *rig) { r.cfg.URLLife = time.Minute })
	data := content(mb, 17)
	s := r.upload(r.file("a", data), data)
	r.later(2 * time.Hour)
	if err := r.Download(t.Context(), media.Remote{URL: s.URL}, filepath.Join(t.TempDir(), "a"), nil); code(err) != tim.ErrSVRResAccessDeny {
		t.Errorf("an expired URL: %v", err)
	}
	r.fetch(remote(s), data)
	if r.asked.Load() != 2 {
		t.Errorf("asked for %d tokens", r.asked.Load())
	}
	other := content(mb, 18)
	r.later(2 * time.Hour)
	r.upload(r.file("b", other), other)
	r.Forget()
	r.fetch(remote(s), data)
	if r.asked.Load() != 4 {
		t.Errorf("asked for %d tokens", r.asked.Load())
	}
}

func TestRefusals(t *testing.T) {
	r := newRig(t, func(r *rig) {
		r.cfg.Quota, r.cfg.Denied = 3*mb, []string{"exe"}
		r.cfg.Max = map[model.FileKind]int64{model.FileVideo: 100}
	})
	path := filepath.Join(t.TempDir(), "target")
	video := r.file("v.mp4", content(101, 19))
	video.Kind = model.FileVideo
	up := func(l media.Local) error { _, err := r.Upload(t.Context(), l, nil); return err }
	down := func(m media.Remote) error { return r.Download(t.Context(), m, path, nil) }
	for what, c := range map[string]struct {
		err  error
		want int
	}{
		"quota":         {up(r.file("a", content(4*mb, 19))), tim.ErrSVRResSizeLimit},
		"extension":     {up(r.file("a.exe", content(9, 19))), tim.ErrSVRResAccessDeny},
		"size":          {up(video), tim.ErrSVRResSizeLimit},
		"missing":       {up(media.Local{Path: path, Kind: model.FileOther}), tim.ErrSDKCommFileNotFound},
		"no kind":       {up(media.Local{Path: video.Path}), tim.ErrSDKCommFileTooLarge},
		"unknown id":    {down(media.Remote{ID: "ABCDEFGH"}), tim.ErrSVRResNotFound},
		"id as a path":  {down(media.Remote{ID: "../metrics"}), tim.ErrHTTPReqFailed},
		"no address":    {down(media.Remote{}), tim.ErrHTTPReqFailed},
		"file address":  {down(media.Remote{URL: "file:///etc/passwd"}), tim.ErrHTTPReqFailed},
		"into a folder": {r.Download(t.Context(), media.Remote{ID: "ABC"}, t.TempDir(), nil), tim.ErrSDKCommFileOpenFailed},
		"below a file":  {r.Download(t.Context(), media.Remote{ID: "ABC"}, video.Path+"/x", nil), tim.ErrSDKCommFileOpenFailed},
	} {
		if code(c.err) != c.want {
			t.Errorf("%s: %v, want %d", what, c.err, c.want)
		}
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestNoConnection(t *testing.T) {
	r := newRig(t, nil)
	data := content(mb, 20)
	s := r.upload(r.file("a", data), data)
	path := filepath.Join(t.TempDir(), "target")
	soon := func() context.Context {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second) // for one try at least, which takes no time
		t.Cleanup(cancel)
		return ctx
	}
	r.stopServer()
	if err := r.Download(soon(), remote(s), path, nil); code(err) != tim.ErrSDKNetDisconnect {
		t.Errorf("no server: %v", err)
	}
	r.Forget()
	r.noLink.Store(true)
	if _, err := r.Upload(soon(), r.file("b", data), nil); code(err) != 9523 {
		t.Errorf("no link: %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(&transport.Error{Code: tim.ErrSDKNotLoggedIn, Text: "logged out"})
	if _, err := r.Upload(ctx, r.file("c", data), nil); code(err) != tim.ErrSDKNotLoggedIn {
		t.Errorf("ended with a code: %v", err)
	}
	// And when everything is back, it goes on by itself.
	var down sync.WaitGroup
	down.Go(func() {
		if err := r.Download(t.Context(), remote(s), path, nil); err != nil {
			t.Error(err)
		}
	})
	r.startServer()
	r.noLink.Store(false)
	down.Wait()
	r.holds(path, data)
}

// Files that are somewhere else come without our checksums, or without anything at all.
func TestOtherServers(t *testing.T) {
	r := newRig(t, nil)
	data := content(3*mb, 21)
	var cuts atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("/plain", func(w http.ResponseWriter, q *http.Request) { // neither length nor tag, cut at first
		if q.Header.Get("Authorization") != "" {
			t.Error("the token was given to a stranger")
		}
		_, _ = w.Write(data[:mb])
		if cuts.Add(1) == 1 {
			panic(http.ErrAbortHandler)
		}
		_, _ = w.Write(data[mb:])
	})
	mux.HandleFunc("/dated", func(w http.ResponseWriter, q *http.Request) {
		http.ServeContent(w, q, "", time.Unix(1e9, 0), bytes.NewReader(data))
	})
	mux.Handle("/moved", http.RedirectHandler("/dated", http.StatusFound))
	mux.HandleFunc("/gone", func(w http.ResponseWriter, q *http.Request) { http.Error(w, "no", http.StatusGone) })
	mux.HandleFunc("/ill", func(w http.ResponseWriter, q *http.Request) {
		if cuts.Add(1)%3 != 0 {
			http.Error(w, "no", http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write(data)
	})
	other := httptest.NewServer(mux)
	defer other.Close()
	for _, path := range []string{"/plain", "/dated", "/moved", "/ill"} {
		target := filepath.Join(t.TempDir(), "target")
		if err := r.Download(t.Context(), media.Remote{ID: "not-ours", URL: other.URL + path}, target, nil); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		r.holds(target, data)
	}
	for path, want := range map[string]int{"/gone": tim.ErrFileTransDownloadFailed, "/none": tim.ErrSVRResNotFound} {
		if err := r.Download(t.Context(), media.Remote{URL: other.URL + path}, filepath.Join(t.TempDir(), "x"), nil); code(err) != want {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestTLSAndProxy(t *testing.T) {
	served := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { _, _ = w.Write([]byte("over TLS")) }))
	defer served.Close()
	roots := filepath.Join(t.TempDir(), "roots.pem")
	use := ""
	var proxied atomic.Int64
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		proxied.Add(1)
		_, _ = w.Write([]byte("by proxy"))
	}))
	defer proxy.Close()
	var way *url.URL
	clients := media.NewClient(func() (*url.URL, error) { return way, nil }, func() string { return use })
	get := func(address string) (string, error) {
		defer clients().CloseIdleConnections()
		a, err := clients().Get(address)
		if err != nil {
			return "", err
		}
		defer a.Body.Close()
		b, err := io.ReadAll(a.Body)
		return string(b), err
	}
	if _, err := get(served.URL); err == nil {
		t.Error("an unknown certificate was accepted")
	}
	use = roots
	if _, err := get(served.URL); err == nil || !strings.Contains(err.Error(), "TIM_SERVER_CA") {
		t.Errorf("a file that is missing: %v", err)
	}
	pem := certificate(served)
	if err := os.WriteFile(roots, pem, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := get(served.URL); err == nil {
		t.Error("the file was read again")
	}
	use = filepath.Join(filepath.Dir(roots), ".", "again.pem")
	if err := os.WriteFile(use, pem, 0o600); err != nil {
		t.Fatal(err)
	}
	if text, err := get(served.URL); text != "over TLS" {
		t.Errorf("%q, %v", text, err)
	}
	var err error
	if way, err = url.Parse(proxy.URL); err != nil {
		t.Fatal(err)
	}
	if text, err := get("http://files.invalid/x"); text != "by proxy" || proxied.Load() != 1 {
		t.Errorf("%q, %v", text, err)
	}
	way = nil
	if _, err := get("http://127.0.0.1:1/x"); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("without the proxy: %v", err)
	}
}
