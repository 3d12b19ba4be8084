// Package operator is what an operator may ask a running server for over HTTP. Who proves with a UserSig that he is the app's
// administrator is one: whoever has the app's secret can make it.
//
//	POST /admin/broadcast?app=ID   says something in all live rooms of the app; the body is a Message in public JSON, of
//	                               which message_elem_array, message_sender, message_priority and
//	                               message_cloud_custom_str count; answers {"rooms":N}
//	POST /admin/topic?app=ID&topic=ID  hands the body, a text, to all members of the topic's community
//	POST /admin/notify?app=ID&group=ID[&user=ID...]  hands the body, a text, to the members who are connected, or to those named
//	POST /admin/remove?app=ID&group=ID&user=ID[&user=ID...]  takes members out of a group, its owner too; the body is the reason
//	POST /admin/dismiss?app=ID&group=ID  ends a group
//
// Rejected: a port of its own (one more thing to open and to guard), a token in the settings (the app's secret is one).
package operator

import (
	"crypto/rand"
	"encoding/json"
	"io"
	random "math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/account"
	"timbre/server/message"
	"timbre/server/refusal"
)

// Administrator is the user whose UserSig an operator shows.
const Administrator = model.Administrator

// Rooms are the live rooms.
type Rooms interface {
	// Broadcast says something in all rooms of an app and returns how many those are.
	Broadcast(app uint64, m protocol.Message) int
}

// Operator serves the requests.
type Operator struct {
	tickets *account.Tickets
	rooms   Rooms
	groups  Groups
	limit   int // bytes in the fields of a message
	now     func() time.Time
	mux     *http.ServeMux
}

// New returns the handler of everything under /admin/.
func New(tickets *account.Tickets, rooms Rooms, groups Groups, limit int, now func() time.Time) *Operator {
	o := &Operator{tickets: tickets, rooms: rooms, groups: groups, limit: limit, now: now, mux: http.NewServeMux()}
	o.mux.HandleFunc("POST /admin/broadcast", o.broadcast)
	o.mux.HandleFunc("POST /admin/topic", o.inGroup(o.topic))
	o.mux.HandleFunc("POST /admin/notify", o.inGroup(o.notify))
	o.mux.HandleFunc("POST /admin/remove", o.inGroup(o.remove))
	o.mux.HandleFunc("POST /admin/dismiss", o.inGroup(o.dismiss))
	return o
}

// ServeHTTP lets operators in.
func (o *Operator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if _, ok := o.app(r); !ok {
		w.Header().Set("WWW-Authenticate", "Bearer")
		http.Error(w, "want ?app=ID and the UserSig of "+Administrator+" as bearer token", http.StatusUnauthorized)
		return
	}
	o.mux.ServeHTTP(w, r)
}

// app returns the app that a request is for, if it comes from its operator.
func (o *Operator) app(r *http.Request) (uint64, bool) {
	app, err := strconv.ParseUint(r.URL.Query().Get("app"), 10, 53)
	sig, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if err != nil || !bearer {
		return 0, false
	}
	_, err = o.tickets.Check(&protocol.Login{App: app, User: Administrator, Sig: sig}, o.now())
	return app, err == nil
}

func (o *Operator) broadcast(w http.ResponseWriter, r *http.Request) {
	app, _ := o.app(r)
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, protocol.MaxLine))
	if err != nil {
		http.Error(w, "the message is too long", http.StatusRequestEntityTooLarge)
		return
	}
	m, err := o.message(body)
	if err != nil {
		http.Error(w, refusal.Of(err).Desc, http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]int{"rooms": o.rooms.Broadcast(app, m)}) // whoever asked may be gone
}

// message makes a broadcast of a public message.
func (o *Operator) message(body []byte) (m protocol.Message, err error) {
	if !gjson.ValidBytes(body) {
		return m, refusal.New(tim.ErrSVRMsgInvalidJSONBodyFormat, "this is no JSON")
	}
	given := gjson.ParseBytes(body)
	m.From = Administrator
	if from := given.Get(tim.KeyMsgSender); from.Exists() {
		m.From = from.String()
	}
	if !model.ValidUserID(m.From) {
		return m, refusal.New(tim.ErrSVRMsgInvalidID, "this is no user's id")
	}
	elements := given.Get(tim.KeyMsgElemArray).Raw
	if elements == "" {
		elements = "[]"
	}
	m.Key = "broadcast:" + rand.Text()
	m.Content = o.content([]byte(elements), given)
	_, err = message.Check(m.Content, o.limit)
	return m, err
}

// content is a message as a client would have made it.
func (o *Operator) content(elements []byte, given gjson.Result) []byte {
	now, number := o.now().Unix(), random.Uint32()
	id := strconv.FormatUint(account.TinyID(0), 10) + "-" + strconv.FormatInt(now, 10) + "-" + strconv.FormatUint(uint64(number), 10)
	extra := []byte(`{"` + tim.KeyMsgIsBroadcastMessage + `":true}`)
	for _, key := range []string{tim.KeyMsgPriority, tim.KeyMsgCloudCustomStr} {
		if v := given.Get(key); v.Exists() {
			extra, _ = sjson.SetRawBytes(extra, key, []byte(v.Raw)) // it is valid JSON
		}
	}
	return protocol.Marshal(map[string]any{"id": id, "ct": now, "r": number, "p": tim.PlatformOther,
		protocol.ContentElements: json.RawMessage(elements), protocol.ContentExtra: json.RawMessage(extra)})
}
