package server_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/config"
)

// find makes a search that must succeed.
func (c *client) find(s protocol.Search) protocol.Found {
	c.t.Helper()
	return ask[protocol.Found](c, protocol.OpSearch, "", s)
}

// foundTexts are the texts of the messages in a result.
func foundTexts(f protocol.Found) (list []string) {
	for _, c := range f.Convs {
		for _, m := range c.Msgs {
			list = append(list, gjson.GetBytes(m, "m.el.0.text_elem_content").String())
		}
	}
	return list
}

// shape is a result in short: every conversation with its total and the texts that came along.
func shape(f protocol.Found) (list []string) {
	for _, c := range f.Convs {
		list = append(list, fmt.Sprintf("%s%s %d %s", c.Peer, c.Group, c.Total, strings.Join(foundTexts(protocol.Found{Convs: []protocol.FoundConv{c}}), ",")))
	}
	return list
}

func words(list ...string) protocol.Search { return protocol.Search{Keywords: list} }

func with(peer string, list ...string) protocol.Search {
	return protocol.Search{Target: protocol.Target{Peer: peer}, Keywords: list}
}

func within(group string, list ...string) protocol.Search {
	return protocol.Search{Target: protocol.Target{Group: group}, Keywords: list}
}

func (c *client) finds(s protocol.Search, want ...string) {
	c.t.Helper()
	if got := foundTexts(c.find(s)); !slices.Equal(got, want) {
		c.t.Errorf("%+v found %q, want %q", s, got, want)
	}
}

func (c *client) contentSent(to, key, elements string) protocol.Sent {
	c.t.Helper()
	return c.sent(c.start(protocol.OpSend, key, protocol.AppendSend(nil, to, false, fmt.Appendf(nil, `{"id":"1-2-3","ct":1,"r":3,"p":1,"el":%s}`, elements))))
}

func TestSearchInOneConversation(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, bob, carol := s.login(t, "alice"), s.login(t, "bob"), s.login(t, "carol")
	for i, text := range []string{"今天天气很好", "买iPhone15手机", "明天也好", "nothing", "好"} {
		alice.send("bob", fmt.Sprint("k", i), text)
	}
	carol.send("bob", "c", "好")
	for _, c := range []*client{alice, bob} {
		peer := map[*client]string{alice: "bob", bob: "alice"}[c]
		c.finds(with(peer, "好"), "好", "明天也好", "今天天气很好")
		c.finds(with(peer, "天气"), "今天天气很好")
		c.finds(with(peer, "IPH"), "买iPhone15手机")
		c.finds(with(peer, "天气", "iphone"), "买iPhone15手机", "今天天气很好")
		both := with(peer, "天气", "今天")
		both.And = true
		c.finds(both, "今天天气很好")
	}
	if f := alice.find(with("bob", "好")); f.Total != 3 || f.Cursor != "" || len(f.Convs) != 1 || f.Convs[0].Total != 3 || f.Convs[0].Peer != "bob" {
		t.Errorf("found %+v", f)
	}
	for _, who := range []string{"carol", "nobody"} {
		if f := alice.find(with(who, "好")); f.Total != 0 || len(f.Convs) != 0 || f.Cursor != "" {
			t.Errorf("alice found %+v with %s", f, who)
		}
	}
}

func TestSearchEverywhere(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, bob, carol := s.login(t, "alice"), s.login(t, "bob"), s.login(t, "carol")
	alice.send("bob", "1", "hello one")
	alice.send("bob", "2", "hello two")
	carol.send("alice", "3", "hello three")
	group := alice.create(protocol.CreateGroup{Type: tim.GroupPrivate, Name: "team", Members: []protocol.NewMember{{User: "bob"}}})
	alice.post(group, "4", "hello four")
	bob.send("carol", "5", "hello five")
	alice.send("alice", "6", "hello six")
	for _, c := range []struct {
		who  *client
		want []string
	}{
		{alice, []string{"alice 1 hello six", group + " 1 hello four", "carol 1 hello three", "bob 2 "}},
		{bob, []string{"carol 1 hello five", group + " 1 hello four", "alice 2 "}},
		{carol, []string{"bob 1 hello five", "alice 1 hello three"}},
	} {
		f := c.who.find(words("hello"))
		if got := shape(f); f.Total != len(c.want) || f.Cursor != "" || !sameButTies(got, c.want) {
			t.Errorf("found %d, %q, want %q", f.Total, got, c.want)
		}
	}
	if f := alice.find(words("nowhere")); f.Total != 0 || f.Convs == nil {
		t.Errorf("found %+v", f)
	}
}

