package live

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"timbre/core/store"
	"timbre/core/transport"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/tests/leaks"
)

func TestMain(m *testing.M) { leaks.Main(m) }

// host is the server's side and the host's: it answers questions from a script and notes what the host would hear.
type host struct {
	mu     sync.Mutex
	answer func(op string, room string) (protocol.Answer, error)
	asked  []string
	heard  []string

	waiting int // callbacks
}

func (h *host) Ask(ctx context.Context, op, key string, body []byte, _ time.Duration) (protocol.Answer, error) {
	var b struct {
		Group string
		Again bool
		On    bool
		Seen  uint64
	}
	_ = json.Unmarshal(body, &b)
	h.mu.Lock()
	defer h.mu.Unlock()
	text := fmt.Sprintf("%s %s %v", op, b.Group, b.Again || b.On)
	if b.Seen > 0 {
		text += fmt.Sprint(" ", b.Seen)
	}
	h.asked = append(h.asked, text)
	if h.answer == nil {
		return protocol.Answer{Body: []byte("{}")}, nil
	}
	return h.answer(op, b.Group)
}

func (h *host) note(text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.heard = append(h.heard, text)
}

// messages is the host's side of messages.
type messages struct{ *host }

func (m messages) Show(groupType int, list []*protocol.Message) {
	for _, x := range list {
		m.note(fmt.Sprintf("%s %d of %d", x.Group, x.Seq, len(list)))
	}
}

// groups is the host's side of everything else.
type groups struct{ *host }

func (g groups) Show(e *protocol.Entry) {
	text := e.Kind + " " + e.Group
	if e.Kind == protocol.EntryReport {
		var d protocol.Report
		_ = json.Unmarshal(e.Data, &d)
		text += fmt.Sprint(" ", d.Type)
	}
	g.note(text)
}

func rig() (*Rooms, *host) {
	h := &host{}
	r := New(Config{Link: h, Log: slog.New(slog.DiscardHandler), Timeout: func() time.Duration { return time.Second },
		Waiting: func() int { return h.waiting }})
	r.Connect(messages{h}, groups{h})
	return r, h
}

func (h *host) takes() (heard, asked []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	heard, asked = h.heard, h.asked
	h.heard, h.asked = nil, nil
	slices.Sort(asked) // rooms come back side by side
	return heard, asked
}

func want(t *testing.T, what string, got []string, list ...string) {
	t.Helper()
	if !slices.Equal(got, list) {
		t.Fatalf("%s: got %q, want %q", what, got, list)
	}
}

func piece(room string, kinds ...string) protocol.Log {
	l := protocol.Log{Group: room}
	for i, k := range kinds {
		e := protocol.Entry{Kind: k, Group: room}
		switch k {
		case protocol.EntryReport:
			e.Data = protocol.Marshal(protocol.Report{Gone: true})
		case protocol.EntryMessage:
			e = protocol.Entry{Kind: k, Message: protocol.Message{Seq: uint64(i + 1), Group: room}}
		}
		l.Entries = append(l.Entries, e)
	}
	return l
}

func enter(r *Rooms, id string, quit ...string) {
	r.Entered(&protocol.Group{ID: id, Type: tim.GroupAVChatRoom}, quit, func() {})
}

func TestWhatIsPushedReachesTheHostInOrder(t *testing.T) {
	r, h := rig()
	defer r.Close()
	enter(r, "room")
	r.Pushed(piece("room", protocol.EntryMessage, protocol.EntryMessage, protocol.EntryGroupCounter, protocol.EntryMessage))
	heard, _ := h.takes()
	want(t, "heard", heard, "room 1 of 2", "room 2 of 2", "gct room", "room 4 of 1")
}

func TestWhatComesBeforeTheAnswerWaitsForIt(t *testing.T) {
	r, h := rig()
	defer r.Close()
	r.Pushed(piece("room", protocol.EntryMessage))
	r.Pushed(piece("other", protocol.EntryMessage))
	heard, _ := h.takes()
	want(t, "before the answer", heard)
	enter(r, "room")
	r.Pushed(piece("room", protocol.EntryGroupAttributes))
	heard, _ = h.takes()
	want(t, "after it", heard, "room 1 of 1", "gat room")
	for range 3 * maxEarly {
		r.Pushed(piece("nobody's", protocol.EntryMessage))
	}
	if len(r.early) != maxEarly {
		t.Errorf("%d pieces are held", len(r.early))
	}
}

