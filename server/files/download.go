package files

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"timbre/model/tim"
	"timbre/server/blob"
	"timbre/server/refusal"
	"timbre/sqlite"
)

const (
	sendStep = 1 << 20         // bytes that must have left
	sendTime = 1 * time.Minute // within this time: 17 KB/s
)

// shown are the types that a browser may show: pictures, sounds and videos. A text cannot run when nobody may guess that
// it is something else. Everything else is offered for saving.
var shown = []string{"image/", "audio/", "video/", "text/plain", "application/ogg"}

func (f *Files) serveFile(w http.ResponseWriter, r *http.Request) {
	file, err := f.readable(r)
	if err != nil {
		f.refuse(w, r, err)
		return
	}
	content, err := f.Blobs.Open(r.Context(), file.id)
	if errors.Is(err, blob.ErrMissing) {
		f.Logger.Error("the bytes of a stored file are gone", "file", file.id)
		err = refusal.New(tim.ErrSVRResNotFound, "the file is gone")
	}
	if err != nil {
		f.refuse(w, r, err)
		return
	}
	defer content.Close()
	describe(w.Header(), &file)
	out := &sender{ResponseWriter: w, control: http.NewResponseController(w)}
	http.ServeContent(out, r, "", time.Time{}, content.ReadSeeker)
	out.end()
	f.Out.Add(float64(out.sent))
}

// readable returns the file when whoever asks may have it: he knows the id, and where URLs expire, this one has not or
// he is a user of the app.
func (f *Files) readable(r *http.Request) (file row, err error) {
	var found bool
	id := r.PathValue("id")
	err = f.Store.Read(r.Context(), func(q sqlite.Queryer) (err error) {
		file, found, err = byID(q, id)
		return err
	})
	if err != nil {
		return file, err
	}
	if !found || file.state != stored {
		return file, refusal.New(tim.ErrSVRResNotFound, "there is no such file")
	}
	if f.cfg.URLLife == 0 || f.signed(r, id) {
		return file, nil
	}
	if r.Header.Get("Authorization") != "" {
		u, err := f.bearer(r)
		if err != nil || u.app == file.who.app {
			return file, err
		}
	}
	return file, refusal.New(tim.ErrSVRResAccessDeny, "the link has expired")
}

func describe(h http.Header, file *row) {
	kind := "application/octet-stream"
	for _, prefix := range shown {
		if strings.HasPrefix(file.kind, prefix) && !strings.Contains(file.kind, "xml") {
			kind = file.kind
		}
	}
	if kind == "application/octet-stream" {
		h.Set("Content-Disposition", "attachment")
	}
	h.Set("Content-Type", kind)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "sandbox")
	h.Set("Cache-Control", "private")
	h.Set("ETag", `"`+hex.EncodeToString(file.sum)+`"`)
	h.Set("Repr-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(file.sum)+":")
}

// sender counts what is sent, keeps the way free on which the kernel sends files by itself, and gives up on a client
// that does not read.
type sender struct {
	http.ResponseWriter
	control *http.ResponseController
	sent    int64
}

// Unwrap lets http.ResponseController find the connection.
func (s *sender) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func (s *sender) patience(d time.Duration) { _ = s.control.SetWriteDeadline(time.Now().Add(d)) }

// end sends the rest and takes the limit away, which would meet the next request on the connection.
func (s *sender) end() {
	s.patience(sendTime)
	_ = s.control.Flush()
	_ = s.control.SetWriteDeadline(time.Time{})
}

func (s *sender) Write(b []byte) (int, error) {
	s.patience(sendTime)
	n, err := s.ResponseWriter.Write(b)
	s.sent += int64(n)
	return n, err
}

// ReadFrom implements io.ReaderFrom. http.ServeContent gives a limited reader of the file, and the kernel's way works
// for exactly that, so each step is one again.
func (s *sender) ReadFrom(src io.Reader) (total int64, err error) {
	all, ok := src.(*io.LimitedReader)
	if !ok {
		all = &io.LimitedReader{R: src, N: 1<<63 - 1}
	}
	for all.N > 0 && err == nil {
		step := &io.LimitedReader{R: all.R, N: min(sendStep, all.N)}
		want := step.N
		s.patience(sendTime)
		var n int64
		n, err = io.Copy(s.ResponseWriter, step)
		all.N -= n
		total += n
		if n < want {
			break
		}
	}
	s.sent += total
	return total, err
}
