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
	ws, _, err := enter(o, user, false)
	return ws, err
}

// enter is connect that also returns what the server answered. resume goes on with a session that had a connection before.
func enter(o *options, user string, resume bool) (*websocket.Conn, protocol.LoggedIn, error) {
	var in protocol.LoggedIn
	app, err := strconv.ParseUint(o.app, 10, 53)
	if err != nil {
		return nil, in, fmt.Errorf("app id: %w", err)
	}
	ws, _, err := (&websocket.Dialer{HandshakeTimeout: time.Minute, ReadBufferSize: 16 << 10}).Dial(o.url, nil)
	if err != nil {
		return nil, in, err
	}
	login := protocol.Request{ID: 1, Op: protocol.OpLogin, Body: protocol.Marshal(protocol.Login{
		Version: protocol.Version, App: app, User: user, Device: user, Platform: "linux", Client: "timbench", Resume: resume,
		Sig: usersig.Make(app, o.secret, user, time.Now(), time.Hour),
	})}
	if err := ws.WriteMessage(websocket.TextMessage, login.Append(nil)); err != nil {
		ws.Close()
		return nil, in, err
	}
	if err := answer(ws, &in); err != nil {
		ws.Close()
		return nil, in, fmt.Errorf("login: %w", err)
	}
	return ws, in, nil
}

// answer reads the answer to the only request that is on its way.
func answer(ws *websocket.Conn, body any) error {
	_, frame, err := ws.ReadMessage()
	if err != nil {
		return err
	}
	a, push, ok := protocol.ParseServerLine(frame)
	if !ok || push != nil || a.Code != 0 {
		return fmt.Errorf("refused: %d %s", a.Code, a.Desc)
	}
	return json.Unmarshal(a.Body, body)
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
