package main

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
	"github.com/tidwall/gjson"

	"timbre/model/tim"
	"timbre/protocol"
)

// room is a live room with an audience, in which one user speaks so many times a second.
type room struct {
	o         *options
	name      string
	host      *websocket.Conn
	listeners []*listener
	readers   sync.WaitGroup

	epoch      time.Time    // what the times in messages count from
	begin, end atomic.Int64 // of the measured time
	failed     chan error   // the first failure
	accepted   atomic.Int64
}

// live fills a room and speaks in it.
func live(o *options) error {
	r := &room{o: o, epoch: time.Now(), failed: make(chan error, 1)}
	defer r.close()
	empty := resident(o.pid)
	if err := r.fill(); err != nil {
		return err
	}
	full := resident(o.pid)
	title(o)
	sent, busy, err := r.run()
	if err != nil {
		return err
	}
	header("deliv./s")
	r.figures(sent).print(fmt.Sprintf("live room of %d", o.clients), o.rate)
	if o.pid != 0 {
		fmt.Printf("server: %.1f KB for each connection that listens, %.0f%% of one CPU, %.2f ms of it for each message\n",
			float64(full-empty)/float64(o.clients), 100*busy.Seconds()/float64(o.seconds+1), busy.Seconds()*1000/float64(sent))
	}
	fmt.Println(liveMethod)
	return nil
}

const liveMethod = `
Method: the window is messages a second. One user speaks, everybody else hears every message once and in order over a
connection of his own, which is checked. Latency is of each delivery, from the sender's write to the listener having read
the frame, on one monotonic clock; the server gathers what is said in 200 ms. Server and generator share the CPUs.`

