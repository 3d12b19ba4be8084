// Package usersig makes and checks UserSigs (TLSSigAPIv2), the tickets with which a user logs in. The algorithm is
// public, so every existing generator works with Timbre: a JSON object with the claims and an HMAC-SHA256 over them,
// deflated by zlib and written in base64 with '*', '-' and '_' for '+', '/' and '='.
package usersig

import (
	"bytes"
	"compress/zlib"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// maxTicket bounds the inflated text, so that a small ticket cannot fill the memory.
const maxTicket = 64 << 10

// Ticket is the content of a UserSig.
type Ticket struct {
	User    string
	App     uint64
	Issued  time.Time
	Expires time.Time
	buffer  string // user buffer in base64, signed when present
	sig     string
}

var (
	// ErrEmpty says that there is no ticket at all.
	ErrEmpty = errors.New("the UserSig is empty")
	// ErrDamaged says that the ticket cannot be unpacked.
	ErrDamaged = errors.New("the UserSig cannot be read")
)

type claims struct {
	Version string          `json:"TLS.ver"`
	User    string          `json:"TLS.identifier"`
	App     json.RawMessage `json:"TLS.sdkappid"`
	Expire  json.RawMessage `json:"TLS.expire"`
	Time    json.RawMessage `json:"TLS.time"`
	Buffer  string          `json:"TLS.userbuf,omitempty"`
	Sig     string          `json:"TLS.sig"`
}

// Make returns a ticket for user, valid from now for the given time.
func Make(app uint64, secret, user string, now time.Time, valid time.Duration) string {
	t := Ticket{User: user, App: app, Issued: now, Expires: now.Add(valid)}
	num := func(n int64) json.RawMessage { return strconv.AppendInt(nil, n, 10) }
	text, _ := json.Marshal(claims{ // strings and numbers always encode
		Version: "2.0", User: user, App: num(int64(app)), Expire: num(int64(valid / time.Second)), Time: num(now.Unix()),
		Sig: t.sign(secret),
	})
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	_, _ = z.Write(text) // a bytes.Buffer does not fail
	_ = z.Close()
	return strings.NewReplacer("+", "*", "/", "-", "=", "_").Replace(base64.StdEncoding.EncodeToString(packed.Bytes()))
}

// Parse unpacks a ticket without checking its signature: ErrEmpty, ErrDamaged or the content.
func Parse(ticket string) (Ticket, error) {
	if ticket == "" {
		return Ticket{}, ErrEmpty
	}
	packed, err := base64.StdEncoding.DecodeString(strings.NewReplacer("*", "+", "-", "/", "_", "=").Replace(ticket))
	if err != nil {
		return Ticket{}, ErrDamaged
	}
	z, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		return Ticket{}, ErrDamaged
	}
	text, err := io.ReadAll(io.LimitReader(z, maxTicket))
	if err != nil {
		return Ticket{}, ErrDamaged
	}
	var c claims
	if json.Unmarshal(text, &c) != nil {
		return Ticket{}, ErrDamaged
	}
	app, e1 := number(c.App)
	issued, e2 := number(c.Time)
	valid, e3 := number(c.Expire)
	if errors.Join(e1, e2, e3) != nil || c.Sig == "" {
		return Ticket{}, ErrDamaged
	}
	return Ticket{User: c.User, App: uint64(app), Issued: time.Unix(issued, 0),
		Expires: time.Unix(issued+valid, 0), buffer: c.Buffer, sig: c.Sig}, nil
}

// number accepts 5 and "5": generators differ.
func number(raw json.RawMessage) (int64, error) {
	return strconv.ParseInt(strings.Trim(string(raw), `"`), 10, 64)
}

// Signed says whether secret made this ticket.
func (t Ticket) Signed(secret string) bool {
	return hmac.Equal([]byte(t.sign(secret)), []byte(t.sig))
}

// Expired says whether the ticket has run out.
func (t Ticket) Expired(now time.Time) bool { return !now.Before(t.Expires) }

func (t Ticket) sign(secret string) string {
	text := fmt.Sprintf("TLS.identifier:%s\nTLS.sdkappid:%d\nTLS.time:%d\nTLS.expire:%d\n",
		t.User, t.App, t.Issued.Unix(), t.Expires.Unix()-t.Issued.Unix())
	if t.buffer != "" {
		text += "TLS.userbuf:" + t.buffer + "\n"
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
