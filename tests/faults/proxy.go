package main

import (
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// proxy passes bytes between the clients and the server, and damages connections when it is told to.
type proxy struct {
	listener net.Listener
	target   atomic.Value // string: where the server listens now

	mu     sync.Mutex
	links  map[*link]struct{}
	refuse time.Time // until then new connections are closed at once
	healed bool

	up, down gate // of all links

	cuts, resets, truncations, delays, throttles, stalls, halves, refusals int
}

func newProxy() (*proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: l, links: map[*link]struct{}{}}
	go p.accept()
	return p, nil
}

func (p *proxy) accept() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		go p.connect(c)
	}
}

func (p *proxy) connect(client net.Conn) {
	p.mu.Lock()
	refused := time.Now().Before(p.refuse)
	p.mu.Unlock()
	target, _ := p.target.Load().(string)
	if refused || target == "" {
		client.Close()
		return
	}
	server, err := net.DialTimeout("tcp", target, 10*time.Second)
	if err != nil {
		client.Close()
		return
	}
	l := &link{client: client, server: server, closed: make(chan struct{})}
	l.up.mood, l.down.mood = newMood(), newMood()
	l.up.gate, l.down.gate = &p.up, &p.down
	p.mu.Lock()
	p.links[l] = struct{}{}
	p.mu.Unlock()
	var wg sync.WaitGroup
	wg.Go(func() { l.pump(client, server, &l.up) })
	wg.Go(func() { l.pump(server, client, &l.down) })
	wg.Wait()
	p.mu.Lock()
	delete(p.links, l)
	p.mu.Unlock()
}

// link is one connection of a client, in two halves.
type link struct {
	client, server net.Conn
	up, down       direction
	once           sync.Once
	closed         chan struct{}
}

// direction is what happens to one direction of a link.
type direction struct {
	gate *gate
	mu   sync.Mutex
	mood
}

type mood struct {
	delay     time.Duration // before every piece
	delayEnd  time.Time
	throttled time.Time     // until then a few bytes at a time
	stalled   time.Time     // until then nothing passes
	truncate  bool          // the next piece ends in its middle, and so does the link
	reset     bool          // with a reset
	changed   chan struct{} // closed when the mood changes
}

func newMood() mood { return mood{changed: make(chan struct{})} }

// change alters the mood and ends a stall that is under way, which then looks again.
func (d *direction) change(fn func(*mood)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	fn(&d.mood)
	close(d.changed)
	d.changed = make(chan struct{})
}

func (d *direction) look() mood {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.mood
}

// close ends both halves, with a reset or politely.
func (l *link) close(reset bool) {
	l.once.Do(func() {
		close(l.closed)
		for _, c := range []net.Conn{l.client, l.server} {
			if tcp, ok := c.(*net.TCPConn); ok && reset {
				_ = tcp.SetLinger(0) // then closing sends a reset
			}
			c.Close()
		}
	})
}

// pump carries one direction. The end of one half ends the link.
func (l *link) pump(from, to net.Conn, d *direction) {
	defer l.close(false)
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 && !l.pass(to, buf[:n], d) {
			return
		}
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			l.wait(d, time.Time{}) // a stalled direction does not even show its end
			return
		}
	}
}

func (l *link) pass(to net.Conn, b []byte, d *direction) bool {
	d.gate.pass(len(b), l.closed)
	m := l.wait(d, time.Time{})
	if now := time.Now(); now.Before(m.delayEnd) {
		m = l.wait(d, now.Add(m.delay))
	}
	if m.truncate {
		_, _ = to.Write(b[:len(b)/2+len(b)%2*(len(b)/4)]) // the link is lost anyway
		l.close(m.reset)
		return false
	}
	for time.Now().Before(m.throttled) && len(b) > 0 {
		n := min(len(b), 7)
		if _, err := to.Write(b[:n]); err != nil {
			return false
		}
		b = b[n:]
		m = l.wait(d, time.Now().Add(200*time.Microsecond))
	}
	_, err := to.Write(b)
	return err == nil
}

// wait returns the mood when the moment has come, the stall is over, or the link has ended.
func (l *link) wait(d *direction, until time.Time) mood {
	for {
		m := d.look()
		end := m.stalled
		if until.After(end) {
			end = until
		}
		left := time.Until(end)
		if left <= 0 {
			return m
		}
		t := time.NewTimer(left)
		select {
		case <-t.C:
		case <-m.changed:
		case <-l.closed:
			t.Stop()
			return m
		}
		t.Stop()
	}
}

// damage does something bad, mostly to one connection.
func (p *proxy) damage(r *rand.Rand) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.healed {
		return
	}
	all := make([]*link, 0, len(p.links))
	for l := range p.links {
		all = append(all, l)
	}
	if len(all) == 0 {
		return
	}
	l := all[r.IntN(len(all))]
	way := []*direction{&l.up, &l.down}[r.IntN(2)]
	span := func(lo, hi int) time.Duration { return time.Duration(lo+r.IntN(hi-lo)) * time.Millisecond }
	switch r.IntN(16) {
	case 0, 1:
		p.cuts++
		l.close(false)
	case 2, 3:
		p.resets++
		l.close(true)
	case 4, 5, 6:
		p.truncations++
		reset := r.IntN(2) == 0
		way.change(func(m *mood) { m.truncate, m.reset = true, reset })
	case 7, 8, 9:
		p.delays++
		delay, end := span(5, 250), time.Now().Add(span(200, 1500))
		way.change(func(m *mood) { m.delay, m.delayEnd = delay, end })
	case 10, 11:
		p.throttles++
		end := time.Now().Add(span(100, 1000))
		way.change(func(m *mood) { m.throttled = end })
	case 12, 13: // goes on afterwards
		p.stalls++
		end := time.Now().Add(span(100, 3000+4000*r.IntN(2)))
		way.change(func(m *mood) { m.stalled = end })
	case 14: // half open: nothing passes either way, then the end
		p.halves++
		life := span(500, 7000)
		for _, d := range []*direction{&l.up, &l.down} {
			end := time.Now().Add(life + time.Minute)
			d.change(func(m *mood) { m.stalled = end })
		}
		reset := r.IntN(2) == 0
		time.AfterFunc(life, func() { l.close(reset) })
	case 15: // the listener turns people away for a moment
		p.refusals++
		p.refuse = time.Now().Add(span(100, 600))
		l.close(r.IntN(2) == 0)
	}
}

// cutAll ends every connection, the ones of files too.
func (p *proxy) cutAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		p.cuts++
		l.close(true)
	}
}

// heal ends all damage.
func (p *proxy) heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.healed = true
	p.refuse = time.Time{}
	for l := range p.links {
		for _, d := range []*direction{&l.up, &l.down} {
			d.change(func(m *mood) { *m = mood{changed: m.changed} })
		}
	}
}
