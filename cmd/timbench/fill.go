package main

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/gorilla/websocket"

	"timbre/protocol"
)

// fill logs users in once, so that the server knows them, and has the first one, or all of them, write messages to somebody
// whom it knows.
func fill(o *options) error {
	next, failed := make(chan int), make(chan error, fillers)
	for range fillers {
		go func() {
			var err error
			for i := range next {
				if err == nil {
					err = fillOne(o, i)
				}
			}
			failed <- err
		}()
	}
	for i := range o.count {
		next <- i
	}
	close(next)
	var err error
	for range fillers {
		err = errors.Join(err, <-failed)
	}
	return err
}

// fillers is how many users are logged in at the same time, so that they share the server's commits.
const fillers = 32

func fillOne(o *options, i int) error {
	ws, err := connect(o, o.users+strconv.Itoa(i))
	if err != nil {
		return err
	}
	defer ws.Close()
	switch {
	case o.each:
		return write(ws, o, i, o.messages/o.count)
	case i == 0:
		return write(ws, o, i, o.messages)
	}
	return nil
}

// write sends messages, a frame full of them at a time.
func write(ws *websocket.Conn, o *options, user, messages int) error {
	const full = 256
	for first := 0; first < messages; first += full {
		n := min(full, messages-first)
		var frame []byte
		for i := first; i < first+n; i++ {
			r := protocol.Request{ID: uint64(i + 2), Op: protocol.OpSend, Key: "fill." + strconv.Itoa(i),
				Body: protocol.AppendSend(nil, o.to, false, numbered(user, i))}
			frame = r.Append(frame)
		}
		if err := ws.WriteMessage(websocket.TextMessage, frame); err != nil {
			return err
		}
		if err := answered(ws, n); err != nil {
			return err
		}
	}
	return nil
}

// numbered is a message with an id of its own.
func numbered(user, i int) []byte {
	return fmt.Appendf(nil, `{"id":"%d-1-%d","ct":1,"r":%d,"p":1,"el":[{"elem_type":0,"text_elem_content":"number %d of many 你好"}]}`,
		user+1, i, i, i)
}

// answered waits until so many messages were accepted.
func answered(ws *websocket.Conn, n int) error {
	for n > 0 {
		_, frame, err := ws.ReadMessage()
		if err != nil {
			return err
		}
		protocol.Lines(frame, func(line []byte) bool {
			a, push, ok := protocol.ParseServerLine(line)
			if !ok || a.Code != 0 {
				err = fmt.Errorf("a message was refused: %d %s", a.Code, a.Desc)
			} else if push == nil {
				n--
			}
			return err == nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
