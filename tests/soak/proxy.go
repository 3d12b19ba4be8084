package main

import (
	"io"
	"net"
	"sync"
	"time"
)

// refusal is how long every third cut lasts: new connections are closed at once.
const refusal = 3 * time.Second

// proxy stands between the accounts and the server and cuts all connections when it is told to.
type proxy struct {
	listener net.Listener
	target   string

	mu     sync.Mutex
	open   map[net.Conn]struct{}
	refuse time.Time
	cuts   []time.Time
}

func newProxy(target string) (*proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: l, target: target, open: map[net.Conn]struct{}{}}
	go p.accept()
	return p, nil
}

func (p *proxy) accept() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		go p.pass(c)
	}
}

func (p *proxy) pass(client net.Conn) {
	defer client.Close()
	server, err := net.DialTimeout("tcp", p.target, time.Second)
	if err != nil {
		return
	}
	defer server.Close()
	p.mu.Lock()
	if time.Now().Before(p.refuse) {
		p.mu.Unlock()
		return
	}
	p.open[client], p.open[server] = struct{}{}, struct{}{}
	p.mu.Unlock()
	go func() {
		_, _ = io.Copy(server, client) // the end of one direction ends both
		server.Close()
	}()
	_, _ = io.Copy(client, server)
	p.mu.Lock()
	delete(p.open, client)
	delete(p.open, server)
	p.mu.Unlock()
}

// cut ends all connections: with a reset, politely, or politely and nobody is let in for some seconds.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	kind := len(p.cuts) % 3
	p.cuts = append(p.cuts, time.Now())
	if kind == 2 {
		p.refuse = time.Now().Add(refusal)
	}
	for c := range p.open {
		if tcp, ok := c.(*net.TCPConn); ok && kind == 0 {
			_ = tcp.SetLinger(0) // then closing sends a reset
		}
		c.Close()
	}
}
