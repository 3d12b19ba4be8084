package converge_test

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// proxy is the way of one device to the server: it can be cut, blocked, and dead: then all seems well and nothing arrives.
type proxy struct {
	listener net.Listener
	target   *atomic.Value // string: where the server listens now

	mu      sync.Mutex
	blocked bool
	dead    bool
	conns   map[net.Conn]bool
	all     sync.WaitGroup
}

func newProxy(target *atomic.Value) *proxy {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err) // no loopback: nothing here can be tested
	}
	p := &proxy{listener: l, target: target, conns: map[net.Conn]bool{}}
	p.all.Go(p.accept)
	return p
}

func (p *proxy) url() string { return "ws://" + p.listener.Addr().String() }

func (p *proxy) accept() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.all.Go(func() { p.carry(c) })
	}
}

func (p *proxy) carry(client net.Conn) {
	defer client.Close()
	if !p.add(client) {
		return
	}
	defer p.remove(client)
	server, err := net.Dial("tcp", p.target.Load().(string))
	if err != nil {
		return
	}
	defer server.Close()
	if !p.add(server) {
		return
	}
	defer p.remove(server)
	var half sync.WaitGroup
	for _, way := range [][2]net.Conn{{client, server}, {server, client}} {
		half.Go(func() {
			_, _ = io.Copy(valve{p, way[1]}, way[0]) // the end of one half ends the other
			client.Close()
			server.Close()
		})
	}
	half.Wait()
}

// valve lets bytes through while the proxy is not dead.
type valve struct {
	p  *proxy
	to net.Conn
}

func (v valve) Write(b []byte) (int, error) {
	v.p.mu.Lock()
	dead := v.p.dead
	v.p.mu.Unlock()
	if dead {
		return len(b), nil
	}
	return v.to.Write(b)
}

func (p *proxy) add(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.blocked {
		p.conns[c] = true
	}
	return !p.blocked
}

func (p *proxy) remove(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

// cut breaks what is open.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.Close()
	}
}

// block cuts and lets nobody through from now on, or ends that.
func (p *proxy) block(on bool) {
	p.mu.Lock()
	p.blocked = on
	p.mu.Unlock()
	if on {
		p.cut()
	}
}

// die lets what is open stand and loses everything that is said from now on, or cuts what has stood so.
func (p *proxy) die(on bool) {
	if !on {
		p.cut() // first: no half of a frame may follow
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dead = on
}

func (p *proxy) close() {
	p.listener.Close()
	p.block(true)
	p.all.Wait()
}
