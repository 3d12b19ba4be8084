package media

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"sync"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
)

// lanes is how many parts are on their way at once: while one waits for its answer, another one is written.
const lanes = 3

// upload is a file on its way to the server.
type upload struct {
	f     *Files
	local Local
	file  *os.File
	size  int64
	sums  digest
	meter *meter
}

// Upload sends a file, or as much of it as the server does not have. Errors: those of Check; 114002 and 114001 when the
// server's rules refuse it; 6008 when the file changes meanwhile or the server cannot store it; 114003 when the context
// was cancelled, 9508 or another code of the network when its deadline passed without a connection, 114005 when that
// passed otherwise. Progress may be nil.
func (f *Files) Upload(ctx context.Context, l Local, progress Progress) (Stored, error) {
	defer one(&f.running.uploads)()
	file, size, err := open(l.Path, l.Kind)
	if err != nil {
		return Stored{}, err
	}
	defer file.Close()
	u := &upload{f: f, local: l, file: file, size: size, meter: newMeter(progress, size)}
	if u.sums, err = digestOf(ctx, file, size); err != nil {
		if ctx.Err() != nil {
			err = uploading.ended(ctx, err)
		}
		return Stored{}, err
	}
	var s protocol.FileState
	err = f.repeat(ctx, uploading, func() (moved bool, err error) {
		s, moved, err = u.try(ctx)
		return moved, err
	})
	if err != nil {
		return Stored{}, err
	}
	u.meter.set(size, size)
	return Stored{ID: s.ID, URL: s.URL, Size: size, SHA256: u.sums.sha256, CRC32: u.sums.crc32}, nil
}

// try begins or continues and goes as far as it can.
func (u *upload) try(ctx context.Context) (s protocol.FileState, moved bool, err error) {
	l, err := u.f.permit(ctx)
	if err != nil {
		return s, false, err
	}
	begin := protocol.FileBegin{Kind: string(u.local.Kind), Name: u.local.Name, Size: u.size, SHA256: u.sums.sha256,
		Holds: u.local.Holds}
	if s, err = u.ask(ctx, l, "/files", protocol.Marshal(begin)); err != nil || s.Done {
		return s, false, err
	}
	if s.ID == "" || s.Parts != len(u.sums.parts) {
		return s, false, failed(tim.ErrParseResponseFailed, "the server counts other parts")
	}
	if moved, err = u.send(ctx, l, &s); err != nil {
		return s, moved, gone(err)
	}
	s, err = u.ask(ctx, l, "/files/"+url.PathEscape(s.ID)+"/done?name="+url.QueryEscape(u.local.Name), nil)
	return s, false, gone(err) // what the server throws away is no progress
}

// gone makes a refusal that comes from the end of an upload, as after a week's pause, one that begins anew.
func gone(err error) error {
	var no *refusal
	if errors.As(err, &no) && no.status == http.StatusNotFound {
		return &refusal{status: http.StatusUnprocessableEntity, code: no.code, desc: no.desc}
	}
	return err
}

// send sends the parts that the server does not have.
func (u *upload) send(ctx context.Context, l leave, s *protocol.FileState) (moved bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	missing := make(chan int)
	var all sync.WaitGroup
	var mu sync.Mutex
	for range lanes {
		all.Go(func() {
			for n := range missing {
				one := u.part(ctx, l, s.ID, n)
				mu.Lock()
				moved = moved || one == nil
				if one != nil && err == nil {
					err = one
					cancel(one)
				}
				mu.Unlock()
			}
		})
	}
	u.hand(ctx, s.Have, missing)
	all.Wait()
	return moved, err
}

// hand gives the missing parts to the lanes.
func (u *upload) hand(ctx context.Context, have []int, missing chan<- int) {
	defer close(missing)
	var done int64
	for _, n := range have {
		if n >= 0 && n < len(u.sums.parts) {
			done += model.FilePartSize(u.size, n)
		}
	}
	u.meter.set(done, u.size)
	for n := range u.sums.parts {
		if slices.Contains(have, n) {
			continue
		}
		select {
		case missing <- n:
		case <-ctx.Done():
			return
		}
	}
}

