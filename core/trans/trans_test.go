package trans

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"timbre/core/event"
	"timbre/core/transport"
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
)

// server answers everything with a code and notes what it was asked.
type server struct {
	code  int
	err   error
	asked []string
}

func (s *server) Ask(_ context.Context, op, key string, body []byte, _ time.Duration) (protocol.Answer, error) {
	s.asked = append(s.asked, op+" "+key+string(body))
	return protocol.Answer{Code: s.code}, s.err
}

// host notes what it hears.
type host struct{ events []event.Event }

func (h *host) Emit(e event.Event) { h.events = append(h.events, e) }
func (h *host) Waiting() int       { return 0 }

func rig() (*Trans, *server, *host) {
	s, h := &server{}, &host{}
	return New("alice", s, h, func() time.Duration { return time.Second }), s, h
}

func TestWhereItGoes(t *testing.T) {
	long := strings.Repeat("x", model.MaxTrans)
	for _, c := range []struct {
		typ        int
		peer, json string
		want       protocol.Trans
		code       int
	}{
		{tim.ConvC2C, "bob", `{"ext_trans_cmd":"c","ext_trans_platform":3}`, protocol.Trans{Target: protocol.Target{Peer: "bob"}, Command: "c"}, 0},
		{tim.ConvGroup, "g", `{"ext_trans_cmd":"` + long + `"}`, protocol.Trans{Target: protocol.Target{Group: "g"}, Command: long}, 0},
		{tim.ConvInvalid, "", `{"ext_trans_cmd":"c"}`, protocol.Trans{Platform: 255, Command: "c"}, 0},
		{tim.ConvInvalid, "", `{"ext_trans_cmd":"c","ext_trans_platform":4}`, protocol.Trans{Platform: 4, Command: "c"}, 0},
		{tim.ConvInvalid, "bob", `{"ext_trans_cmd":"c"}`, protocol.Trans{}, tim.ErrInvalidParameters},
		{tim.ConvC2C, "", `{"ext_trans_cmd":"c"}`, protocol.Trans{}, tim.ErrInvalidParameters},
		{tim.ConvSystem, "bob", `{"ext_trans_cmd":"c"}`, protocol.Trans{}, tim.ErrInvalidParameters},
		{tim.ConvC2C, "bob", `{"ext_trans_cmd":""}`, protocol.Trans{}, tim.ErrInvalidParameters},
		{tim.ConvC2C, "bob", `{"ext_trans_cmd":"` + long + `x"}`, protocol.Trans{}, tim.ErrInvalidParameters},
	} {
		got, bad := Parse(c.typ, c.peer, gjson.Parse(c.json))
		switch {
		case bad == nil && c.code != 0, bad != nil && bad.Code != c.code:
			t.Errorf("%d %q %.60s: %v, want code %d", c.typ, c.peer, c.json, bad, c.code)
		case bad == nil && got != c.want:
			t.Errorf("%d %q: %+v, want %+v", c.typ, c.peer, got, c.want)
		}
	}
}

func TestSend(t *testing.T) {
	tr, s, _ := rig()
	for _, c := range []struct {
		code int
		err  error
		want int
	}{
		{0, nil, 0},
		{tim.ErrSVRGroupPermissionDeny, nil, tim.ErrSVRGroupPermissionDeny},
		{protocol.CodeBusy, nil, tim.ErrSDKNetWaitAckTimeout},
		{protocol.CodeOp, nil, tim.ErrSDKInterfaceNotSupport},
		{0, &transport.Error{Code: tim.ErrSDKNetDisconnect}, tim.ErrSDKNetDisconnect},
	} {
		s.code, s.err = c.code, c.err
		got, calls := 0, 0
		tr.Send(protocol.Trans{Target: protocol.Target{Peer: "bob"}, Command: "c"}, func(code int, _, _ string) { got, calls = code, calls+1 })
		if got != c.want || calls != 1 {
			t.Errorf("%d, %v: code %d in %d calls, want %d", c.code, c.err, got, calls, c.want)
		}
	}
	if s.asked[0] != `trans.send {"peer":"bob","cmd":"c"}` {
		t.Errorf("asked %s", s.asked[0])
	}
}

func TestWhatArrives(t *testing.T) {
	tr, _, h := rig()
	for _, what := range []protocol.Trans{
		{Target: protocol.Target{Peer: "alice"}, From: "bob", Command: "one", Time: 7},
		{Target: protocol.Target{Group: "g"}, From: "bob", Command: "two", Time: 8},
		{Platform: 4, From: "alice", Command: "three", Time: 9},
	} {
		tr.Pushed(protocol.Marshal(what))
	}
	tr.Pushed([]byte(`not JSON`))
	want := [][]any{{"bob", 3.0, "bob", 1.0, "one", false, 7.0, nil}, {"bob", 4.0, "g", 2.0, "two", false, 8.0, nil},
		{"alice", 5.0, "", 0.0, "three", true, 9.0, 4.0}}
	if len(h.events) != len(want) {
		t.Fatalf("%d events, want %d", len(h.events), len(want))
	}
	ids := map[string]bool{}
	for i, e := range h.events {
		o := gjson.Get(e.Args[0].Text, "0")
		ids[o.Get(tim.KeyExtEventId).String()] = true
		for j, key := range []string{tim.KeyExtEventFrom, tim.KeyExtTransKind, tim.KeyExtEventConvId, tim.KeyExtEventConvType,
			tim.KeyExtTransCmd, tim.KeyExtEventIsSelfDevice, tim.KeyExtEventTimeMs, tim.KeyExtTransPlatform} {
			if got := o.Get(key).Value(); got != want[i][j] {
				t.Errorf("event %d: %s is %v, want %v", i, key, got, want[i][j])
			}
		}
		if e.Setter != tim.OpTIMExtSetEventCallback || o.Get(tim.KeyExtEventType).Int() != tim.ExtEventTrans || e.Args[1].Num != 0 {
			t.Errorf("event %d: %+v", i, e)
		}
	}
	if len(ids) != len(want) {
		t.Errorf("%d ids for %d events", len(ids), len(want))
	}
}
