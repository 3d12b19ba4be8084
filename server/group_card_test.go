package server_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"timbre/model/tim"
	"timbre/protocol"
)

// carded is a client that claims a name card.
func carded(key string) []byte {
	return fmt.Appendf(nil, `{"id":"1-2-3","ct":1,"r":3,"p":1,"el":[{"elem_type":0,"text_elem_content":"x"}],%s:"forged"}`, key)
}

func (c *client) setCard(group, key, card string) {
	c.t.Helper()
	ask[struct{}](c, protocol.OpGroupSetMember, key, protocol.SetMember{Group: group, User: "member", Card: &card})
}

// said returns the content of a group's message.
func (c *client) said(group string, seq uint64) gjson.Result {
	c.t.Helper()
	got := ask[protocol.Got](c, protocol.OpGet, "", protocol.Get{Target: groupConv(group), Seqs: []uint64{seq}})
	if len(got.Msgs) != 1 {
		c.t.Fatalf("%d messages with the number %d", len(got.Msgs), seq)
	}
	return gjson.GetBytes(got.Msgs[0], "m")
}

// A message has the card of its sender from the moment when it was sent, wherever it comes from and whatever becomes of it.
func TestNameCard(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	group, who := trio(t, s, tim.GroupPublic)
	member, admin := who["member"], who["admin"]
	const card = `the "boss" 老板`
	before := member.post(group, "before", "none")
	if want := textContent("none"); before.Card != "" || admin.said(group, before.Seq).Raw != string(want) {
		t.Errorf("without a card: %+v, %s", before, admin.said(group, before.Seq))
	}
	member.setCard(group, "one", card)
	admin.drop()
	first := member.post(group, "m", "x")
	if pushed := admin.logged(1)[0].Message.Content; first.Card != card || gjson.GetBytes(pushed, protocol.ContentCard).String() != card {
		t.Errorf("the answer has %q, the others get %s", first.Card, pushed)
	}
	ask[protocol.Edited](member, protocol.OpEdit, "e", protocol.Edit{Target: groupConv(group), Seq: first.Seq, Content: textContent("edited")})
	member.setCard(group, "two", "another")
	if again := member.post(group, "m", "x"); again != first {
		t.Errorf("%+v, and again %+v", first, again)
	}
	if later := member.post(group, "later", "x"); later.Card != "another" {
		t.Errorf("the new card is %q", later.Card)
	}
	if got := admin.said(group, first.Seq); got.Get(protocol.ContentCard).String() != card || !strings.Contains(got.Raw, "edited") {
		t.Errorf("edited: %s", got)
	}
	ask[protocol.Edited](member, protocol.OpRevoke, "r", protocol.Revoke{Target: groupConv(group), Seq: first.Seq})
	if got := admin.said(group, first.Seq); got.Get(protocol.ContentCard).String() != card {
		t.Errorf("revoked: %s", got)
	}
	if other := admin.post(group, "other", "x"); other.Card != "" {
		t.Errorf("the card of another member is %q", other.Card)
	}
}

// What is not kept shows the card too.
func TestNameCardOnline(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	group, who := trio(t, s, tim.GroupPublic)
	who["member"].setCard(group, "c", "boss")
	content := extended(`"` + tim.KeyMsgIsOnlineMsg + `":true`)
	sent := who["member"].sent(who["member"].start(protocol.OpSend, "m", protocol.AppendSend(nil, group, true, content)))
	if got := who["admin"].next(protocol.PushMessage).Body; sent.Card != "boss" || gjson.GetBytes(got, "m.card").String() != "boss" {
		t.Errorf("the answer has %q, the others get %s", sent.Card, got)
	}
}

func TestForgedNameCard(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	group, who := trio(t, s, tim.GroupPublic)
	member := who["member"]
	sent := member.post(group, "m", "mine")
	forge := func(with string) {
		t.Helper()
		for i, key := range []string{`"card"`, `"\u0063ard"`} {
			at := fmt.Sprint(with, i)
			for to, inGroup := range map[string]bool{group: true, "admin": false} {
				if got := member.call(protocol.OpSend, at+to, protocol.AppendSend(nil, to, inGroup, carded(key))).Code; got != tim.ErrSVRMsgInvalidJSONBodyFormat {
					t.Errorf("%s, to %s: code %d", key, to, got)
				}
			}
			edit := protocol.Edit{Target: groupConv(group), Seq: sent.Seq, Content: carded(key)}
			if got := member.code(protocol.OpEdit, "e"+at, edit); got != tim.ErrSVRMsgInvalidJSONBodyFormat {
				t.Errorf("%s in an edit: code %d", key, got)
			}
		}
	}
	forge("without")
	member.setCard(group, "c", "boss")
	forge("with")
	if h := who["admin"].history(group); len(h.Msgs) != 2 || bytes.Contains(protocol.Marshal(h), []byte("forged")) {
		t.Errorf("the history is %s", protocol.Marshal(h))
	}
}
