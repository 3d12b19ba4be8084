package gateway

import (
	"slices"
	"sync"

	"timbre/protocol"
	"timbre/server/changelog"
)

// outbox is what a connection still has to write. Log entries that follow each other become one push; the writer takes
// as much as fits into a frame.
//
// It is bounded. When a client reads too slowly, the waiting log entries are dropped: the next one that comes shows the
// client the gap, and it asks for the difference. Of what live rooms say the oldest is dropped, which nobody asks for again.
// Answers are never dropped; a client that does not even take those loses its connection.
type outbox struct {
	maxBytes, maxLines int

	mu      sync.Mutex
	writing bool // somebody writes what is there
	items   []item
	bytes   int // of items
	lines   int // entries and other lines in items
	live    int // lines of live rooms in items
	ended   bool
	room    chan struct{} // closed when the queue is short again; nil when nobody waits
}

// item is a finished line, or a piece of the log from position first on.
type item struct {
	line    []byte
	live    bool   // the line is a live room's
	group   string // whose log, "" for the user's own
	first   uint64
	entries []*changelog.Encoded
	size    int
}

// maxLive is how many lines of live rooms may wait: some ten seconds of one room.
const maxLive = 50

// smallQueue is for how many items an empty outbox keeps room.
const smallQueue = 8

func (i *item) lines() int { return max(1, len(i.entries)) }

func newOutbox(maxBytes, maxLines int) *outbox {
	return &outbox{maxBytes: maxBytes, maxLines: maxLines}
}

// claim makes the caller the writer, who takes until rest says that he may go. It is false when there is one already, or
// nothing to write.
func (o *outbox) claim() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.writing || len(o.items) == 0 && !o.ended {
		return false
	}
	o.writing = true
	return true
}

// rest ends the writer's turn unless more has come. When nothing will come any more his turn is over for good.
func (o *outbox) rest() (more, over bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.items) > 0 {
		return true, false
	}
	o.writing = o.ended
	return false, o.ended
}

// add queues a line, whatever its size. It returns false when the client has left too many lines unread before.
func (o *outbox) add(line []byte) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended {
		return true
	}
	if o.full() {
		o.dropLog()
	}
	if o.full() {
		return false
	}
	o.items = append(o.items, item{line: line, size: len(line)})
	o.bytes += len(line)
	o.lines++
	return true
}

// addLog queues an entry of the log and returns how many others were dropped for it.
func (o *outbox) addLog(group string, pos uint64, e *changelog.Encoded) (dropped int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended {
		return 0
	}
	if o.full() {
		dropped = o.dropLog()
	}
	size := e.Size()
	o.bytes += size
	o.lines++
	if n := len(o.items); n > 0 && o.items[n-1].continues(group, pos, size) {
		last := &o.items[n-1]
		last.entries, last.size = append(last.entries, e), last.size+size
		return dropped
	}
	o.items = append(o.items, item{group: group, first: pos, entries: []*changelog.Encoded{e}, size: size})
	return dropped
}

// addLive queues a line of a live room, which is shared with other connections, and returns how many other things were dropped
// for it.
func (o *outbox) addLive(line []byte) (dropped int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended {
		return 0
	}
	if o.full() {
		dropped = o.dropLog()
	}
	if o.live == maxLive {
		oldest := slices.IndexFunc(o.items, func(i item) bool { return i.live })
		o.bytes -= o.items[oldest].size
		o.lines--
		o.live--
		o.items = slices.Delete(o.items, oldest, oldest+1)
		dropped++
	}
	o.items = append(o.items, item{line: line, live: true, size: len(line)})
	o.bytes += len(line)
	o.lines++
	o.live++
	return dropped
}

func (i *item) continues(group string, pos uint64, size int) bool {
	return i.line == nil && i.group == group && i.first+uint64(len(i.entries)) == pos &&
		len(i.entries) < protocol.MaxDiff && i.size+size <= protocol.MaxFrame
}

func (o *outbox) full() bool { return o.bytes > o.maxBytes || o.lines > o.maxLines }

func (o *outbox) dropLog() (dropped int) {
	kept := o.items[:0]
	o.bytes, o.lines, o.live = 0, 0, 0
	for _, i := range o.items {
		if i.line == nil || i.live {
			dropped += i.lines()
			continue
		}
		kept = append(kept, i)
		o.bytes += i.size
		o.lines++
	}
	clear(o.items[len(kept):])
	o.items = kept
	return dropped
}

// take moves what fits into a frame, at least one item, to the end of list.
func (o *outbox) take(list []item) []item {
	o.mu.Lock()
	defer o.mu.Unlock()
	n, size := 0, 0
	for n < len(o.items) && (n == 0 || size+o.items[n].size <= protocol.MaxFrame) {
		size += o.items[n].size
		o.lines -= o.items[n].lines()
		if o.items[n].live {
			o.live--
		}
		n++
	}
	o.bytes -= size
	list = append(list, o.items[:n]...)
	clear(o.items[:n])
	switch {
	case n < len(o.items):
		o.items = o.items[n:]
	case cap(o.items) <= smallQueue:
		o.items = o.items[:0]
	default:
		o.items = nil
	}
	if o.room != nil && !o.crowded() {
		close(o.room)
		o.room = nil
	}
	return list
}

func (o *outbox) crowded() bool { return o.bytes > o.maxBytes/4 }

// roomy returns nil, or a channel that is closed when the client has caught up so far that it may ask for more.
func (o *outbox) roomy() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.crowded() || o.ended {
		return nil
	}
	if o.room == nil {
		o.room = make(chan struct{})
	}
	return o.room
}

// end lets nothing more in. The writer stops when what is there has been written.
func (o *outbox) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended = true
}

// waiting returns the bytes in the queue.
func (o *outbox) waiting() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.bytes
}

// appendItem writes an item as a line.
func appendItem(b []byte, epoch string, i *item) []byte {
	if i.line != nil {
		return append(b, i.line...)
	}
	b = append(b, `{"push":"`+protocol.PushLog+`","body":`...)
	entries := make([][]byte, len(i.entries))
	for n, e := range i.entries {
		entries[n] = e.Bytes()
	}
	b = protocol.AppendLog(b, epoch, i.group, i.first, i.first+uint64(len(entries))-1, entries)
	return append(b, "}\n"...)
}
