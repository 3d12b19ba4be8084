package converge_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/tidwall/gjson"

	"timbre/core/event"
	"timbre/core/face"
	"timbre/model/tim"
)

// phone is a device that is used as an application uses the library: by calls with JSON, and callbacks.
type phone struct {
	s     *scene
	owner *person
	name  string
	proxy *proxy
	face  *face.Face
	host  *host
	watch func(event.Event) // gets every event, too, if there is one

	in      bool              // logged in, as far as the model knows
	away    bool              // nothing gets through
	dead    bool              // away in such a way that it cannot know
	drafts  map[conv]string   // they stay here
	known   map[conv]uint64   // newest numbers when it was last up to date
	waiting []effect          // of calls that it made while it was away
	told    map[string]uint64 // totals by filter that its host has been told of, or has read

	mu    sync.Mutex
	calls []*ring
}

// ring is a call whose callback must run exactly once.
type ring struct {
	name  string
	times int // phone.mu
	code  int
	desc  string
	json  string
	first chan struct{} // closed when the callback has run
}

// effect is what a call does to the model when the server has done it.
type effect struct {
	ring  *ring
	id    string // of a message that is being sent, "" for other calls
	all   bool   // it reads many conversations
	apply func(json string)
}

func newPhone(s *scene, owner *person, name string) *phone {
	p := &phone{s: s, owner: owner, name: name, proxy: newProxy(&s.target), drafts: map[conv]string{}, known: map[conv]uint64{},
		told: map[string]uint64{}}
	p.host = newHost(owner.name, map[string]bool{})
	return p
}

// callWord is the callback of calls; those of listeners are their setters' numbers.
const callWord = 1 << 32

// Getenv implements face.Host.
func (p *phone) Getenv(name string) string {
	if name == "TIM_SERVER_URL" {
		return p.proxy.url()
	}
	return ""
}

// Invoke implements face.Host.
func (p *phone) Invoke(_ tim.Callback, fn, userData uint64, args []event.Arg) {
	if fn != callWord {
		e := event.Event{Setter: tim.Op(fn), Args: args}
		p.host.Emit(e)
		if p.watch != nil {
			p.watch(e)
		}
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.calls[userData]
	if r.times++; r.times == 1 {
		r.code, r.desc, r.json = int(int32(args[0].Num)), args[1].Text, args[2].Text
		close(r.first)
	}
}

// listened is what the host listens to.
var listened = []tim.Op{tim.OpTIMAddRecvNewMsgCallback, tim.OpTIMSetMsgUpdateCallback, tim.OpTIMSetMsgRevokeCallback,
	tim.OpTIMSetMsgReadedReceiptCallback, tim.OpTIMSetConvEventCallback, tim.OpTIMSetKickedOfflineCallback,
	tim.OpTIMSetConvTotalUnreadMessageCountChangedCallback, tim.OpTIMSetConvUnreadMessageCountChangedByFilterCallback,
	tim.OpTIMSetConvConversationGroupCreatedCallback, tim.OpTIMSetConvConversationGroupDeletedCallback,
	tim.OpTIMSetConvConversationGroupNameChangedCallback, tim.OpTIMSetConvConversationsAddedToGroupCallback,
	tim.OpTIMSetConvConversationsDeletedFromGroupCallback}

// open starts the library on the phone's folder.
func (p *phone) open() {
	p.face = face.New(p, 0)
	for _, op := range append(slices.Clone(listened), told...) {
		if code := p.face.Call(op, []face.Value{{Num: uint64(op)}, {}}, false); code != 0 {
			p.s.fail("%s: %s returned %d", p.name, op, code)
		}
	}
	level := tim.LogOff
	if os.Getenv("TIMBRE_CONVERGE_LOG") != "" {
		level = tim.LogDebug
	}
	p.ask(tim.OpTIMSetConfig, object(tim.KeySetConfigLogLevel, level, face.ConfigKeepTrying, true))
	folder := filepath.Join(p.s.dir, p.name)
	p.call(tim.OpTIMInit, app, object(tim.KeySdkConfigConfigFilePath, folder, tim.KeySdkConfigLogFilePath, folder))
}

// close ends the library. Every call must have called back once then.
func (p *phone) close() {
	if p.face != nil {
		p.face.Close(false)
	}
	if err := p.answered(); err != nil {
		p.s.fail("%s is closed: %v", p.name, err)
	}
}

// answered says which call has not called back exactly once.
func (p *phone) answered() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.calls {
		if r.times != 1 {
			return fmt.Errorf("%s: %s called back %d times", p.name, r.name, r.times)
		}
	}
	return nil
}

