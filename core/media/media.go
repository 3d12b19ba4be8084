// Package media carries files to the server and back and makes the smaller versions of images; docs/files.md describes
// the addresses that it uses.
//
// A file is read once for its checksums and then sent in parts, several at a time. What the server has is asked before
// and after every cut, so nothing is kept here and an upload continues after a restart of either side. A download grows
// in a part file beside its target and takes the target's place when it is complete and fits its checksum.
//
// Cuts are repeated with growing pauses until the context ends; who calls decides how long that is. Every error is a
// *transport.Error with a public code.
//
// Rejected: files as lines of the WebSocket (they would delay messages and cost base64), hashing while sending (the
// server could not say before the first byte that it has the file), a table of uploads (the server knows better).
package media

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"timbre/core/transport"
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
)

// Asker asks the server over its WebSocket. *transport.Link is one.
type Asker interface {
	Ask(ctx context.Context, op, key string, body []byte, timeout time.Duration) (protocol.Answer, error)
}

// Config says how the server is reached.
type Config struct {
	Base   func() string       // http(s)://host:port of the server; see Base
	Ask    Asker               // for the token
	Client func() *http.Client // asked before every request; see NewClient
	Folder string              // for derived images; "": the system's folder for temporary files
	Log    *slog.Logger
}

// Files is the up- and downloads of one account. All methods may be called from any goroutine.
type Files struct {
	cfg     Config
	targets targets
	running running

	mu    sync.Mutex
	leave leave
}

// New returns the up- and downloads of an account.
func New(cfg Config) *Files {
	return &Files{cfg: cfg, targets: targets{busy: map[string]chan struct{}{}}}
}

// Local is a file to be sent.
type Local struct {
	Path string
	Name string // for the end of the URL; "": none
	Kind model.FileKind
	// Holds is the ids of files that are named in this one; the server keeps them for as long as it is used.
	Holds []string
}

// Stored is a file that the server has.
type Stored struct {
	ID     string
	URL    string
	Size   int64
	SHA256 string // 64 hexadecimal digits
	CRC32  uint32 // IEEE
}

// Remote is a file to be fetched: by id from this account's server, or else by URL.
type Remote struct {
	ID   string
	URL  string
	Size int64 // 0 when it is not known
}

// Progress is told how far a transfer is. It is called by one goroutine at a time, never goes back, and must not block
// for long. Total is 0 while nobody knows it.
type Progress func(done, total int64)

// Base turns the address of the WebSocket into the one of the files: ws://host:port/ws into http://host:port.
func Base(ws string) string {
	rest, secure := strings.CutPrefix(ws, "wss://")
	scheme := "https://"
	if !secure {
		rest, scheme = strings.TrimPrefix(ws, "ws://"), "http://"
	}
	host, _, _ := strings.Cut(rest, "?")
	host, _, _ = strings.Cut(host, "/")
	return scheme + host
}

func failed(code int, text string) error { return &transport.Error{Code: code, Text: text} }

// Check says whether a file may be sent as this kind: 7004 it is missing, 7005 too large, 7006 empty, 7007 not a file or
// not to be opened. It returns the size.
func Check(path string, kind model.FileKind) (int64, error) {
	file, size, err := open(path, kind)
	if err == nil {
		file.Close()
	}
	return size, err
}

func open(path string, kind model.FileKind) (*os.File, int64, error) {
	info, err := os.Stat(path) // before it is opened: that may block for what is no file
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, 0, failed(tim.ErrSDKCommFileNotFound, "the file does not exist: "+path)
	case err != nil:
		return nil, 0, failed(tim.ErrSDKCommFileOpenFailed, err.Error())
	case !info.Mode().IsRegular():
		return nil, 0, failed(tim.ErrSDKCommFileOpenFailed, "this is no file: "+path)
	case info.Size() == 0:
		return nil, 0, failed(tim.ErrSDKCommFileSizeEmpty, "the file is empty: "+path)
	case info.Size() > kind.Max():
		return nil, 0, failed(tim.ErrSDKCommFileTooLarge, "the file is too large: "+path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, 0, failed(tim.ErrSDKCommFileOpenFailed, err.Error())
	}
	return file, info.Size(), nil
}
