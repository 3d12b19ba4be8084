package main

import (
	"fmt"
	"strconv"

	"github.com/gorilla/websocket"

	"timbre/protocol"
)

// fill logs users in once, so that the server knows them, and has the first one write messages to somebody whom it knows.
func fill(o *options) error {
	for i := range o.count {
		ws, err := connect(o, o.users+strconv.Itoa(i))
		if err != nil {
			return err
		}
		ws.Close()
	}
	if o.messages == 0 {
		return nil
	}
	ws, err := connect(o, o.users+"0")
	if err != nil {
		return err
	}
	defer ws.Close()
	return write(ws, o)
}

// write sends the messages, a frame full of them at a time.
func write(ws *websocket.Conn, o *options) error {
	const full = 256
	for first := 0; first < o.messages; first += full {
		n := min(full, o.messages-first)
		var frame []byte
		for i := first; i < first+n; i++ {
			r := protocol.Request{ID: uint64(i + 2), Op: protocol.OpSend, Key: "fill." + strconv.Itoa(i),
				Body: protocol.AppendSend(nil, o.to, false, numbered(i))}
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
func numbered(i int) []byte {
	return fmt.Appendf(nil, `{"id":"1-1-%d","ct":1,"r":%d,"p":1,"el":[{"elem_type":0,"text_elem_content":"number %d of many 你好"}]}`, i, i, i)
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
