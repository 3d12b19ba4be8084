package files

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/refusal"
)

// who is the user that a token was made for.
type who struct {
	app uint64
	uid int64
}

const claimSize = 3 * 8

// Token lets a user store files, and read those of his app whose URL has expired, for an hour.
func (f *Files) Token(app uint64, uid int64) protocol.FileToken {
	expire := f.Now().Add(tokenLife)
	b := binary.BigEndian.AppendUint64(nil, app)
	b = binary.BigEndian.AppendUint64(b, uint64(uid))
	b = binary.BigEndian.AppendUint64(b, uint64(expire.UnixMilli()))
	return protocol.FileToken{Token: base64.RawURLEncoding.EncodeToString(append(b, f.mac("token", b)...)),
		Expire: expire.UnixMilli(), Base: f.cfg.PublicURL}
}

// mac signs data for one purpose.
func (f *Files) mac(purpose string, data []byte) []byte {
	h := hmac.New(sha256.New, f.key)
	h.Write([]byte(purpose + "\x00"))
	h.Write(data)
	return h.Sum(nil)
}

// bearer checks the token of a request.
func (f *Files) bearer(r *http.Request) (who, error) {
	refused := refusal.New(tim.ErrFileTransAuthFailed, "a valid token is needed: ask for one with "+protocol.OpFileToken)
	text, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	b, err := base64.RawURLEncoding.DecodeString(text)
	if !ok || err != nil || len(b) != claimSize+sha256.Size || !hmac.Equal(b[claimSize:], f.mac("token", b[:claimSize])) {
		return who{}, refused
	}
	if f.Now().UnixMilli() >= int64(binary.BigEndian.Uint64(b[16:])) {
		return who{}, refused
	}
	return who{binary.BigEndian.Uint64(b), int64(binary.BigEndian.Uint64(b[8:]))}, nil
}

// link is the URL of a file as it is given to the client that asks now.
func (f *Files) link(r *http.Request, id, name string) string {
	base := f.cfg.PublicURL
	if base == "" {
		base = "http://" + r.Host
		if r.TLS != nil {
			base = "https://" + r.Host
		}
	}
	link := base + "/files/" + id
	if name != "" {
		link += "/" + url.PathEscape(name)
	}
	if f.cfg.URLLife > 0 {
		end := strconv.FormatInt(f.Now().Add(f.cfg.URLLife).Unix(), 10)
		link += "?e=" + end + "&s=" + f.signature(id, end)
	}
	return link
}

func (f *Files) signature(id, end string) string {
	return base64.RawURLEncoding.EncodeToString(f.mac("url", []byte(id+"|"+end)))
}

// signed says whether a request has the signature of a URL that has not expired.
func (f *Files) signed(r *http.Request, id string) bool {
	q := r.URL.Query()
	end, err := strconv.ParseInt(q.Get("e"), 10, 64)
	return err == nil && hmac.Equal([]byte(q.Get("s")), []byte(f.signature(id, q.Get("e")))) &&
		f.Now().Before(time.Unix(end, 0))
}
