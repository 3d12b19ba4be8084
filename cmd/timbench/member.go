package main

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"

	"github.com/gorilla/websocket"
	"github.com/tidwall/gjson"

	"timbre/protocol"
)

// mark begins the text of a message: "bench:SENDER:NUMBER:TIME ".
const mark = "bench:"

// member is a connection that follows the group. It shares the machine with the server, so it parses no more than it
// needs: it finds the positions and the marks by their bytes.
type member struct {
	ws    *websocket.Conn
	crowd *crowd
	log   []byte   // how a piece of the group's log begins
	next  uint64   // position that must come next, 0: any
	sent  []int    // next number of each sender
	begun bool     // a sender's message has come
	late  []uint32 // latencies in the measured time, microseconds
}

// read counts what comes until the connection ends.
func (m *member) read() {
	m.log = append(append([]byte(`"g":`), protocol.AppendString(nil, m.crowd.name)...), `,"from":`...)
	var frame bytes.Buffer
	for {
		_, r, err := m.ws.NextReader()
		if err == nil {
			frame.Reset()
			_, err = frame.ReadFrom(r)
		}
		if err != nil {
			m.crowd.fail(err) // nobody listens any more when the run has ended
			return
		}
		if err := m.frame(frame.Bytes(), m.crowd.now()); err != nil {
			m.crowd.fail(err)
			return
		}
	}
}

func (m *member) frame(frame []byte, now int64) error {
	for line := range bytes.Lines(frame) {
		var err error
		if bytes.HasPrefix(line, []byte(`{"push"`)) {
			err = m.push(line, now)
		} else {
			err = m.answer(line)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// answer stands for the entry of the member's own message.
func (m *member) answer(line []byte) error {
	a, _, ok := protocol.ParseServerLine(line)
	if !ok || a.Code != 0 {
		return fmt.Errorf("a message was refused: %d %s", a.Code, a.Desc)
	}
	pos := gjson.GetBytes(a.Body, "pos").Uint()
	if pos == 0 {
		return errors.New("a message was dropped: start the server with --group-rate 0")
	}
	return m.advance(pos, pos)
}

// advance makes sure that positions come without a hole.
func (m *member) advance(from, to uint64) error {
	if m.next != 0 && from != m.next {
		return fmt.Errorf("position %d came where %d was due", from, m.next)
	}
	m.next = to + 1
	return nil
}

// push takes a piece of the group's log. What is no message of a sender was said by the group when it was made.
func (m *member) push(line []byte, now int64) error {
	at := bytes.Index(line[:min(len(line), 200)], m.log)
	if at < 0 {
		return nil // the user's own log
	}
	rest := line[at+len(m.log):]
	from, rest := number(rest)
	to, rest := number(rest[len(`,"pos":`):])
	if err := m.advance(from, to); err != nil {
		return err
	}
	n := uint64(0)
	for ; ; n++ {
		at := bytes.Index(rest, []byte(mark))
		if at < 0 {
			break
		}
		var who, what, when uint64
		who, rest = number(rest[at+len(mark):])
		what, rest = number(rest[1:])
		when, rest = number(rest[1:])
		if err := m.message(int(who), int(what), int64(when), now); err != nil {
			return err
		}
	}
	if m.begun && n != to-from+1 {
		return fmt.Errorf("%d messages at positions %d to %d", n, from, to)
	}
	m.begun = m.begun || n > 0
	return nil
}

func (m *member) message(who, what int, when, now int64) error {
	if who >= len(m.sent) || m.sent[who] != what {
		return fmt.Errorf("message %d of sender %d came out of turn", what, who)
	}
	m.sent[who]++
	if c := m.crowd; now >= c.begin.Load() && now < c.end.Load() {
		m.late = append(m.late, uint32((now-when)/1000))
	}
	m.crowd.senders[who].arrived(what)
	return nil
}

// number reads digits.
func number(b []byte) (n uint64, rest []byte) {
	for i, d := range b {
		if d < '0' || d > '9' {
			return n, b[i:]
		}
		n = n*10 + uint64(d-'0')
	}
	return n, nil
}

// sender sends in the name of one of the members, with a window: so many messages are on their way until the last member
// has them.
type sender struct {
	crowd  *crowd
	index  int
	number int
	keys   string // how its idempotency keys begin
	credit chan struct{}
	seen   []atomic.Int32 // how many have each message on its way
	fill   []byte
}

func newSender(c *crowd, index int) *sender {
	s := &sender{crowd: c, index: index, credit: make(chan struct{}, c.o.window), seen: make([]atomic.Int32, c.o.window)}
	s.keys = strconv.FormatInt(c.epoch.UnixNano(), 36) + "." + strconv.Itoa(index) + "."
	s.fill = bytes.Repeat([]byte{'x'}, max(0, c.o.body-len("bench:0:00000:0000000000 ")))
	for range c.o.window {
		s.credit <- struct{}{}
	}
	return s
}

// run sends until stop is closed. What may be sent at once goes into one frame.
func (s *sender) run(stop <-chan struct{}) {
	var frame []byte
	for {
		n, ok := available(s.credit, stop)
		if !ok {
			return
		}
		frame = frame[:0]
		for range n {
			frame = s.append(frame)
		}
		if err := s.crowd.members[s.index].ws.WriteMessage(websocket.TextMessage, frame); err != nil {
			s.crowd.fail(err)
			return
		}
	}
}

func (s *sender) append(frame []byte) []byte {
	text := fmt.Sprintf("%s%d:%d:%d %s", mark, s.index, s.number, s.crowd.now(), s.fill)
	r := protocol.Request{ID: uint64(s.number + 2), Op: protocol.OpSend, Key: s.keys + strconv.Itoa(s.number),
		Body: protocol.AppendSend(nil, s.crowd.name, true, content(text))}
	s.number++
	return r.Append(frame)
}

// arrived counts a member who has a message. The members have a sender's messages in their order, so those on their way
// follow each other.
func (s *sender) arrived(number int) {
	seen := &s.seen[number%len(s.seen)]
	if int(seen.Add(1)) < len(s.crowd.members)-1 {
		return
	}
	seen.Store(0)
	s.credit <- struct{}{}
}
