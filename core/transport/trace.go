package transport

import (
	"context"
	"log/slog"
	"strconv"
	"time"

	"timbre/model/tim"
	"timbre/protocol"
)

// slowRequest is from when on a request that succeeded is worth a line in the log.
const slowRequest = 2 * time.Second

// levelTrace is for what happens once a message: below debug, which hosts of this interface have on by default.
const levelTrace = slog.LevelDebug - 4

// Named says what the server calls the session of the present connection. Requests that are written from now on carry it
// in the log: request=<session>-<id> there is the same request in the log of the server.
func (l *Link) Named(session string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn != nil {
		l.conn.session = session
	}
}

// name is what a request is called in both logs. One that was never written, and a login, have no session yet.
func (r *request) name() string {
	id := strconv.FormatUint(r.id, 10)
	if r.session == "" {
		return id
	}
	return r.session + "-" + id
}

// cutOff says that a request ended with its session: there may be thousands of them, and the log has that end.
func cutOff(code int) bool { return code == tim.ErrSDKNotLoggedIn || code == tim.ErrSDKCommInterrupt }

// trace writes the end of a request into the log.
func (l *Link) trace(r *request, a protocol.Answer, err error) {
	took := time.Since(r.made)
	level, text := levelTrace, "request"
	switch {
	case err != nil && cutOff(AsError(err).Code):
		text = "request failed"
	case err != nil:
		level, text = slog.LevelInfo, "request failed"
	case a.Code == protocol.CodeBusy: // many at a time, and all are made again
	case a.Code != 0:
		level, text = slog.LevelInfo, "request refused"
	case took > slowRequest:
		level, text = slog.LevelWarn, "slow request"
	}
	if !l.cfg.Log.Enabled(context.Background(), level) {
		return
	}
	attrs := []slog.Attr{slog.String("request", r.name()), slog.String("op", r.op), slog.Duration("took", took.Round(time.Microsecond))}
	if err != nil {
		attrs = append(attrs, slog.Int("code", AsError(err).Code), slog.Any("err", err))
	} else if a.Code != 0 {
		attrs = append(attrs, slog.Int("code", a.Code), slog.String("desc", a.Desc))
	}
	l.cfg.Log.LogAttrs(context.Background(), level, text, attrs...)
}
