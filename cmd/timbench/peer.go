package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/gorilla/websocket"

	"timbre/model/usersig"
	"timbre/protocol"
)

// connect opens a connection and logs a user in.
func connect(o *options, user string) (*websocket.Conn, error) {
	app, err := strconv.ParseUint(o.app, 10, 53)
	if err != nil {
		return nil, fmt.Errorf("app id: %w", err)
	}
	ws, _, err := (&websocket.Dialer{HandshakeTimeout: 10 * time.Second, ReadBufferSize: 16 << 10}).Dial(o.url, nil)
	if err != nil {
		return nil, err
	}
	login := protocol.Request{ID: 1, Op: protocol.OpLogin, Body: protocol.Marshal(protocol.Login{
		Version: protocol.Version, App: app, User: user, Device: user, Platform: "linux", Client: "timbench",
		Sig: usersig.Make(app, o.secret, user, time.Now(), time.Hour),
	})}
	if err := ws.WriteMessage(websocket.TextMessage, login.Append(nil)); err != nil {
		ws.Close()
		return nil, err
	}
	_, frame, err := ws.ReadMessage()
	if err == nil {
		err = accepted(frame)
	}
	if err != nil {
		ws.Close()
		return nil, err
	}
	return ws, nil
}

func accepted(line []byte) error {
	a, push, ok := protocol.ParseServerLine(line)
	if !ok || push != nil || a.Code != 0 {
		return fmt.Errorf("login refused: %d %s", a.Code, a.Desc)
	}
	var in protocol.LoggedIn
	return json.Unmarshal(a.Body, &in)
}

// readLines calls fn for every line from the server until the connection ends.
func readLines(ws *websocket.Conn, fn func(protocol.Answer, *protocol.Push)) {
	for {
		_, frame, err := ws.ReadMessage()
		if err != nil {
			return
		}
		protocol.Lines(frame, func(line []byte) bool {
			if a, p, ok := protocol.ParseServerLine(line); ok {
				fn(a, p)
			}
			return true
		})
	}
}