// fill makes the room and lets the audience in.
func (r *room) fill() (err error) {
	run := strconv.FormatInt(r.epoch.UnixNano(), 36)
	if r.host, err = connect(r.o, run+"-host"); err != nil {
		return err
	}
	var made protocol.CreatedGroup
	ask := protocol.CreateGroup{Type: tim.GroupAVChatRoom, Name: "timbench"}
	if err = request(r.host, protocol.OpGroupCreate, run, ask, &made); err != nil {
		return err
	}
	r.name = made.ID
	r.listeners = make([]*listener, r.o.clients)
	errs := make([]error, r.o.clients)
	var wg sync.WaitGroup
	turns := make(chan struct{}, fillers)
	for i := range r.listeners {
		turns <- struct{}{}
		wg.Go(func() {
			defer func() { <-turns }()
			r.listeners[i], errs[i] = r.enter(run + "-" + strconv.Itoa(i))
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (r *room) enter(user string) (*listener, error) {
	ws, err := connect(r.o, user)
	if err != nil {
		return nil, err
	}
	var joined protocol.Joined
	err = request(ws, protocol.OpGroupJoin, user, protocol.JoinGroup{Group: r.name}, &joined)
	if err == nil && !joined.Live {
		err = errors.New("this is no live room")
	}
	if err != nil {
		ws.Close()
		return nil, err
	}
	l := &listener{ws: ws, room: r}
	r.readers.Go(l.read) // from now on, because it is told who else comes
	return l, nil
}

func (r *room) close() {
	if r.host != nil {
		r.host.Close()
	}
	for _, l := range r.listeners {
		if l != nil {
			l.ws.Close()
		}
	}
}

func (r *room) now() int64 { return int64(time.Since(r.epoch)) }

func (r *room) fail(err error) {
	select {
	case r.failed <- err:
	default:
	}
}

// run speaks for a second to warm up and for the measured time, and waits until everybody has heard everything. It returns
// how many messages that were and for how long the server was busy with them.
func (r *room) run() (sent int, busy time.Duration, err error) {
	defer r.readers.Wait()
	defer r.close()
	r.begin.Store(r.now() + int64(warmUp))
	r.end.Store(r.now() + int64(warmUp) + int64(r.o.seconds)*int64(time.Second))
	r.readers.Go(r.answers)
	before := processorTime(r.o.pid)
	if sent, err = r.speak(); err == nil {
		err = r.settle(sent)
	}
	return sent, processorTime(r.o.pid) - before, err
}

// speak sends messages at the rate.
func (r *room) speak() (sent int, err error) {
	fill := bytes.Repeat([]byte{'x'}, max(0, r.o.body-len("bench:0:00000:0000000000 ")))
	pace := time.NewTicker(time.Second / time.Duration(r.o.rate))
	defer pace.Stop()
	for r.now() < r.end.Load() {
		select {
		case <-pace.C:
		case err := <-r.failed:
			return sent, err
		}
		text := fmt.Sprintf("%s0:%d:%d %s", mark, sent, r.now(), fill)
		m := protocol.Request{ID: uint64(sent + 2), Op: protocol.OpSend, Key: strconv.Itoa(sent), Body: protocol.AppendSend(nil, r.name, true, content(text))}
		if err := r.host.WriteMessage(websocket.TextMessage, m.Append(nil)); err != nil {
			return sent, err
		}
		sent++
	}
	return sent, nil
}

// answers counts messages that were accepted.
func (r *room) answers() {
	readLines(r.host, func(a protocol.Answer, push *protocol.Push) {
		switch {
		case push != nil:
		case a.Code != 0:
			r.fail(fmt.Errorf("a message was refused: %d %s", a.Code, a.Desc))
		case gjson.GetBytes(a.Body, "seq").Uint() == 0:
			r.fail(errors.New("a message was dropped: start the server with --group-rate 0"))
		default:
			r.accepted.Add(1)
		}
	})
}

// settle waits until everybody has heard every message.
func (r *room) settle(sent int) error {
	deadline := time.Now().Add(patience)
	for _, l := range r.listeners {
		for l.heard.Load() < int64(sent) {
			select {
			case err := <-r.failed:
				return err
			case <-time.After(time.Millisecond):
			}
			if time.Now().After(deadline) {
				return fmt.Errorf("a listener heard %d of %d messages", l.heard.Load(), sent)
			}
		}
	}
	for r.accepted.Load() < int64(sent) { // the last answer may be behind the last message
		select {
		case err := <-r.failed:
			return err
		case <-time.After(time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d of %d messages were accepted", r.accepted.Load(), sent)
		}
	}
	return nil
}

func (r *room) figures(sent int) *result {
	f := &result{messages: sent}
	for _, l := range r.listeners {
		for _, us := range l.late {
			f.latencies = append(f.latencies, time.Duration(us)*time.Microsecond)
		}
	}
	f.rate = float64(len(f.latencies)) / float64(r.o.seconds)
	slices.Sort(f.latencies)
	return f
}

// listener is a connection in the room. It parses no more than it needs, as member does.
type listener struct {
	ws    *websocket.Conn
	room  *room
	heard atomic.Int64
	late  []uint32 // latencies in the measured time, microseconds
}

func (l *listener) read() {
	var frame bytes.Buffer
	for {
		_, r, err := l.ws.NextReader()
		if err == nil {
			frame.Reset()
			_, err = frame.ReadFrom(r)
		}
		if err == nil {
			err = l.frame(frame.Bytes(), l.room.now())
		}
		if err != nil {
			l.room.fail(err) // nobody listens any more when the run has ended
			return
		}
	}
}

// frame makes sure that messages come once, in order and without a hole.
func (l *listener) frame(rest []byte, now int64) error {
	for {
		at := bytes.Index(rest, []byte(mark))
		if at < 0 {
			return nil
		}
		var what, when uint64
		_, rest = number(rest[at+len(mark):])
		what, rest = number(rest[1:])
		when, rest = number(rest[1:])
		if due := uint64(l.heard.Load()); what != due {
			return fmt.Errorf("message %d came where %d was due", what, due)
		}
		l.heard.Add(1)
		if now >= l.room.begin.Load() && now < l.room.end.Load() {
			l.late = append(l.late, uint32((now-int64(when))/1000))
		}
	}
}
