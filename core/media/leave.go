package media

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"timbre/core/transport"
	"timbre/model/tim"
	"timbre/protocol"
)

const (
	askTime   = 30 * time.Second
	leaveLife = 30 * time.Minute // then a new one is asked for; the server's clock may be another one
)

// leave is the server's word that this account may use the file addresses, and where they are.
type leave struct {
	token string
	base  string
	since time.Time
}

// Forget drops the token, for another user's session.
func (f *Files) Forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.leave = leave{}
}

// permit returns a token that was not refused yet.
func (f *Files) permit(ctx context.Context) (leave, error) {
	f.mu.Lock()
	l := f.leave
	f.mu.Unlock()
	if l.token != "" && time.Since(l.since) < leaveLife {
		return l, nil
	}
	a, err := f.cfg.Ask.Ask(ctx, protocol.OpFileToken, "", nil, askTime)
	if err != nil {
		return l, err
	}
	if a.Code != 0 {
		return l, answered(a.Code, a.Desc)
	}
	var t protocol.FileToken
	if err := json.Unmarshal(a.Body, &t); err != nil || t.Token == "" {
		return l, failed(tim.ErrParseResponseFailed, "the server's answer cannot be read")
	}
	l = leave{token: t.Token, base: strings.TrimRight(t.Base, "/"), since: time.Now()}
	if l.base == "" {
		l.base = f.cfg.Base()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.leave = l
	return l, nil
}

// answered makes an error of a refused token.
func answered(code int, desc string) error {
	switch code {
	case protocol.CodeBusy, protocol.CodeInside:
		return &refusal{status: http.StatusServiceUnavailable, code: tim.ErrFileTransAuthFailed, desc: desc}
	case protocol.CodeOp:
		return failed(tim.ErrFileTransNoServer, "this server keeps no files")
	}
	return &transport.Error{Code: code, Text: desc}
}

// refused forgets a token that the server does not take any more.
func (f *Files) refused(token string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.leave.token == token {
		f.leave = leave{}
	}
}
