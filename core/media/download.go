package media

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"timbre/model"
	"timbre/model/tim"
)

// maxID is the longest id of a file.
const maxID = 64

// download is a file on its way here.
type download struct {
	f      *Files
	remote Remote
	path   string
	part   *partFile
	meter  *meter
}

// Download fetches a file to a path, whose folders are made. The target appears when it is complete and fits its
// checksum; a file that was there is replaced at that moment. A target that is that file already is left alone.
// Downloads to one path wait for each other. Errors: 114000 there is no such file, 114001 it may not be read, 6009 it
// cannot be fetched, 6010 the address or its certificate cannot be used, 7007 the target cannot be written, 7009 the
// context was cancelled, and those of Upload when its deadline passed. Progress may be nil.
func (f *Files) Download(ctx context.Context, r Remote, path string, progress Progress) error {
	defer one(&f.running.downloads)()
	if err := r.check(); err != nil {
		return err
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return failed(tim.ErrSDKCommFileOpenFailed, err.Error())
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return failed(tim.ErrSDKCommFileOpenFailed, "this is no file: "+path)
	}
	leave, err := f.targets.enter(ctx, path)
	if err != nil {
		return downloading.ended(ctx, err)
	}
	defer leave()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return failed(tim.ErrSDKCommFileOpenFailed, err.Error())
	}
	d := &download{f: f, remote: r, path: path, part: newPartFile(path, r), meter: newMeter(progress, r.Size)}
	defer d.part.close()
	return f.repeat(ctx, downloading, func() (bool, error) { return d.try(ctx) })
}

// check refuses what no request can be made of. The id and the URL come from other users.
func (r *Remote) check() error {
	if validID(r.ID) {
		return nil
	}
	u, err := url.Parse(r.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return failed(tim.ErrHTTPReqFailed, "the file has no address that can be used")
	}
	return nil
}