// sameButTies passes over the order: messages of one millisecond have none between conversations.
func sameButTies(got, want []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want)))
}

func TestSearchSeesWhatTheUserMaySee(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, bob, carol := s.login(t, "alice"), s.login(t, "bob"), s.login(t, "carol")
	group := alice.create(protocol.CreateGroup{Type: tim.GroupPublic, Name: "g", AddOption: anyone, Members: []protocol.NewMember{{User: "bob"}}})
	alice.post(group, "1", "secret before carol")
	directed := protocol.AppendSend(nil, group, true, []byte(
		`{"id":"1-2-3","ct":1,"r":3,"p":1,"el":[{"elem_type":0,"text_elem_content":"secret for bob"}],"x":{"message_target_group_member_array":["bob"]}}`))
	alice.sent(alice.start(protocol.OpSend, "2", directed))
	if code := carol.code(protocol.OpSearch, "", within(group, "secret")); code != tim.ErrSVRGroupPermissionDeny {
		t.Errorf("a stranger got code %d", code)
	}
	ask[struct{}](carol, protocol.OpGroupJoin, "join", protocol.OneGroup{Group: group})
	alice.post(group, "3", "secret for all")
	alice.finds(within(group, "secret"), "secret for all", "secret for bob", "secret before carol")
	bob.finds(within(group, "secret"), "secret for all", "secret for bob", "secret before carol")
	carol.finds(within(group, "secret"), "secret for all")
	alice.sent(alice.start(protocol.OpSend, "4", directedAgain(directed, "later secret")))
	carol.finds(within(group, "secret"), "secret for all")
	carol.finds(words("secret"), "secret for all")
	bob.finds(within(group, "later"), "later secret")
	carol.finds(protocol.Search{Senders: []string{"alice"}}, "secret for all")

	bob.send("carol", "5", "secret kept")
	n := bob.send("carol", "6", "secret deleted").Seq
	ask[protocol.Changed](carol, protocol.OpDelete, "del", protocol.Delete{Target: protocol.Target{Peer: "bob"}, Seqs: []uint64{n}})
	carol.finds(with("bob", "secret"), "secret kept")
	if f := carol.find(with("bob", "secret")); f.Total != 1 {
		t.Errorf("what was deleted counts: %d", f.Total)
	}
	bob.finds(with("carol", "secret"), "secret deleted", "secret kept")
	ask[protocol.Changed](carol, protocol.OpClear, "clear", protocol.Clear{Target: protocol.Target{Peer: "bob"}, Seq: n})
	carol.finds(with("bob", "secret"))
	ask[struct{}](carol, protocol.OpGroupQuit, "quit", protocol.OneGroup{Group: group})
	carol.finds(words("secret"))
}

func directedAgain(body []byte, text string) []byte {
	return []byte(strings.Replace(string(body), "secret for bob", text, 1))
}

func TestSearchFollowsChanges(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, bob := s.login(t, "alice"), s.login(t, "bob")
	group := alice.create(protocol.CreateGroup{Type: tim.GroupPrivate, Name: "g", Members: []protocol.NewMember{{User: "bob"}}})
	for _, at := range []protocol.Target{{Peer: "bob"}, {Group: group}} {
		place, send := protocol.Target{Peer: "alice"}, alice.send
		if at.Group != "" {
			place, send = at, alice.post
		}
		name := at.Peer + at.Group
		look := func(word string, want ...string) {
			t.Helper()
			bob.finds(protocol.Search{Target: place, Keywords: []string{word}}, want...)
		}
		unseen := send(name, name+"0", "early bird").Seq // changed before it is in the index
		ask[protocol.Edited](alice, protocol.OpEdit, name+"e0", protocol.Edit{Target: at, Seq: unseen, Content: textContent("late owl")})
		look("bird")
		look("owl", "late owl")
		gone := send(name, name+"1", "quick fox").Seq
		look("fox", "quick fox")
		ask[protocol.Edited](alice, protocol.OpEdit, name+"e1", protocol.Edit{Target: at, Seq: gone, Content: textContent("slow dog")})
		look("fox")
		look("dog", "slow dog")
		ask[protocol.Edited](alice, protocol.OpRevoke, name+"r1", protocol.Revoke{Target: at, Seq: gone})
		look("dog")
		bob.finds(protocol.Search{Target: place, Senders: []string{"alice"}}, "late owl")
	}
}

