package server_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/tidwall/gjson"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
)

// pushed is an entry with the log in which it stands.
type pushed struct {
	protocol.Entry
	log string // the group, "" for the user's own
	pos uint64
}

// heard waits for n entries of any log.
func (c *client) heard(n int) (list []pushed) {
	c.t.Helper()
	for len(list) < n {
		list = append(list, entriesOf(c.push(protocol.PushLog))...)
	}
	return list
}

func entriesOf(p protocol.Push) (list []pushed) {
	l := protocol.ParseLog(p.Body)
	for i, e := range l.Entries {
		list = append(list, pushed{e, l.Group, l.From + uint64(i)})
	}
	return list
}

// aside is what is told beside what a group says and what its members are.
func aside(e pushed) bool {
	return e.Kind == protocol.EntryMembers || e.Kind == protocol.EntryGroupInfo || e.Kind == protocol.EntryReport
}

// logged waits for n entries of any log that are not aside, and for what came with them.
func (c *client) logged(n int) (list []pushed) {
	c.t.Helper()
	for len(list) < n {
		list = append(list, slices.DeleteFunc(entriesOf(c.push(protocol.PushLog)), aside)...)
	}
	return list
}

// quiet makes sure that nothing was pushed but what is aside: what was committed before a question is pushed before its answer.
func (c *client) quiet() {
	c.t.Helper()
	ask[protocol.Pong](c, protocol.OpPing, "", nil)
	for {
		select {
		case p := <-c.pushes:
			if p.Kind != protocol.PushLog || slices.ContainsFunc(entriesOf(p), func(e pushed) bool { return !aside(e) }) {
				c.t.Fatalf("unexpected push %s %s", p.Kind, p.Body)
			}
		default:
			return
		}
	}
}

// reportOf returns a report.
func reportOf(t *testing.T, e pushed) (r protocol.Report) {
	t.Helper()
	if e.Kind != protocol.EntryReport || e.log != "" {
		t.Fatalf("%s in the log %q is no report", e.Kind, e.log)
	}
	if err := json.Unmarshal(e.Data, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// membersOf returns who is how in a group now.
func membersOf(t *testing.T, e pushed) (m protocol.MembersChange) {
	t.Helper()
	if e.Kind != protocol.EntryMembers || e.log == "" {
		t.Fatalf("%s in the log %q does not tell of members", e.Kind, e.log)
	}
	if err := json.Unmarshal(e.Data, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func (c *client) code(op, key string, body any) int {
	c.t.Helper()
	return c.call(op, key, protocol.Marshal(body)).Code
}

func (c *client) create(g protocol.CreateGroup) string {
	c.t.Helper()
	return ask[protocol.CreatedGroup](c, protocol.OpGroupCreate, fmt.Sprintf("create-%s-%d", g.ID, g.Type), g).ID
}

func (c *client) post(group, key, text string) protocol.Sent {
	c.t.Helper()
	return c.sent(c.start(protocol.OpSend, key, protocol.AppendSend(nil, group, true, textContent(text))))
}

func (c *client) postCode(group, key, text string) int {
	c.t.Helper()
	return c.call(protocol.OpSend, key, protocol.AppendSend(nil, group, true, textContent(text))).Code
}

func (c *client) history(group string) protocol.Ranged {
	c.t.Helper()
	return ask[protocol.Ranged](c, protocol.OpRange, "", protocol.Range{Target: protocol.Target{Group: group}, Limit: 100})
}

func membershipOf(t *testing.T, e pushed) (m protocol.Membership) {
	t.Helper()
	if e.Kind != protocol.EntryGroup || e.log != "" {
		t.Fatalf("%s in the log %q is no membership", e.Kind, e.log)
	}
	if err := json.Unmarshal(e.Data, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// tipOf returns the element of a tip.
func tipOf(t *testing.T, e pushed) gjson.Result {
	t.Helper()
	el := gjson.GetBytes(e.Message.Content, "el.0")
	if e.Kind != protocol.EntryMessage || e.log == "" || e.Message.From != model.SystemSender || el.Get("elem_type").Int() != tim.ElemGroupTips {
		t.Fatalf("not a tip: %s from %q: %s", e.Kind, e.Message.From, e.Message.Content)
	}
	if el.Get(tim.KeyGroupTipsElemGroupId).String() != e.Message.Group {
		t.Fatalf("a tip of %s in %s", el.Get(tim.KeyGroupTipsElemGroupId), e.Message.Group)
	}
	return el
}

func texts(v gjson.Result) (list []string) {
	for _, x := range v.Array() {
		list = append(list, x.String())
	}
	return list
}

func number(n int) *int { return &n }

var anyone = number(tim.GroupAddOptAny)