func TestTypesOutliveRooms(t *testing.T) {
	r, _ := rig()
	defer r.Close()
	if _, live := r.Type("room"); live {
		t.Error("an unknown group is live")
	}
	enter(r, "room")
	r.Left("room")
	if typ, live := r.Type("room"); !live || typ != tim.GroupAVChatRoom {
		t.Error("a live room that was left is an ordinary group")
	}
	for i := range 2 * maxTypes {
		enter(r, fmt.Sprint(i))
		r.Left(fmt.Sprint(i))
	}
	if len(r.types) > maxTypes || len(r.rooms) != 0 {
		t.Errorf("%d types and %d rooms are kept", len(r.types), len(r.rooms))
	}
}

func TestAnotherRoomTakesThePlaceOfTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, h := rig()
		defer r.Close()
		enter(r, "first")
		enter(r, "second", "first")
		r.Online()
		synctest.Wait()
		_, asked := h.takes()
		want(t, "asked", asked, "group.join second true")
	})
}

func TestDeviceComesBackIntoItsRooms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, h := rig()
		defer r.Close()
		enter(r, "a")
		enter(r, "b")
		enter(r, "c")
		r.Left("c")
		busy := 2
		h.answer = func(_, room string) (protocol.Answer, error) {
			if room == "b" && busy > 0 {
				busy--
				return protocol.Answer{Code: protocol.CodeBusy}, nil
			}
			return protocol.Answer{Body: []byte("{}")}, nil
		}
		r.Online()
		time.Sleep(time.Minute)
		synctest.Wait()
		heard, asked := h.takes()
		want(t, "asked", asked, "group.join a true", "group.join b true", "group.join b true", "group.join b true")
		want(t, "heard", heard)
	})
}

func TestServerLearnsWhatTheDeviceHas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, h := rig()
		defer r.Close()
		enter(r, "room")
		r.Pushed(piece("room", protocol.EntryMessage, protocol.EntryMessage))
		r.Said("room", 9)
		r.Said("elsewhere", 9)
		r.Pushed(piece("room", protocol.EntryMessage))
		h.takes()
		r.Online()
		synctest.Wait()
		_, asked := h.takes()
		want(t, "asked", asked, "group.join room true 9")
	})
}

func TestMessagesWaitForTheRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, h := rig()
		defer r.Close()
		var told []string
		await := func(id string) bool {
			return r.Await(id, func(back bool) { h.note(fmt.Sprint(id, " ", back)) })
		}
		enter(r, "room")
		enter(r, "gone")
		if await("room") || await("elsewhere") {
			t.Error("a message waits though nothing was lost")
		}
		h.answer = func(_, room string) (protocol.Answer, error) {
			if room == "gone" {
				return protocol.Answer{Code: tim.ErrSVRGroupNotFound}, nil
			}
			return protocol.Answer{Body: []byte("{}")}, nil
		}
		r.Away()
		for _, id := range []string{"room", "gone"} {
			if !await(id) {
				t.Errorf("nothing waits for %s", id)
			}
		}
		synctest.Wait()
		told, _ = h.takes()
		want(t, "too early", told)
		r.Online()
		synctest.Wait()
		told, _ = h.takes()
		slices.Sort(told)
		want(t, "told", told, "gone false", "rep gone 5", "room true")
		if await("room") {
			t.Error("a message waits for a room that is back")
		}
	})
}

func TestWaitingEnds(t *testing.T) {
	for name, end := range map[string]func(*Rooms){"close": (*Rooms).Close, "quit": func(r *Rooms) { r.Left("room") }} {
		synctest.Test(t, func(t *testing.T) {
			r, h := rig()
			defer r.Close()
			enter(r, "room")
			r.Away()
			r.Await("room", func(back bool) { h.note(fmt.Sprint(back)) })
			end(r)
			synctest.Wait()
			heard, _ := h.takes()
			want(t, name, heard, "false")
		})
	}
}

func TestSlowHostLosesMessages(t *testing.T) {
	r, h := rig()
	defer r.Close()
	enter(r, "room")
	h.waiting = maxWaiting
	r.Pushed(piece("room", protocol.EntryMessage, protocol.EntryGroupCounter, protocol.EntryMessage))
	heard, _ := h.takes()
	want(t, "heard", heard, "gct room")
	h.waiting = 0
	r.Pushed(piece("room", protocol.EntryMessage))
	heard, _ = h.takes()
	want(t, "heard later", heard, "room 1 of 1")
}

// Who wants to be out of a room while there is no connection is not brought back, unless he may not leave.
func TestLeavingWithoutAConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, h := rig()
		defer r.Close()
		enter(r, "room")
		if !r.Leaving("room") || r.Leaving("elsewhere") {
			t.Error("Leaving is wrong about where the device is")
		}
		r.Away()
		r.Online()
		synctest.Wait()
		_, asked := h.takes()
		want(t, "while leaving", asked)
		r.Pushed(piece("room", protocol.EntryMessage))
		heard, _ := h.takes()
		want(t, "heard", heard, "room 1 of 1")
		r.Stays("room")
		synctest.Wait()
		_, asked = h.takes()
		want(t, "after all", asked, "group.join room true 1")
		r.Leaving("room")
		r.Left("room")
		r.Online()
		synctest.Wait()
		_, asked = h.takes()
		want(t, "after it", asked)
		r.Stays("room")
	})
}

func TestRoomThatIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, h := rig()
		defer r.Close()
		enter(r, "room")
		l := piece("room", protocol.EntryMessage, protocol.EntryReport)
		l.Entries[1].Data = protocol.Marshal(protocol.Report{Type: tim.GroupReportDelete, Gone: true})
		r.Pushed(l)
		r.Online()
		synctest.Wait()
		heard, asked := h.takes()
		want(t, "heard", heard, "room 1 of 1", "rep room 5")
		want(t, "asked", asked)
	})
}

func TestRoomsThatDoNotWantTheDeviceAreForgotten(t *testing.T) {
	for code, text := range map[int]string{tim.ErrSVRGroupNotFound: "rep room 5", tim.ErrSVRGroupPermissionDeny: "rep room 4"} {
		synctest.Test(t, func(t *testing.T) {
			r, h := rig()
			defer r.Close()
			enter(r, "room")
			h.answer = func(string, string) (protocol.Answer, error) { return protocol.Answer{Code: code}, nil }
			r.Online()
			synctest.Wait()
			heard, _ := h.takes()
			want(t, "heard", heard, text)
			r.Online()
			synctest.Wait()
			_, asked := h.takes()
			want(t, "asked afterwards", asked)
		})
	}
}

func TestComingBackEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, h := rig()
		defer r.Close()
		enter(r, "room")
		h.answer = func(string, string) (protocol.Answer, error) {
			return protocol.Answer{}, &transport.Error{Code: tim.ErrSDKNetWaitAckTimeout}
		}
		r.Online()
		time.Sleep(time.Hour)
		synctest.Wait()
		heard, asked := h.takes()
		if len(asked) != backTries {
			t.Errorf("tried %d times", len(asked))
		}
		want(t, "heard", heard, "rep room 4")
	})
}

// A second connection begins while the first one's coming back still waits: only the newest goes on.
func TestNewestConnectionCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, h := rig()
		defer r.Close()
		enter(r, "room")
		h.answer = func(string, string) (protocol.Answer, error) { return protocol.Answer{Code: protocol.CodeBusy}, nil }
		r.Online()
		synctest.Wait()
		h.takes()
		h.mu.Lock()
		h.answer = nil
		h.mu.Unlock()
		r.Online()
		time.Sleep(time.Hour)
		synctest.Wait()
		heard, asked := h.takes()
		want(t, "asked", asked, "group.join room true")
		want(t, "heard", heard)
	})
}

func TestCloseEndsComingBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, h := rig()
		enter(r, "room")
		h.answer = func(string, string) (protocol.Answer, error) { return protocol.Answer{Code: protocol.CodeBusy}, nil }
		r.Online()
		synctest.Wait()
		r.Close()
		heard, _ := h.takes()
		want(t, "heard", heard)
		r.Online()
		synctest.Wait()
		_, asked := h.takes()
		want(t, "asked after the end", asked)
	})
}

func TestVisitors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, h := rig()
		defer r.Close()
		var codes []int
		done := func(code int, _, _ string) { codes = append(codes, code) }
		r.Pushed(piece("room", protocol.EntryReport)) // of an earlier visit
		h.answer = func(string, string) (protocol.Answer, error) {
			r.Pushed(piece("room", protocol.EntryMessage))
			return protocol.Answer{Body: []byte("{}")}, nil
		}
		r.Watch("room", true, done)
		h.answer = nil
		heard, _ := h.takes()
		want(t, "heard", heard, "room 1 of 1")
		r.Online()
		synctest.Wait()
		_, asked := h.takes()
		want(t, "asked", asked, "live.peek room true")
		enter(r, "room")
		r.Watch("room", false, done)
		r.Pushed(piece("room", protocol.EntryMessage))
		heard, _ = h.takes()
		want(t, "as a member", heard, "room 1 of 1")
		r.Left("room")
		r.Pushed(piece("room", protocol.EntryMessage))
		heard, _ = h.takes()
		want(t, "as none", heard)
		h.answer = func(string, string) (protocol.Answer, error) { return protocol.Answer{Code: protocol.CodeOp}, nil }
		r.Watch("room", true, done)
		if want := []int{0, 0, tim.ErrSDKInterfaceNotSupport}; !slices.Equal(codes, want) {
			t.Errorf("codes %v, want %v", codes, want)
		}
	})
}