func validID(id string) bool {
	for i := 0; i < len(id); i++ {
		if c := id[i]; (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return id != "" && len(id) <= maxID
}

// targets lets one download at a time write to a path.
type targets struct {
	mu   sync.Mutex
	busy map[string]chan struct{} // closed when the path is free
}

func (t *targets) enter(ctx context.Context, path string) (leave func(), err error) {
	for {
		t.mu.Lock()
		wait, taken := t.busy[path]
		if !taken {
			mine := make(chan struct{})
			t.busy[path] = mine
			t.mu.Unlock()
			return func() {
				t.mu.Lock()
				delete(t.busy, path)
				t.mu.Unlock()
				close(mine)
			}, nil
		}
		t.mu.Unlock()
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// try fetches what is missing.
func (d *download) try(ctx context.Context) (moved bool, err error) {
	ctx, w := newWatch(ctx)
	defer w.stop()
	q, l, err := d.request(ctx)
	if err != nil {
		return false, err
	}
	a, err := d.f.cfg.Client().Do(q)
	if err != nil {
		return false, err
	}
	defer a.Body.Close()
	switch a.StatusCode {
	case http.StatusNotModified:
		d.part.remove()
		d.meter.set(d.part.known, d.part.known)
		return true, nil
	case http.StatusOK, http.StatusPartialContent:
		return d.receive(a, w)
	case http.StatusUnauthorized:
		d.f.refused(l.token)
	case http.StatusRequestedRangeNotSatisfiable:
		d.part.remove()
	}
	return false, refusalOf(a)
}

// request asks for the file from where the part file ends, unless the target is the file already.
func (d *download) request(ctx context.Context) (q *http.Request, l leave, err error) {
	address := d.remote.URL
	if validID(d.remote.ID) {
		l, err = d.f.permit(ctx)
		switch {
		case err == nil:
			address = l.base + "/files/" + d.remote.ID
		case address == "":
			return nil, l, err
		}
	}
	if q, err = http.NewRequestWithContext(ctx, http.MethodGet, address, nil); err != nil {
		return nil, l, failed(tim.ErrHTTPReqFailed, err.Error())
	}
	if l.token != "" && address != d.remote.URL {
		q.Header.Set("Authorization", "Bearer "+l.token)
	}
	q.Header.Set("Accept-Encoding", "identity") // bytes as they are: of others there would be no ranges
	if sum := d.part.complete(d.path, d.remote.Size); sum != "" {
		q.Header.Set("If-None-Match", `"`+sum+`"`) // counts before a range does
	}
	if have, tag := d.part.resume(); have > 0 {
		q.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
		q.Header.Set("If-Range", tag)
	}
	return q, l, nil
}

// receive appends the answer to the part file and finishes it.
func (d *download) receive(a *http.Response, w *watch) (moved bool, err error) {
	total, err := d.open(a)
	if err != nil {
		return false, err
	}
	from := d.part.size
	d.meter.set(from, max(total, 0))
	limit := total - from
	if total < 0 {
		limit = max(model.MaxFile, d.remote.Size) - from + 1
	}
	err = d.part.append(io.LimitReader(a.Body, limit), func(n int) {
		w.moved()
		d.meter.add(int64(n))
	})
	moved = d.part.size > from
	switch {
	case err != nil:
		return moved, err
	case total >= 0 && d.part.size < total:
		return moved, io.ErrUnexpectedEOF
	case total < 0 && d.part.size >= from+limit:
		d.part.remove()
		return moved, failed(tim.ErrFileTransDownloadFailed, "the file is larger than any may be")
	}
	return false, d.finish(a) // what is thrown away is no progress
}

// open prepares the part file for what the answer brings and returns the size of the whole, -1 when nobody knows it.
func (d *download) open(a *http.Response) (total int64, err error) {
	total = a.ContentLength
	if a.StatusCode == http.StatusOK {
		return total, d.part.restart(tagOf(a.Header))
	}
	from, total, ok := contentRange(a.Header.Get("Content-Range"))
	if !ok || from != d.part.size {
		d.part.remove()
		return 0, &refusal{status: http.StatusRequestedRangeNotSatisfiable, desc: "another range came than was asked for"}
	}
	return total, d.part.goOn()
}

// finish compares the checksum, if the server gives one, and puts the file in its place.
func (d *download) finish(a *http.Response) error {
	if want := digestHeader(a.Header.Get("Repr-Digest")); want != nil {
		if !bytes.Equal(d.part.sum.Sum(nil), want) {
			d.part.remove()
			return &refusal{status: http.StatusUnprocessableEntity, code: tim.ErrFileTransDownloadFailed,
				desc: "the content does not fit its checksum"}
		}
	}
	if err := d.part.rename(d.path); err != nil {
		return failed(tim.ErrSDKCommFileOpenFailed, err.Error())
	}
	d.meter.set(d.part.size, d.part.size)
	return nil
}

// tagOf returns what a later request can name the same content by, "" when there is nothing reliable.
func tagOf(h http.Header) string {
	if tag := h.Get("ETag"); tag != "" && !strings.HasPrefix(tag, "W/") {
		return tag
	}
	return h.Get("Last-Modified")
}

// contentRange reads "bytes 5-9/10".
func contentRange(s string) (from, total int64, ok bool) {
	s, ok = strings.CutPrefix(s, "bytes ")
	span, size, ok2 := strings.Cut(s, "/")
	first, _, ok3 := strings.Cut(span, "-")
	from, err := strconv.ParseInt(first, 10, 64)
	total, err2 := strconv.ParseInt(size, 10, 64)
	return from, total, ok && ok2 && ok3 && err == nil && err2 == nil && from >= 0 && total >= from
}

// digestHeader reads the SHA-256 of Repr-Digest (RFC 9530), nil when there is none.
func digestHeader(s string) []byte {
	for item := range strings.SplitSeq(s, ",") {
		text, ok := strings.CutPrefix(strings.TrimSpace(item), "sha-256=:")
		sum, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(text, ":"))
		if ok && err == nil && len(sum) == sha256.Size {
			return sum
		}
	}
	return nil
}

// hashFile feeds the first n bytes of a file to a hash.
func hashFile(name string, n int64, h hash.Hash) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	got, err := io.CopyBuffer(onlyWriter{h}, onlyReader{io.LimitReader(file, n)}, make([]byte, readBuffer))
	if err == nil && got != n {
		err = &fs.PathError{Op: "read", Path: name, Err: io.ErrUnexpectedEOF}
	}
	return err
}

func sumOf(name string, size int64) (string, error) {
	h := sha256.New()
	err := hashFile(name, size, h)
	return hex.EncodeToString(h.Sum(nil)), err
}
