package operator_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"timbre/model/tim"
	"timbre/model/usersig"
	"timbre/protocol"
	"timbre/server/account"
	"timbre/server/operator"
)

const app, secret = 1400000001, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

type rooms struct{ said []protocol.Message }

func (r *rooms) Broadcast(of uint64, m protocol.Message) int {
	if of != app {
		return 0
	}
	r.said = append(r.said, m)
	return 3
}

func ticket(user string) string { return usersig.Make(app, secret, user, time.Now(), time.Hour) }

// post asks for a broadcast.
func post(r *rooms, sig, body string) *httptest.ResponseRecorder {
	q := httptest.NewRequest(http.MethodPost, fmt.Sprintf("/admin/broadcast?app=%d", app), strings.NewReader(body))
	q.Header.Set("Authorization", "Bearer "+sig)
	w := httptest.NewRecorder()
	operator.New(account.NewTickets(account.Secrets{app: secret}), r, nil, 12<<10, time.Now).ServeHTTP(w, q)
	return w
}

const text = `{"message_elem_array":[{"elem_type":0,"text_elem_content":"hello all"}],"message_sender":"news","message_cloud_custom_str":"c","message_is_read":true}`

func TestBroadcast(t *testing.T) {
	r := &rooms{}
	w := post(r, ticket(operator.Administrator), text)
	var answer struct{ Rooms int }
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != http.StatusOK || answer.Rooms != 3 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	m := r.said[0]
	c := gjson.ParseBytes(m.Content)
	if m.From != "news" || c.Get("el.0.text_elem_content").String() != "hello all" || c.Get("id").String() == "" ||
		!c.Get("x."+tim.KeyMsgIsBroadcastMessage).Bool() || c.Get("x."+tim.KeyMsgCloudCustomStr).String() != "c" || c.Get("x.message_is_read").Exists() {
		t.Errorf("said %s: %s", m.From, m.Content)
	}
}

func TestOnlyTheOperatorIsHeard(t *testing.T) {
	r := &rooms{}
	for _, sig := range []string{"", "x", ticket("alice")} {
		if w := post(r, sig, text); w.Code != http.StatusUnauthorized {
			t.Errorf("%q: %d", sig, w.Code)
		}
	}
	if len(r.said) > 0 {
		t.Error("heard all the same")
	}
}

func TestBadBroadcasts(t *testing.T) {
	r := &rooms{}
	for _, body := range []string{"", "{", "{}", `{"message_elem_array":[]}`, `{"message_elem_array":"x"}`, `{"message_elem_array":[{"elem_type":5}]}`,
		strings.Replace(text, "news", strings.Repeat("n", 500), 1), strings.Replace(text, "hello", strings.Repeat("h", 13<<10), 1)} {
		if w := post(r, ticket(operator.Administrator), body); w.Code != http.StatusBadRequest {
			t.Errorf("%.80s: %d", body, w.Code)
		}
	}
	if w := post(r, ticket(operator.Administrator), strings.Repeat(" ", 2<<20)); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("too long: %d", w.Code)
	}
	if len(r.said) > 0 {
		t.Error("said all the same")
	}
}