func TestSearchFilters(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice, bob := s.login(t, "alice"), s.login(t, "bob")
	first := alice.send("bob", "1", "report of alice")
	bob.send("alice", "2", "report of bob")
	alice.contentSent("bob", "3", `[{"elem_type":4,"file_elem_file_name":"report.pdf","file_elem_file_size":1,"file_elem_url":"http://x/1"}]`)
	last := alice.contentSent("bob", "4", `[{"elem_type":3,"custom_elem_data":"report in data","custom_elem_desc":"report described"}]`)
	count := func(s protocol.Search) int {
		t.Helper()
		all := alice.find(s)
		s.Peer = "bob"
		one := alice.find(s)
		inAll := 0
		for _, c := range all.Convs {
			inAll += c.Total
		}
		if inAll != one.Total || len(foundTexts(one)) != one.Total {
			t.Errorf("%+v: %d over all, %d in one, %d there", s, inAll, one.Total, len(foundTexts(one)))
		}
		return one.Total
	}
	for _, c := range []struct {
		s    protocol.Search
		want int
	}{
		{words("report"), 4},
		{protocol.Search{Keywords: []string{"report"}, Senders: []string{"bob"}}, 1},
		{protocol.Search{Keywords: []string{"report"}, Senders: []string{"bob", "alice"}}, 4},
		{protocol.Search{Keywords: []string{"report"}, Senders: []string{"nobody"}}, 0},
		{protocol.Search{Keywords: []string{"report"}, Types: []int{tim.ElemFile}}, 1},
		{protocol.Search{Keywords: []string{"report"}, Types: []int{tim.ElemFile, tim.ElemText}, Senders: []string{"alice"}}, 2},
		{protocol.Search{Types: []int{tim.ElemCustom}}, 1},
		{protocol.Search{Senders: []string{"alice"}}, 3},
		{protocol.Search{Senders: []string{"alice"}, Types: []int{tim.ElemText}}, 1},
		{protocol.Search{Keywords: []string{"report"}, From: first.Time, To: last.Time}, 4},
		{protocol.Search{Keywords: []string{"report"}, To: first.Time - 1}, 0},
		{protocol.Search{Keywords: []string{"report"}, From: last.Time + 1}, 0},
		{protocol.Search{Senders: []string{"alice"}, To: first.Time - 1}, 0},
		{words("data"), 0},
		{words("  ", "!?"), 0},
	} {
		if got := count(c.s); got != c.want {
			t.Errorf("%+v found %d, want %d", c.s, got, c.want)
		}
	}
}

func TestSearchRefuses(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice := s.login(t, "alice")
	for _, bad := range []protocol.Search{
		{}, words("", ""), words("1", "2", "3", "4", "5", "6"), {Senders: []string{"1", "2", "3", "4", "5", "6"}},
		{Keywords: []string{"a"}, Cursor: "x"}, {Keywords: []string{"a"}, Cursor: "1.2.3.4"}, {Keywords: []string{"a"}, Cursor: "0.0.0.0"},
	} {
		if code := alice.code(protocol.OpSearch, "", bad); code != tim.ErrInvalidParameters {
			t.Errorf("%+v: code %d", bad, code)
		}
	}
	if code := alice.code(protocol.OpSearch, "", within("@TGS#none", "a")); code != tim.ErrSVRGroupNotFound {
		t.Errorf("an unknown group: code %d", code)
	}
	off := serve(t, t.TempDir(), func(c *config.Config) { c.CloudSearch = false })
	if code := off.login(t, "alice").code(protocol.OpSearch, "", words("a")); code != model.CodeSearchUnavailable {
		t.Errorf("switched off: code %d", code)
	}
}

func TestSearchPagesOfOneConversation(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice := s.login(t, "alice")
	s.login(t, "bob")
	var want []string
	for i := range 25 {
		want = append(want, fmt.Sprintf("item %d", i))
		alice.send("bob", fmt.Sprint(i), want[i])
	}
	slices.Reverse(want)
	question := with("bob", "item")
	if f := alice.find(question); len(foundTexts(f)) != 20 || f.Cursor == "" || f.Total != 25 {
		t.Errorf("without a count %d of %d came", len(foundTexts(f)), f.Total)
	}
	question.Count = 10
	var got []string
	for page := 0; page < 5; page++ {
		f := alice.find(question)
		if f.Total != 25 {
			t.Errorf("page %d has total %d", page, f.Total)
		}
		got = append(got, foundTexts(f)...)
		if question.Cursor = f.Cursor; f.Cursor == "" {
			break
		}
		alice.send("bob", fmt.Sprint("more", page), "item that came meanwhile")
	}
	if !slices.Equal(got, want) {
		t.Errorf("the pages are %q, want %q", got, want)
	}
	question.Cursor = alice.find(question).Cursor
	question.Keywords = []string{"other"}
	if code := alice.code(protocol.OpSearch, "", question); code != tim.ErrInvalidParameters {
		t.Errorf("the cursor of another search: code %d", code)
	}
}

