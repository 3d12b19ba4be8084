package media

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"sync"
	"time"

	"timbre/model/tim"
	"timbre/protocol"
)

const (
	connectTime = 10 * time.Second
	stallTime   = time.Minute     // a transfer that has not moved for so long is cut
	answerTime  = 2 * time.Minute // for an answer when everything was sent
	maxAnswer   = 64 << 10        // bytes of an answer that is no file
	idleConns   = 4
)

// NewClient returns what Config.Client wants: clients that use a proxy, asked before every request (nil: none), and root
// certificates from a file, asked likewise ("": the system's). The client is made anew when the file's name changes; a
// file that cannot be read shows as an error of the request.
func NewClient(proxy func() (*url.URL, error), roots func() string) func() *http.Client {
	var mu sync.Mutex
	var client *http.Client
	var file string
	return func() *http.Client {
		mu.Lock()
		defer mu.Unlock()
		if now := roots(); client == nil || now != file {
			if client != nil {
				client.CloseIdleConnections()
			}
			client, file = newClient(proxy, now), now
		}
		return client
	}
}

func newClient(proxy func() (*url.URL, error), roots string) *http.Client {
	t := &http.Transport{
		Proxy:               func(*http.Request) (*url.URL, error) { return proxy() },
		DialContext:         (&net.Dialer{Timeout: connectTime, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout: connectTime, IdleConnTimeout: 30 * time.Second, MaxIdleConnsPerHost: idleConns,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
	}
	if roots == "" {
		return &http.Client{Transport: t}
	}
	pem, err := os.ReadFile(roots)
	t.TLSClientConfig.RootCAs = x509.NewCertPool()
	if err == nil && !t.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem) {
		err = fmt.Errorf("there is no certificate in %s", roots)
	}
	if err != nil {
		return &http.Client{Transport: broken{err}}
	}
	return &http.Client{Transport: t}
}

// broken is a transport that cannot be used.
type broken struct{ err error }

func (b broken) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, failed(tim.ErrHTTPReqFailed, "TIM_SERVER_CA: "+b.err.Error())
}

// refusal is an answer that is no success.
type refusal struct {
	status int
	code   int // 0 when the answer has none
	desc   string
}

func (r *refusal) Error() string {
	return fmt.Sprintf("the server refused with status %d, code %d: %s", r.status, r.code, r.desc)
}

// refusalOf reads the answer, as far as there is one.
func refusalOf(a *http.Response) error {
	r := &refusal{status: a.StatusCode, desc: a.Status}
	var no protocol.FileRefusal
	text, err := io.ReadAll(io.LimitReader(a.Body, maxAnswer))
	if err == nil && json.Unmarshal(text, &no) == nil && no.Code != 0 {
		r.code, r.desc = no.Code, no.Desc
	}
	return r
}

var errStalled = errors.New("the transfer has not moved for too long")

// watch cuts a transfer that does not move.
type watch struct {
	timer *time.Timer
	end   context.CancelCauseFunc
}

func newWatch(ctx context.Context) (context.Context, *watch) {
	ctx, end := context.WithCancelCause(ctx)
	return ctx, &watch{timer: time.AfterFunc(stallTime, func() { end(errStalled) }), end: end}
}

func (w *watch) moved()   { w.timer.Reset(stallTime) }
func (w *watch) waiting() { w.timer.Reset(answerTime) }

func (w *watch) stop() {
	w.timer.Stop()
	w.end(nil)
}
