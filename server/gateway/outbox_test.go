package gateway

import (
	"strings"
	"testing"

	"timbre/protocol"
	"timbre/server/changelog"
)

func entry(size int) *changelog.Encoded {
	return changelog.NewEncoded(protocol.Entry{Kind: protocol.EntryMessage,
		Message: protocol.Message{Content: []byte(strings.Repeat("1", size))}})
}

// taken writes down what a frame would hold: lines as L, pieces of the log by their positions.
func taken(o *outbox) string {
	var b strings.Builder
	for _, i := range o.take(nil) {
		if i.line != nil {
			b.WriteString("L ")
			continue
		}
		for n := range i.entries {
			b.WriteByte(byte('0' + i.first + uint64(n)))
		}
		b.WriteByte(' ')
	}
	return b.String()
}

func TestOutboxJoinsWhatFollows(t *testing.T) {
	o := newOutbox(1<<20, 100)
	for _, pos := range []uint64{1, 2} {
		o.addLog("", pos, entry(1))
	}
	o.add([]byte("answer for 3"))
	for _, pos := range []uint64{4, 5, 7} {
		o.addLog("", pos, entry(1))
	}
	if got := taken(o); got != "12 L 45 7 " {
		t.Errorf("got %s", got)
	}
	if o.bytes != 0 || o.lines != 0 {
		t.Errorf("%d bytes and %d lines are left", o.bytes, o.lines)
	}
}

func TestOutboxFramesAreBounded(t *testing.T) {
	o := newOutbox(1<<30, 1000)
	for pos := range uint64(9) {
		o.addLog("", pos+1, entry(20<<10))
	}
	for _, want := range []string{"123 ", "456 ", "789 ", ""} {
		if got := taken(o); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestOutboxDropsTheLogAndKeepsAnswers(t *testing.T) {
	o := newOutbox(1<<20, 5)
	o.add([]byte("a"))
	for pos := range uint64(5) {
		o.addLog("", pos+1, entry(1))
	}
	if dropped := o.addLog("", 6, entry(1)); dropped != 5 {
		t.Errorf("%d entries were dropped", dropped)
	}
	o.add([]byte("b"))
	if got := taken(o); got != "L 6 L " {
		t.Errorf("got %s", got)
	}
}

func TestOutboxRefusesTooManyAnswers(t *testing.T) {
	o := newOutbox(10, 100)
	if !o.add(make([]byte, 1000)) {
		t.Error("one large answer was refused")
	}
	if o.add([]byte("b")) {
		t.Error("a second one was taken")
	}
	if o.roomy() == nil {
		t.Error("the client may ask for more")
	}
	room := o.roomy()
	o.take(nil)
	select {
	case <-room:
	default:
		t.Error("nobody was told that there is room again")
	}
}

func TestOutboxEnds(t *testing.T) {
	o := newOutbox(100, 100)
	o.add([]byte("a"))
	o.end()
	o.add([]byte("late"))
	o.addLog("", 1, entry(1))
	if more, over := o.rest(); !more || over {
		t.Error("over before the last line was taken")
	}
	if got := taken(o); got != "L " {
		t.Errorf("got %s", got)
	}
	if more, over := o.rest(); more || !over {
		t.Error("not over")
	}
	if o.claim() {
		t.Error("somebody writes after the end")
	}
}

// One writes at a time, and nothing is left lying when he rests.
func TestOutboxHasOneWriter(t *testing.T) {
	o := newOutbox(100, 100)
	if o.claim() {
		t.Error("there is nothing to write")
	}
	o.add([]byte("a"))
	if !o.claim() || o.claim() {
		t.Error("not one writer")
	}
	o.take(nil)
	o.add([]byte("b"))
	if more, _ := o.rest(); !more {
		t.Error("he rests with something to write")
	}
	o.take(nil)
	if more, over := o.rest(); more || over {
		t.Error("he does not rest")
	}
	o.add([]byte("c"))
	if !o.claim() {
		t.Error("nobody writes the next")
	}
	o.take(nil)
	o.rest()
	o.end()
	if !o.claim() {
		t.Error("nobody says goodbye")
	}
}

func TestOutboxDropsTheOldestOfLiveRooms(t *testing.T) {
	o := newOutbox(1<<20, 1000)
	o.addLive([]byte("first"))
	o.add([]byte("answer"))
	dropped := 0
	for range maxLive + 2 {
		dropped += o.addLive([]byte("l"))
	}
	if dropped != 3 || o.live != maxLive || o.lines != maxLive+1 || string(o.items[0].line) != "answer" || o.bytes != len("answer")+maxLive {
		t.Errorf("%d dropped; %d lines, %d live, %d bytes, first %s", dropped, o.lines, o.live, o.bytes, o.items[0].line)
	}
	if n := len(o.take(nil)); n != maxLive+1 || o.live != 0 || o.lines != 0 || o.bytes != 0 {
		t.Errorf("%d taken; %d live", n, o.live)
	}
	small := newOutbox(3, 1000)
	small.addLive([]byte("abcd"))
	small.addLog("", 1, entry(1))
	if !small.add([]byte("answer")) || small.live != 0 || len(small.items) != 1 {
		t.Errorf("%d items, %d live", len(small.items), small.live)
	}
}
