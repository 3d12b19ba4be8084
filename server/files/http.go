package files

import (
	"context"
	"encoding/json"
	"errors"
	"hash"
	"hash/crc32"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/refusal"
)

const (
	maxBegin = 64 << 10        // bytes of an announcement
	bodyTime = 5 * time.Minute // for the body of a request to arrive: a part at 14 KB/s
)

// statuses are the HTTP sides of the codes.
var statuses = map[int]int{
	tim.ErrFileTransAuthFailed:     http.StatusUnauthorized,
	tim.ErrSVRResNotFound:          http.StatusNotFound,
	tim.ErrSVRResAccessDeny:        http.StatusForbidden,
	tim.ErrSVRResSizeLimit:         http.StatusRequestEntityTooLarge,
	tim.ErrSVRResTransferTimeout:   http.StatusRequestTimeout,
	tim.ErrSVRResInvalidParameters: http.StatusBadRequest,
	tim.ErrSVRResInvalidFileMd5:    http.StatusUnprocessableEntity,
	tim.ErrSVRResInvalidPartMd5:    http.StatusUnprocessableEntity,
}

// Handler serves everything below /files.
func (f *Files) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /files", f.answer(f.serveBegin))
	mux.HandleFunc("PUT /files/{id}/parts/{n}", f.answer(f.servePart))
	mux.HandleFunc("POST /files/{id}/done", f.answer(f.serveDone))
	mux.HandleFunc("GET /files/{id}", f.serveFile)
	mux.HandleFunc("GET /files/{id}/{name...}", f.serveFile)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 { // of every request, refused ones too: the server reads on before it takes the next one
			deadline(w, time.Now().Add(bodyTime))
		}
		mux.ServeHTTP(w, r)
	})
}

// answer writes what a handler for users returns, as JSON.
func (f *Files) answer(handle func(http.ResponseWriter, *http.Request, who) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		u, err := f.bearer(r)
		var body any
		if err == nil {
			body, err = handle(w, r, u)
		}
		if err != nil {
			f.refuse(w, r, err)
			return
		}
		writeJSON(w, http.StatusOK, body)
	}
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(protocol.Marshal(body)) // the client may be gone
}

// refuse says no. What is the server's own trouble reaches the client without details.
func (f *Files) refuse(w http.ResponseWriter, r *http.Request, err error) {
	no, status := refusal.Of(err), http.StatusInternalServerError
	switch {
	case no != nil:
		status = statuses[no.Code]
	case errors.Is(err, os.ErrDeadlineExceeded):
		no, status = &refusal.Refusal{Code: tim.ErrSVRResTransferTimeout, Desc: "too slow"}, http.StatusRequestTimeout
	default:
		if r.Context().Err() == nil {
			f.Logger.Error("a file request failed", "method", r.Method, "file", r.PathValue("id"), "error", err)
		}
		no = &refusal.Refusal{Code: protocol.CodeInside, Desc: "the server failed inside"}
	}
	writeJSON(w, status, protocol.FileRefusal{Code: no.Code, Desc: no.Desc})
}

func (f *Files) serveBegin(w http.ResponseWriter, r *http.Request, u who) (any, error) {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBegin))
	deadline(w, time.Time{})
	var b protocol.FileBegin
	if err == nil {
		err = json.Unmarshal(text, &b)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, err
	}
	if err != nil {
		return nil, refusal.New(tim.ErrSVRResInvalidParameters, "the announcement of a file cannot be read")
	}
	name, sum, err := f.check(&b)
	if err != nil {
		return nil, err
	}
	s, err := f.begin(r.Context(), u, sum, b.Size)
	if err == nil && len(b.Holds) > 0 {
		err = f.hold(r.Context(), s.ID, b.Holds)
	}
	s.URL = f.link(r, s.ID, name)
	return s, err
}

// deadline says until when the body must have arrived. When it has, there must be none any more: it would end the
// request's context.
func deadline(w http.ResponseWriter, t time.Time) {
	_ = http.NewResponseController(w).SetReadDeadline(t) // the server sets its own for the next request
}

// part is what a request says about the part in its body.
type part struct {
	n    int
	sum  uint32
	size int64
}

func parsePart(r *http.Request) (part, error) {
	n, noNumber := strconv.ParseUint(r.PathValue("n"), 10, 31)
	text := r.Header.Get(protocol.HeaderPartSum)
	sum, noSum := strconv.ParseUint(text, 16, 32)
	switch {
	case noNumber != nil:
		return part{}, refusal.New(tim.ErrSVRResInvalidParameters, "parts have numbers, from 0")
	case noSum != nil || len(text) != 8:
		return part{}, refusal.New(tim.ErrSVRResInvalidParameters, "the header "+protocol.HeaderPartSum+" must have 8 hexadecimal digits")
	}
	return part{int(n), uint32(sum), r.ContentLength}, nil
}

// fits compares the part with the size of its file.
func (p *part) fits(size int64) error {
	if p.n >= model.FileParts(size) {
		return refusal.New(tim.ErrSVRResInvalidParameters, "there is no such part")
	}
	if want := model.FilePartSize(size, p.n); p.size != want {
		return refusal.New(tim.ErrSVRResInvalidParameters, "this part has "+strconv.FormatInt(want, 10)+" bytes")
	}
	return nil
}

func (f *Files) servePart(w http.ResponseWriter, r *http.Request, u who) (any, error) {
	defer f.gates.enter(r.PathValue("id"), false)()
	q, err := parsePart(r)
	if err != nil {
		return nil, err
	}
	file, have, err := f.own(r.Context(), u, r.PathValue("id"), q.n)
	if err != nil {
		return nil, err
	}
	if err := q.fits(file.size); err != nil {
		return nil, err
	}
	if have || file.state == stored {
		_, err := io.Copy(io.Discard, r.Body)
		return struct{}{}, err
	}
	return struct{}{}, f.receive(w, r, &file, q)
}

func (f *Files) receive(w http.ResponseWriter, r *http.Request, file *row, q part) error {
	in := &counted{r: r.Body, sum: crc32.New(crc32.MakeTable(crc32.Castagnoli))}
	err := f.Blobs.PutPart(r.Context(), file.blob(), q.n, in, q.size)
	deadline(w, time.Time{})
	f.In.Add(float64(in.n))
	if err != nil {
		return err
	}
	if in.sum.Sum32() != q.sum {
		return refusal.New(tim.ErrSVRResInvalidPartMd5, "the part does not fit its checksum: send it again")
	}
	return f.noted(r.Context(), file.id, q.n)
}

// counted measures what is read.
type counted struct {
	r   io.Reader
	sum hash.Hash32
	n   int64
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.sum.Write(b[:n])
	c.n += int64(n)
	return n, err
}

func (f *Files) serveDone(w http.ResponseWriter, r *http.Request, u who) (any, error) {
	_, err := io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, maxBegin))
	deadline(w, time.Time{})
	if err != nil {
		return nil, refusal.New(tim.ErrSVRResInvalidParameters, "this request has no body")
	}
	defer f.gates.enter(r.PathValue("id"), true)()
	file, _, err := f.own(r.Context(), u, r.PathValue("id"), 0)
	if err != nil {
		return nil, err
	}
	// A client that gives up waiting will ask again: what is done until then is not done twice.
	id, err := f.finish(context.WithoutCancel(r.Context()), &file)
	if err != nil {
		return nil, err
	}
	return protocol.FileState{ID: id, URL: f.link(r, id, cleanName(r.URL.Query().Get("name"))), Size: file.size,
		Parts: model.FileParts(file.size), Have: []int{}, Done: true}, nil
}
