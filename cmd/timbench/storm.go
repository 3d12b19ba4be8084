package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"timbre/protocol"
)

// storm has many clients lose their connections and come back at the same moment.
func storm(o *options) error {
	title(o)
	links, err := all(o, nil) // accounts are made at the first login
	if err != nil {
		return err
	}
	held := resident(o.pid)
	for _, ws := range links {
		ws.NetConn().Close()
	}
	took := make([]time.Duration, o.clients)
	if links, err = all(o, took); err != nil {
		return err
	}
	for _, ws := range links {
		ws.Close()
	}
	slices.Sort(took)
	r := result{latencies: took}
	fmt.Printf("%d clients come back: the last one served after %.0f ms, p50 %.0f ms, p99 %.0f ms\n", o.clients,
		r.quantile(1), r.quantile(0.5), r.quantile(0.99))
	if o.pid != 0 {
		fmt.Printf("server: %d KB resident with their connections\n", held)
	}
	fmt.Println(stormMethod)
	return nil
}

// all connects every client. With took they all begin at the same moment, as resumed sessions that catch up, and each one's
// time stands there afterwards.
func all(o *options, took []time.Duration) ([]*websocket.Conn, error) {
	links := make([]*websocket.Conn, o.clients)
	errs := make([]error, o.clients)
	begin, turns := make(chan struct{}), make(chan struct{}, fillers)
	var start time.Time
	var wg sync.WaitGroup
	for i := range links {
		user := "storm" + strconv.Itoa(i)
		wg.Go(func() {
			<-begin
			if took != nil {
				links[i], errs[i] = comeBack(o, user)
				took[i] = time.Since(start)
				return
			}
			turns <- struct{}{}
			links[i], errs[i] = connect(o, user)
			<-turns
		})
	}
	start = time.Now()
	close(begin)
	wg.Wait()
	return links, errors.Join(errs...)
}

// comeBack logs in and asks for what was missed.
func comeBack(o *options, user string) (*websocket.Conn, error) {
	ws, in, err := enter(o, user, true)
	if err != nil {
		return nil, err
	}
	r := protocol.Request{ID: 2, Op: protocol.OpDiff, Body: protocol.Marshal(protocol.Diff{Epoch: in.Epoch, Pos: in.Pos, Limit: protocol.MaxDiff})}
	if err = ws.WriteMessage(websocket.TextMessage, r.Append(nil)); err == nil {
		err = answer(ws, new(json.RawMessage))
	}
	if err != nil {
		ws.Close()
		return nil, fmt.Errorf("%s: %w", user, err)
	}
	return ws, nil
}
