package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/gorilla/websocket"
	"github.com/tidwall/gjson"

	"timbre/core/guard"
	"timbre/protocol"
)

// try is a dial under way.
type try struct {
	cancel context.CancelFunc
	again  bool // it shall begin once more, because the way has changed
}

// dial makes a connection that the server has answered over.
func (l *Link) dial(ctx context.Context) (*connection, error) {
	for {
		trying, cancel := context.WithTimeout(ctx, dialTimeout)
		t := &try{cancel: cancel}
		l.setTry(t)
		var conn *connection
		var err error = lost("the library failed inside")
		guard.Run(l.cfg.Log, "dialing", func() { conn, err = l.connect(trying) })
		cancel()
		if l.setTry(nil); !t.again || ctx.Err() != nil {
			return conn, err
		}
		if conn != nil {
			conn.end(nil)
		}
	}
}

func (l *Link) setTry(t *try) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dialing = t
}

// connect goes all the way once. The dialer looks at its context only until the network connection stands; a server that
// then says nothing must not hold up Stop, so the context closes what was opened.
func (l *Link) connect(trying context.Context) (*connection, error) {
	d := dialing{target: l.cfg.URL(), proxy: l.proxy(), step: stepConnect}
	settings, err := tlsFor(d.target, l.rootsFile())
	if err != nil {
		return nil, err
	}
	ws, resp, err := l.dialer(trying, &d, settings).DialContext(trying, d.target, nil)
	defer func() {
		for _, keep := range d.release {
			keep()
		}
	}()
	if err != nil {
		return nil, d.explain(trying, err, resp)
	}
	d.step = stepGreeting
	if err := greet(ws); err != nil {
		ws.Close()
		return nil, d.explain(trying, err, nil)
	}
	conn := newConnection(ws, &l.meter.out)
	conn.proxy = d.proxy
	return conn, nil
}

func (l *Link) dialer(trying context.Context, d *dialing, settings *tls.Config) *websocket.Dialer {
	connect := l.cfg.Dial
	if connect == nil {
		connect = (&net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}).DialContext
	}
	open := func(ctx context.Context, network, address string) (net.Conn, error) {
		nc, err := connect(ctx, network, address)
		if err == nil {
			d.step = stepHandshake
			d.release = append(d.release, context.AfterFunc(trying, func() { nc.Close() }))
		}
		return nc, err
	}
	return &websocket.Dialer{HandshakeTimeout: dialTimeout, ReadBufferSize: 16 << 10, WriteBufferSize: 16 << 10,
		TLSClientConfig: settings, NetDialContext: open,
		Proxy: func(*http.Request) (*url.URL, error) { return l.cfg.Proxy() }}
}

func (l *Link) rootsFile() string {
	if l.cfg.Roots == nil {
		return ""
	}
	return l.cfg.Roots()
}

// greet asks the question that only the server knows the answer to.
func greet(ws *websocket.Conn) error {
	ws.SetReadLimit(protocol.MaxLine * 4)
	if err := ws.WriteMessage(websocket.TextMessage, ping.Append(nil)); err != nil {
		return err
	}
	_, frame, err := ws.ReadMessage()
	if err != nil {
		return err
	}
	known := false
	protocol.Lines(frame, func(line []byte) bool {
		answer, push, ok := protocol.ParseServerLine(line)
		known = ok && push == nil && gjson.GetBytes(answer.Body, "time").Exists() // what merely sends back has none
		return false
	})
	if !known {
		return errStranger
	}
	return nil
}

// tlsFor returns the TLS settings for a wss:// address: the system's roots, or those in a file.
func tlsFor(target, file string) (*tls.Config, error) {
	if !strings.HasPrefix(target, "wss:") {
		return nil, nil
	}
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if file == "" {
		return cfg, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, lost(fmt.Sprintf("TIM_SERVER_CA: %v", err))
	}
	cfg.RootCAs = x509.NewCertPool()
	if !cfg.RootCAs.AppendCertsFromPEM(pem) {
		return nil, lost("TIM_SERVER_CA: no certificate in " + file)
	}
	return cfg, nil
}