func (u *upload) part(ctx context.Context, l leave, id string, n int) error {
	ctx, w := newWatch(ctx)
	defer w.stop()
	size := model.FilePartSize(u.size, n)
	var body *moving
	open := func() (io.ReadCloser, error) { // again when a connection from before turns out to be dead
		body.takeBack()
		body = &moving{r: io.NewSectionReader(u.file, int64(n)*model.FilePart, size), meter: u.meter, watch: w}
		return io.NopCloser(body), nil
	}
	first, _ := open()
	q, err := http.NewRequestWithContext(ctx, http.MethodPut, fmt.Sprintf("%s/files/%s/parts/%d", l.base, url.PathEscape(id), n), first)
	if err != nil {
		return failed(tim.ErrHTTPReqFailed, err.Error())
	}
	q.ContentLength, q.GetBody = size, open
	q.Header.Set(protocol.HeaderPartSum, fmt.Sprintf("%08x", u.sums.parts[n]))
	if err := u.do(q, l, nil); err != nil {
		body.takeBack()
		return u.blame(err, n)
	}
	return nil
}

// blame finds out whether a part that does not fit its checksum was spoilt on its way, which may go better the next
// time, or in the file.
func (u *upload) blame(err error, n int) error {
	if u.intact(err, n) {
		return err
	}
	return failed(tim.ErrFileTransUploadFailed, "the file changed while it was sent: "+u.local.Path)
}

func (u *upload) intact(err error, n int) bool {
	if info, statErr := u.file.Stat(); statErr == nil && info.Size() != u.size {
		return false
	}
	var no *refusal
	if !errors.As(err, &no) || no.code != tim.ErrSVRResInvalidPartMd5 {
		return true
	}
	sum, readErr := partSum(u.file, u.size, n)
	return readErr == nil && sum == u.sums.parts[n]
}

// ask makes a small request.
func (u *upload) ask(ctx context.Context, l leave, path string, body []byte) (s protocol.FileState, err error) {
	ctx, w := newWatch(ctx)
	defer w.stop()
	w.waiting()
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, l.base+path, bytes.NewReader(body))
	if err != nil {
		return s, failed(tim.ErrHTTPReqFailed, err.Error())
	}
	return s, u.do(q, l, &s)
}

func (u *upload) do(q *http.Request, l leave, answer any) error {
	q.Header.Set("Authorization", "Bearer "+l.token)
	a, err := u.f.cfg.Client().Do(q)
	if err != nil {
		return err
	}
	defer a.Body.Close()
	if a.StatusCode == http.StatusUnauthorized {
		u.f.refused(l.token)
	}
	if a.StatusCode != http.StatusOK {
		return refusalOf(a)
	}
	text, err := io.ReadAll(io.LimitReader(a.Body, maxAnswer))
	if err != nil || answer == nil {
		return err
	}
	if json.Unmarshal(text, answer) != nil {
		return failed(tim.ErrParseResponseFailed, "the server's answer cannot be read")
	}
	return nil
}

// moving is the body of a part: what is read from it is on its way.
type moving struct {
	r     io.Reader
	meter *meter
	watch *watch

	mu    sync.Mutex
	moved int64
	ended bool
}

func (m *moving) Read(b []byte) (int, error) {
	n, err := m.r.Read(b)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ended {
		return 0, errors.New("this request is over")
	}
	m.moved += int64(n)
	m.meter.add(int64(n))
	if err == nil {
		m.watch.moved()
	} else {
		m.watch.waiting()
	}
	return n, err
}

// takeBack says that what was read did not arrive. The transport may still be reading.
func (m *moving) takeBack() {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ended = true
	m.meter.add(-m.moved)
	m.moved = 0
}