func TestSearchPagesOverAll(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice := s.login(t, "alice")
	for i := range 7 {
		s.login(t, fmt.Sprint("peer", i))
		alice.send(fmt.Sprint("peer", i), fmt.Sprint(i), "found it")
	}
	question := words("found")
	question.Count = 3
	seen := map[string]bool{}
	sizes := []int{}
	for {
		f := alice.find(question)
		if f.Total != 7 {
			t.Errorf("total %d", f.Total)
		}
		sizes = append(sizes, len(f.Convs))
		for _, c := range f.Convs {
			if seen[c.Peer] {
				t.Errorf("%s comes again", c.Peer)
			}
			seen[c.Peer] = true
			if c.Total != 1 {
				t.Errorf("%s has %d hits", c.Peer, c.Total)
			}
		}
		if len(sizes) == 1 { // an unseen conversation moves to the front: it must not slip through
			alice.later(&f)
			alice.send(unseen(seen), "again", "found another")
		}
		if question.Cursor = f.Cursor; f.Cursor == "" {
			break
		}
	}
	if len(seen) != 7 || !slices.Equal(sizes, []int{3, 3, 1}) {
		t.Errorf("pages of %v, %d conversations", sizes, len(seen))
	}
}

// later lets the server's clock reach another millisecond than the newest hit's.
func (c *client) later(f *protocol.Found) {
	c.t.Helper()
	newest := gjson.GetBytes(f.Convs[0].Msgs[0], "t").Int()
	for end := time.Now().Add(patience); ask[protocol.Pong](c, protocol.OpPing, "", nil).Time <= newest; {
		if time.Now().After(end) {
			c.t.Fatal("the clock stands still")
		}
	}
}

func unseen(seen map[string]bool) string {
	for i := 0; ; i++ {
		if name := fmt.Sprint("peer", i); !seen[name] {
			return name
		}
	}
}

func TestSearchAnswersFitIntoALine(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	alice := s.login(t, "alice")
	s.login(t, "bob")
	for i := range 90 {
		alice.send("bob", fmt.Sprint(i), "big "+strings.Repeat("x", 11_000))
	}
	question, n := with("bob", "big"), 0
	question.Count = 100
	for {
		a := alice.call(protocol.OpSearch, "", protocol.Marshal(question))
		if a.Code != 0 || len(a.Body) > protocol.MaxLine {
			t.Fatalf("code %d, %d bytes", a.Code, len(a.Body))
		}
		var f protocol.Found
		if err := json.Unmarshal(a.Body, &f); err != nil {
			t.Fatal(err)
		}
		n += len(foundTexts(f))
		if question.Cursor = f.Cursor; f.Cursor == "" {
			break
		}
	}
	if n != 90 {
		t.Errorf("%d of 90 came", n)
	}
}

func TestSearchAfterARestart(t *testing.T) {
	dir := t.TempDir()
	off := serve(t, dir, func(c *config.Config) { c.CloudSearch = false })
	alice := off.login(t, "alice")
	off.login(t, "bob")
	for i := range 300 {
		alice.start(protocol.OpSend, fmt.Sprint(i), protocol.AppendSend(nil, "bob", false, textContent(fmt.Sprint("old ", i))))
	}
	alice.send("bob", "last", "old and last")
	off.stop()
	on := serve(t, dir, nil)
	alice = on.login(t, "alice")
	if f := alice.find(with("bob", "old")); f.Total != 301 {
		t.Errorf("%d of 301 found", f.Total)
	}
	alice.send("bob", "new", "old again")
	on.stop()
	again := serve(t, dir, nil)
	if f := again.login(t, "alice").find(words("old")); f.Total != 1 || f.Convs[0].Total != 302 {
		t.Errorf("found %+v", f)
	}
}

func TestSearchFarBehindEndsByItself(t *testing.T) {
	dir := t.TempDir()
	off := serve(t, dir, func(c *config.Config) { c.CloudSearch = false })
	alice := off.login(t, "alice")
	off.login(t, "bob")
	const n = 6000
	for i := range n {
		alice.start(protocol.OpSend, fmt.Sprint(i), protocol.AppendSend(nil, "bob", false, textContent("many")))
	}
	alice.send("bob", "last", "many")
	off.stop()
	on := serve(t, dir, nil)
	alice = on.login(t, "alice")
	for end := time.Now().Add(patience); ; {
		total := alice.find(with("bob", "many")).Total
		if total == n+1 {
			break
		}
		if total < 128 || time.Now().After(end) {
			t.Fatalf("%d of %d found", total, n+1)
		}
	}
}
