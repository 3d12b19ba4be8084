package files_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"log"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/blob"
	"timbre/server/files"
	"timbre/server/store"
	"timbre/sqlite"
	"timbre/tests/leaks"
)

func TestMain(m *testing.M) { leaks.Main(m) }

const (
	app   = 1400000001
	alice = 1
	bob   = 2
)

// rig is the module behind a real HTTP server.
type rig struct {
	*files.Files
	t      *testing.T
	dir    string
	cfg    files.Config
	blobs  blob.Store
	store  *store.Store
	now    time.Time
	url    string
	http   *http.Client
	in     tally
	out    tally
	finish func()
}

type tally struct{ atomic.Int64 }

func (t *tally) Add(n float64) { t.Int64.Add(int64(n)) }

func newRig(t *testing.T, change func(*rig)) *rig {
	t.Helper()
	dir := t.TempDir()
	r := &rig{t: t, dir: dir, now: time.Now(), blobs: blob.NewDisk(filepath.Join(dir, "files")), http: &http.Client{Transport: &http.Transport{}}}
	r.cfg.Retention = func() time.Duration { return 0 }
	if change != nil {
		change(r)
	}
	r.start()
	t.Cleanup(func() { r.finish() })
	return r
}

func (r *rig) start() {
	r.t.Helper()
	var err error
	if r.store, err = store.Open(store.Config{Dir: r.dir, Schemas: []sqlite.Schema{files.Schema()}}); err != nil {
		r.t.Fatal(err)
	}
	r.Files, err = files.New(r.t.Context(), r.cfg, files.Parts{Store: r.store, Blobs: r.blobs, In: &r.in, Out: &r.out,
		Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return r.now }})
	if err != nil {
		r.t.Fatal(err)
	}
	server := httptest.NewServer(r.Handler())
	r.url = server.URL
	r.finish = func() {
		r.http.CloseIdleConnections()
		server.Close()
		r.store.Close()
	}
}

// restart closes everything and opens it again.
func (r *rig) restart() {
	r.t.Helper()
	r.finish()
	r.start()
}

func useS3(r *rig) {
	backend := s3mem.New()
	if err := backend.CreateBucket("bucket"); err != nil {
		r.t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(gofakes3.New(backend).Server())
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains of the double
	server.Start()
	transport := &http.Transport{}
	r.t.Cleanup(func() { transport.CloseIdleConnections(); server.Close() })
	s, err := blob.NewS3(r.t.Context(), blob.S3Config{Endpoint: server.URL, Bucket: "bucket", Region: "us-east-1", Key: "key", Secret: "secret"}, transport)
	if err != nil {
		r.t.Fatal(err)
	}
	r.blobs = s
}

// places runs a test with files on disk and in S3.
func places(t *testing.T, change func(*rig), test func(t *testing.T, r *rig)) {
	if change == nil {
		change = func(*rig) {}
	}
	t.Run("disk", func(t *testing.T) { test(t, newRig(t, change)) })
	t.Run("s3", func(t *testing.T) { test(t, newRig(t, func(r *rig) { useS3(r); change(r) })) })
}

func content(size int, seed byte) []byte {
	b := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(b) // never fails
	return b
}

func announce(kind model.FileKind, name string, data []byte) protocol.FileBegin {
	sum := sha256.Sum256(data)
	return protocol.FileBegin{Kind: string(kind), Name: name, Size: int64(len(data)), SHA256: hex.EncodeToString(sum[:])}
}

func partSum(b []byte) string {
	return fmt.Sprintf("%08x", crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
}

// do makes a request as a user, 0 being nobody.
func (r *rig) do(uid int64, method, path string, body []byte, headers ...string) (*http.Response, []byte) {
	r.t.Helper()
	if !strings.HasPrefix(path, "http") {
		path = r.url + path
	}
	q, err := http.NewRequestWithContext(r.t.Context(), method, path, bytes.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	if uid != 0 {
		q.Header.Set("Authorization", "Bearer "+r.Token(app, uid).Token)
	}
	for i := 0; i < len(headers); i += 2 {
		q.Header.Set(headers[i], headers[i+1])
	}
	a, err := r.http.Do(q)
	if err != nil {
		r.t.Fatal(err)
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return a, text
}

// ask makes a request that must succeed.
func (r *rig) ask(uid int64, method, path string, body []byte, headers ...string) (s protocol.FileState) {
	r.t.Helper()
	a, text := r.do(uid, method, path, body, headers...)
	if a.StatusCode != http.StatusOK {
		r.t.Fatalf("%s %s: %s %s", method, path, a.Status, text)
	}
	if err := json.Unmarshal(text, &s); err != nil {
		r.t.Fatalf("%v in %s", err, text)
	}
	return s
}

// refused makes a request that must fail with a code.
func (r *rig) refused(what string, status, code int, uid int64, method, path string, body []byte, headers ...string) {
	r.t.Helper()
	a, text := r.do(uid, method, path, body, headers...)
	var no protocol.FileRefusal
	_ = json.Unmarshal(text, &no) // what is no refusal shows in its code
	if a.StatusCode != status || no.Code != code || code != 0 && no.Desc == "" {
		r.t.Errorf("%s: status %d, %s; want %d, code %d", what, a.StatusCode, text, status, code)
	}
}

func (r *rig) begin(uid int64, b protocol.FileBegin) protocol.FileState {
	r.t.Helper()
	return r.ask(uid, "POST", "/files", protocol.Marshal(b))
}

func (r *rig) part(uid int64, id string, data []byte, n int) {
	r.t.Helper()
	p := partOf(data, n)
	r.ask(uid, "PUT", partPath(id, n), p, protocol.HeaderPartSum, partSum(p))
}

func partOf(data []byte, n int) []byte {
	return data[n*model.FilePart : min((n+1)*model.FilePart, len(data))]
}

func partPath(id string, n int) string { return fmt.Sprintf("/files/%s/parts/%d", id, n) }

// upload stores a file in whole.
func (r *rig) upload(uid int64, kind model.FileKind, name string, data []byte) protocol.FileState {
	r.t.Helper()
	s := r.begin(uid, announce(kind, name, data))
	for n := range s.Parts {
		if !s.Done {
			r.part(uid, s.ID, data, n)
		}
	}
	if s.Done {
		return s
	}
	return r.ask(uid, "POST", "/files/"+s.ID+"/done?name="+url.QueryEscape(name), nil)
}

func (r *rig) get(uid int64, path string, want []byte) *http.Response {
	r.t.Helper()
	a, text := r.do(uid, "GET", path, nil)
	if a.StatusCode != http.StatusOK || !bytes.Equal(text, want) {
		r.t.Fatalf("GET %s: %s, %d bytes", path, a.Status, len(text))
	}
	return a
}

const (
	notFound = tim.ErrSVRResNotFound
	denied   = tim.ErrSVRResAccessDeny
	tooBig   = tim.ErrSVRResSizeLimit
	invalid  = tim.ErrSVRResInvalidParameters
)
