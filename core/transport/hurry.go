package transport

import "timbre/core/guard"

// Hurry ends a back-off and forgets the failures that made it long: somebody wants the connection now.
func (l *Link) Hurry() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failures, l.short = 0, 0
	if l.conn == nil {
		l.awake()
	}
}

// NetworkChanged says that the machine's network is another one: a connection that stands is asked whether it lives, with
// little patience; a dial that is under way begins again; a back-off ends.
func (l *Link) NetworkChanged() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failures, l.short, l.beat = 0, 0, newHeartbeat()
	if l.conn != nil {
		l.conn.ask(nowPatience, false)
		return
	}
	l.again()
}

// ProxyChanged connects anew when the present connection was made through another proxy than the one to use now.
func (l *Link) ProxyChanged() {
	now := l.proxy()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failures, l.short = 0, 0
	switch {
	case l.conn == nil:
		l.again()
	case l.conn.proxy != now:
		l.conn.end(&Error{Text: "the proxy changed"})
		l.awake()
	}
}

// Drop closes the present connection; the link connects again when there is need. why is what the host is told, with code
// 0 when nothing is wrong. What it returns is closed when the host has been told; a handler must not wait for that.
func (l *Link) Drop(why *Error) (told <-chan struct{}) {
	l.mu.Lock()
	conn := l.conn
	l.mu.Unlock()
	if conn == nil {
		nothing := make(chan struct{})
		close(nothing)
		return nothing
	}
	conn.end(why)
	return conn.told
}

// again begins the dial that is under way once more, or ends the wait for the next one. l.mu is held.
func (l *Link) again() {
	if l.dialing == nil {
		l.awake()
		return
	}
	l.dialing.again = true
	l.dialing.cancel()
}

// awake ends a wait, the next one if there is none now. l.mu is held.
func (l *Link) awake() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// proxy names the way that the next connection takes.
func (l *Link) proxy() (name string) {
	guard.Run(l.cfg.Log, "asking for the proxy", func() {
		if u, err := l.cfg.Proxy(); err == nil && u != nil {
			name = u.String()
		}
	})
	return name
}
