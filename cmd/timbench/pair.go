package main

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"timbre/protocol"
)

// pair is a sender and a receiver.
type pair struct {
	prefix   string // of the keys
	to       string
	content  []byte
	sender   *websocket.Conn
	receiver *websocket.Conn
	credit   chan struct{} // one for each message that may be sent

	mu       sync.Mutex
	sent     []time.Time // by message number
	arrived  []time.Duration
	times    []int // how often each message arrived
	received int   // different messages
	doubled  int
	acked    int
	refused  int
}

// newPair connects both users. Names are new for every run, so that old conversations do not matter.
func newPair(o *options, name string, window int) (*pair, error) {
	p := &pair{prefix: name + ".", to: name + "b", credit: make(chan struct{}, window)}
	p.content = content(strings.Repeat("x", o.body))
	var err error
	if p.receiver, err = connect(o, p.to); err != nil {
		return nil, err
	}
	if p.sender, err = connect(o, name+"a"); err != nil {
		p.receiver.Close()
		return nil, err
	}
	for range window {
		p.credit <- struct{}{}
	}
	return p, nil
}

// content is a text message.
func content(text string) []byte {
	return fmt.Appendf(nil, `{"id":"1-2-3","ct":1,"r":3,"p":1,"el":[{"elem_type":0,"text_elem_content":%q}]}`, text)
}

// run sends until stop is closed; reading goes on until the connections are closed.
func (p *pair) run(stop <-chan struct{}, readers *sync.WaitGroup) error {
	readers.Go(func() { readLines(p.sender, p.answer) })
	readers.Go(func() { readLines(p.receiver, p.push) })
	var frame []byte
	for {
		n, ok := available(p.credit, stop)
		if !ok {
			return nil
		}
		frame = p.encode(frame[:0], n)
		if err := p.sender.WriteMessage(websocket.TextMessage, frame); err != nil {
			return err
		}
	}
}

// available takes the credit that there is and returns how many messages may be sent now, at least one.
func available(credit <-chan struct{}, stop <-chan struct{}) (n int, ok bool) {
	select {
	case <-stop:
		return 0, false
	case <-credit:
	}
	for n = 1; ; n++ {
		select {
		case <-credit:
		default:
			return n, true
		}
	}
}

func (p *pair) encode(frame []byte, n int) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	for range n {
		i := len(p.sent)
		p.sent, p.times = append(p.sent, now), append(p.times, 0)
		r := protocol.Request{ID: uint64(i + 2), Op: protocol.OpSend, Key: p.prefix + strconv.Itoa(i),
			Body: protocol.AppendSend(nil, p.to, false, p.content)}
		frame = r.Append(frame)
	}
	return frame
}

func (p *pair) answer(a protocol.Answer, push *protocol.Push) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case push != nil:
	case a.Code != 0:
		p.refused++
	default:
		p.acked++
	}
}

func (p *pair) push(_ protocol.Answer, push *protocol.Push) {
	if push == nil || push.Kind != protocol.PushLog {
		return
	}
	l := protocol.ParseLog(push.Body)
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range l.Entries {
		p.arrive(l.Entries[i].Message.Key, now)
	}
}

// arrive notes a message and lets the sender send another one.
func (p *pair) arrive(key string, now time.Time) {
	i, err := strconv.Atoi(strings.TrimPrefix(key, p.prefix))
	if err != nil || i >= len(p.sent) {
		return
	}
	if p.times[i]++; p.times[i] > 1 {
		p.doubled++
		return
	}
	p.received++
	p.arrived = append(p.arrived, now.Sub(p.sent[i]))
	p.credit <- struct{}{}
}

// settled says whether everything that was sent has been acknowledged and has arrived.
func (p *pair) settled() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.received == len(p.sent) && p.acked+p.refused == len(p.sent)
}

// mark forgets the latencies so far and returns how many messages have arrived.
func (p *pair) mark() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.arrived = p.arrived[:0]
	return p.received
}

func (p *pair) close() {
	p.sender.Close()
	p.receiver.Close()
}
