package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"unicode"

	"github.com/gorilla/websocket"

	"timbre/model/tim"
)

// Steps of a dial; what the time ran out in says what is wrong.
const (
	stepConnect   = "cannot be reached: no connection within 10 s"
	stepHandshake = "accepted the connection and then said nothing for 10 s"
	stepGreeting  = "speaks WebSocket but does not answer: this is no Timbre server"
)

// errStranger says that the other side answers in another language.
var errStranger = errors.New("answers in another protocol: this is no Timbre server")

// dialing is what is known of a dial when it fails.
type dialing struct {
	target  string
	proxy   string
	step    string
	release []func() bool // takes the context's hands off the connections
}

func lost(text string) *Error { return &Error{Code: tim.ErrSDKNetDisconnect, Text: text} }

// explain says why a dial failed, in words for whoever runs the program: what answered is often not the server at all but
// the sign-in page of a hotel's network.
func (d *dialing) explain(trying context.Context, err error, resp *http.Response) *Error {
	var dns *net.DNSError
	var header tls.RecordHeaderError
	var certificate *tls.CertificateVerificationError
	var slow net.Error
	switch {
	case resp != nil && errors.Is(err, websocket.ErrBadHandshake):
		return lost(d.server() + answered(resp))
	case errors.Is(err, errStranger):
		return lost(d.server() + err.Error())
	case errors.As(err, &certificate):
		return lost(d.server() + "has a certificate that is not trusted: " + certificate.Err.Error())
	case errors.As(err, &header):
		return lost(d.server() + "does not speak TLS: is ws:// meant, or another port?")
	case strings.Contains(err.Error(), `malformed HTTP response "\x15\x03`): // the alert of a TLS server
		return lost(d.server() + "wants TLS: use wss://")
	case trying.Err() != nil, errors.As(err, &slow) && slow.Timeout():
		return &Error{Code: tim.ErrSDKNetConnTimeout, Text: d.server() + d.step}
	case errors.As(err, &dns):
		return &Error{Code: tim.ErrSDKNetHostGetaddrinfoFailed, Text: d.server() + "is not known by that name: " + dns.Err}
	case errors.Is(err, errnoRefused):
		return &Error{Code: tim.ErrSDKNetConnRefuse, Text: d.server() + "refuses connections"}
	case errors.Is(err, errnoNetUnreachable), errors.Is(err, errnoHostUnreachable):
		return &Error{Code: tim.ErrSDKNetNetUnreach, Text: d.server() + "cannot be reached: no route"}
	case errors.Is(err, errnoReset), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), closedEarly(err):
		return &Error{Code: tim.ErrSDKNetResetByPeer, Text: d.server() + "closed the connection at once"}
	}
	return lost(d.server() + "cannot be used: " + plain(err.Error()))
}

func closedEarly(err error) bool {
	var bye *websocket.CloseError
	return errors.As(err, &bye)
}

// server names the other side.
func (d *dialing) server() string {
	name := d.target
	if u, err := url.Parse(d.target); err == nil {
		name = u.Redacted()
	}
	if u, err := url.Parse(d.proxy); err == nil && d.proxy != "" {
		name += " (through the proxy " + u.Host + ")"
	}
	return plain(name) + " "
}

// answered tells of an answer that is no WebSocket.
func answered(resp *http.Response) string {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 1024)) // the dialer has put its beginning there
	resp.Body.Close()
	switch to := resp.Header.Get("Location"); {
	case strings.Contains(string(body), "to an HTTPS server"):
		return "wants TLS: use wss://"
	case to != "":
		return fmt.Sprintf("answered HTTP %d and leads to %s: a sign-in page of the network, or no Timbre server", resp.StatusCode, plain(to))
	case resp.StatusCode >= 500:
		return fmt.Sprintf("answered HTTP %d: the server is not available behind its proxy", resp.StatusCode)
	}
	return fmt.Sprintf("answered HTTP %d instead of a WebSocket: a sign-in page of the network, or no Timbre server", resp.StatusCode)
}

// plain makes a stranger's text fit for a log.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '.'
		}
		return r
	}, s)
	return fmt.Sprintf("%.200s", s)
}

// ended says why a connection ended that nobody here closed.
func ended(err error) *Error {
	var bye *websocket.CloseError
	switch {
	case errors.As(err, &bye) && bye.Code == websocket.CloseGoingAway:
		return lost("the server closed the connection")
	case errors.Is(err, errnoReset):
		return lost("the connection was reset")
	}
	return lost("connection lost")
}