// Whatever comes in whatever order: the host hears of a room what was pushed since it came in and until it left, once and in
// order.
func TestHostHearsWhatBelongsToItsRooms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, h := rig()
		defer r.Close()
		in, held := map[string]bool{}, map[string][]string{}
		var expected []string
		seq := uint64(0)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			id := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "room")
			switch rapid.IntRange(0, 3).Draw(t, "act") {
			case 0:
				enter(r, id)
				in[id] = true
				expected = append(expected, held[id]...)
				delete(held, id)
			case 1:
				r.Left(id)
				in[id] = false
			default:
				seq++
				r.Pushed(protocol.Log{Group: id, Entries: []protocol.Entry{{Kind: protocol.EntryMessage, Message: protocol.Message{Seq: seq, Group: id}}}})
				text := fmt.Sprintf("%s %d of 1", id, seq)
				if in[id] {
					expected = append(expected, text)
				} else {
					held[id] = append(held[id], text)
				}
			}
		}
		heard, _ := h.takes()
		if !slices.Equal(heard, expected) {
			t.Fatalf("heard %q, want %q", heard, expected)
		}
	})
}

// What was still on its way when the device left a room does not spoil its next stay there.
func TestStayKnowsNothingOfTheOneBefore(t *testing.T) {
	r, h := rig()
	defer r.Close()
	enter(r, "room")
	r.Left("room")
	r.Pushed(piece("room", protocol.EntryMessage, protocol.EntryReport))
	r.Pushed(piece("other", protocol.EntryMessage))
	r.Entering("room")
	enter(r, "room")
	r.Pushed(piece("room", protocol.EntryGroupCounter))
	enter(r, "other")
	heard, _ := h.takes()
	want(t, "heard", heard, "gct room", "other 1 of 1")
}

// The host may send as soon as it knows that it is there.
func TestRoomIsKnownBeforeTheHostIsTold(t *testing.T) {
	r, h := rig()
	defer r.Close()
	r.Pushed(piece("room", protocol.EntryMessage))
	r.Entered(&protocol.Group{ID: "room", Type: tim.GroupAVChatRoom}, nil, func() {
		if r.rooms["room"] == nil || r.types["room"] != tim.GroupAVChatRoom {
			t.Error("the room is not known yet")
		}
		h.note("told")
	})
	heard, _ := h.takes()
	want(t, "heard", heard, "told", "room 1 of 1")
}

func TestLastingGroupWithTheIDOfARoom(t *testing.T) {
	r, _ := rig()
	defer r.Close()
	enter(r, "a")
	enter(r, "b")
	r.Left("a")
	st, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	came := func(id string, groupType int) {
		e := &protocol.Entry{Kind: protocol.EntryGroup, Group: id,
			Data: protocol.Marshal(protocol.Membership{In: true, Group: &protocol.Group{ID: id, Type: groupType}})}
		if err := st.Write(context.Background(), func(tx *store.Tx) error { return r.Apply(tx, e) }); err != nil {
			t.Fatal(err)
		}
	}
	came("a", tim.GroupPublic)
	came("b", tim.GroupAVChatRoom)
	if _, live := r.Type("a"); live {
		t.Error("a lasting group is a live room")
	}
	if _, live := r.Type("b"); !live {
		t.Error("a live room is a lasting group")
	}
}

// While there is no connection a room is not given up: the next connection tries again.
func TestNoConnectionOnTheWayBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, h := rig()
		defer r.Close()
		enter(r, "room")
		h.answer = func(string, string) (protocol.Answer, error) {
			return protocol.Answer{}, &transport.Error{Code: tim.ErrSDKNetWaitSendTimeoutNoNetwork}
		}
		r.Away()
		r.Await("room", func(back bool) { h.note(fmt.Sprint(back)) })
		r.Online()
		time.Sleep(time.Hour)
		synctest.Wait()
		heard, asked := h.takes()
		want(t, "asked", asked, "group.join room true")
		want(t, "heard", heard, "false")
		h.answer = nil
		r.Away()
		r.Online()
		synctest.Wait()
		heard, asked = h.takes()
		want(t, "asked again", asked, "group.join room true")
		want(t, "heard then", heard)
	})
}

// What the operator has to say to everybody is no end.
func TestNoticeInARoom(t *testing.T) {
	r, h := rig()
	defer r.Close()
	enter(r, "room")
	notice := protocol.Entry{Kind: protocol.EntryReport, Group: "room", Data: protocol.Marshal(protocol.Report{Type: tim.GroupReportUserDefine})}
	r.Pushed(protocol.Log{Group: "room", Entries: []protocol.Entry{notice}})
	r.Pushed(piece("room", protocol.EntryMessage))
	heard, _ := h.takes()
	want(t, "heard", heard, "rep room 16", "room 1 of 1")
}