// start makes a call and returns it. Texts, numbers and truth values in args fill the parameters in their order.
func (p *phone) start(op tim.Op, args ...any) *ring {
	r := &ring{name: fmt.Sprint(op, args), first: make(chan struct{})}
	p.mu.Lock()
	number := len(p.calls)
	p.calls = append(p.calls, r)
	p.mu.Unlock()
	if code := p.face.Call(op, values(op, uint64(number), args), false); code != 0 {
		p.s.fail("%s: %s returned %d", p.name, r.name, code)
	}
	return r
}

// call makes a call that has no callback.
func (p *phone) call(op tim.Op, args ...any) {
	if code := p.face.Call(op, values(op, 0, args), false); code != 0 {
		p.s.fail("%s: %s%v returned %d", p.name, op, args, code)
	}
}

func values(op tim.Op, word uint64, args []any) []face.Value {
	var all []face.Value
	for _, param := range op.Function().Params {
		var v face.Value
		switch param.Kind {
		case tim.KindCallback:
			v.Num = callWord
		case tim.KindUserData:
			v.Num = word
		default:
			v = value(args[0])
			args = args[1:]
		}
		all = append(all, v)
	}
	return all
}

func value(arg any) face.Value {
	switch v := arg.(type) {
	case string:
		return face.Value{Text: v}
	case int:
		return face.Value{Num: uint64(v)}
	case uint64:
		return face.Value{Num: v}
	case bool:
		if v {
			return face.Value{Num: 1}
		}
		return face.Value{}
	case func(string):
		return face.Value{Out: v}
	}
	panic(fmt.Sprintf("no argument: %T", arg))
}

// object makes JSON of keys and values.
func object(pairs ...any) string {
	m := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i].(string)] = pairs[i+1]
	}
	return text(m)
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // of plain values only
	}
	return string(b)
}

// end waits for a call to end.
func (p *phone) end(r *ring) {
	select {
	case <-r.first:
	case <-time.After(p.s.wait):
		p.s.fail("%s: %s does not call back", p.name, r.name)
	}
}

// ask makes a call that must succeed and returns its JSON.
func (p *phone) ask(op tim.Op, args ...any) string {
	r := p.start(op, args...)
	p.end(r)
	p.succeeded(r)
	return r.json
}

func (p *phone) succeeded(r *ring) {
	if r.code != 0 {
		p.s.fail("%s: %s: %d %s", p.name, r.name, r.code, r.desc)
	}
	for _, v := range gjson.Parse(r.json).Array() { // results by conversation
		if code := v.Get(tim.KeyConversationOperationResultResultCode).Int(); code != 0 {
			p.s.fail("%s: %s: %s", p.name, r.name, r.json)
		}
	}
}

// list is the list of conversations.
func (p *phone) list() []gjson.Result { return gjson.Parse(p.ask(tim.OpTIMConvGetConvList)).Array() }

// history is the whole of a conversation, newest first.
func (p *phone) history(c conv, cloud bool) []gjson.Result {
	page := p.ask(tim.OpTIMMsgGetMsgList, c.peer, c.typ, object(tim.KeyMsgGetMsgListParamCount, 1000, tim.KeyMsgGetMsgListParamIsRamble, cloud))
	if cloud {
		p.host.tell(page)
	}
	return gjson.Parse(page).Array()
}
