// Package face is the public interface without C: it checks a call's arguments and the client's state as the interface
// promises, hands the call to the engine, and brings results and events to the host's callbacks in order.
//
// A call goes through the same steps for every function, driven by the generated table in model/tim: required NULLs
// (-4), JSON (-3, or later through the callback where the table says so), the state (6013, 6014), then a typed handler.
// A call that returns 0 runs its callback exactly once, whatever happens to it; one that does not return 0 never does.
//
// Everything that runs in the host goes through one dispatch.Queue. A Face is one instance of the library: the first lives
// as long as the process, others until Close. A client lives from TIMInit to TIMUninit; the queue's generations keep
// callbacks of an earlier life from reaching a later one.
//
// Rejected: reflection over handler signatures (errors at run time), one exported Go function per C function (245 times
// the same guards).
package face

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"timbre/core/client"
	"timbre/core/dispatch"
	"timbre/core/event"
	"timbre/core/logs"
	"timbre/model/tim"
)

// drainTime is how long TIMUninit lets callbacks finish.
const drainTime = 2 * time.Second

// Value is one argument of a call.
type Value struct {
	Text string       // KindText
	Null bool         // the pointer was NULL
	Num  uint64       // KindNumber; for KindCallback and KindUserData the host's word
	Out  func(string) // KindOut: fills the caller's buffer
}

// Host is the process that the library lives in.
type Host interface {
	// Invoke runs a callback. The strings in args live as long as it runs.
	Invoke(cb tim.Callback, fn, userData uint64, args []event.Arg)
	// Getenv reads an environment variable as it is now. Go itself sees those of the process's start only.
	Getenv(name string) string
}

// Face is the interface of one account. All methods may be called from any goroutine.
type Face struct {
	instance  int64
	host      Host
	queue     *dispatch.Queue
	listeners listeners
	callbacks callbacks
	settings  *client.Settings
	log       *logs.Log
	logger    *slog.Logger
	lines     atomic.Int64 // the queue's generation that log lines belong to: after TIMUninit none reaches the host

	mu      sync.Mutex
	client  *client.Client
	leaving bool // TIMUninit is running
	closed  bool // Close was called
	inside  int  // calls that may be using the client
	left    *sync.Cond
}

// New returns the face of an instance before TIMInit. The number stands in its log and in the names of its log files.
func New(host Host, instance int64) *Face {
	f := &Face{instance: instance, host: host, queue: dispatch.New(), settings: client.NewSettings()}
	f.left = sync.NewCond(&f.mu)
	f.log = logs.New(instance, logs.Levels{File: tim.LogDebug, Callback: tim.LogDebug}, f.logLine)
	f.logger = f.log.Logger()
	return f
}

// Call makes one call of the public interface. inside says that the caller is inside one of this face's callbacks.
func (f *Face) Call(op tim.Op, args []Value, inside bool) int64 {
	c := &call{face: f, fn: op.Function(), args: args, inside: inside}
	defer c.rescue()
	if c.fn.Setter {
		f.listeners.set(op, args)
		return 0
	}
	if code := c.check(); code != 0 {
		return int64(code)
	}
	if direct, ok := directCalls[op]; ok {
		return direct(f, c)
	}
	return int64(f.dispatch(op, c))
}

// rescue turns a panic into a line of the log and an error callback; the call itself returns 0 then. Defer it.
func (c *call) rescue() {
	if r := recover(); r != nil {
		c.face.logger.Error("panic in a call", "function", c.fn.Name, "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
		c.fail(tim.ErrSDKInternalError, "internal error")
	}
}

// apart runs the rest of a call on its own goroutine.
func (c *call) apart(work func()) {
	c.client.Go(func() {
		defer c.rescue()
		work()
	})
}

// dispatch checks the state and runs the handler.
func (f *Face) dispatch(op tim.Op, c *call) int32 {
	var open bool
	if c.client, open = f.enter(); !open {
		return tim.ResultErrSDKUninit
	}
	defer f.leave()
	c.generation = f.queue.Generation() // after enter: TIMUninit, which begins the next one, waits for us
	handler, built := handlers[op]
	if built && handler.early != nil {
		if code := handler.early(c); code != 0 || c.used.Load() {
			return code
		}
	}
	code, text := c.state()
	early := code != 0 && handler.opened && c.opened()
	if code != 0 && handler.opening != 0 && c.opened() {
		code = handler.opening
	}
	if code != 0 && !early {
		if built && handler.refused != nil {
			handler.refused(c, code, text)
		} else {
			c.fail(code, text)
		}
		return 0
	}
	switch {
	case c.late != 0 && !early:
		c.fail(int(c.late), "not valid JSON")
	case !built:
		c.fail(tim.ErrSDKInterfaceNotSupport, "not built yet")
	default:
		handler.run(c)
	}
	return 0
}

// enter is current for calls that work on the client: TIMUninit waits until they have left. A closed face lets none in.
func (f *Face) enter() (c *client.Client, open bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, false
	}
	f.inside++
	if f.leaving {
		return nil, true
	}
	return f.client, true
}

func (f *Face) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.inside--
	f.left.Broadcast()
}

// current returns the client, nil outside of TIMInit and TIMUninit.
func (f *Face) current() *client.Client {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.leaving {
		return nil
	}
	return f.client
}

// call is one call on its way.
type call struct {
	face       *Face
	client     *client.Client
	fn         *tim.Function
	args       []Value
	raw        map[int]string // texts as the host gave them, where the JSON was normalised
	inside     bool
	generation int
	late       int32 // the code for bad JSON that the state outranks
	used       atomic.Bool
}

func (c *call) text(i int) string  { return c.args[i].Text }
func (c *call) number(i int) int64 { return int64(c.args[i].Num) }

// done posts the result to the call's callback, once. It is an event.Done.
func (c *call) done(code int, desc, json string) {
	if !c.used.CompareAndSwap(false, true) {
		return
	}
	if json == "" {
		json = c.fn.EmptyResult
		if code == 0 {
			json = ""
		}
	}
	c.post(len(c.args)-2, event.Num(int32(code)), event.Text(desc), event.Text(json))
}

func (c *call) fail(code int, desc string) {
	if c.fn.Op == tim.OpTIMMsgGetGroupMessageReadMemberList || c.fn.Op == tim.OpTIMMsgGetGroupMessageReadMembers {
		if c.used.CompareAndSwap(false, true) { // its callback has no place for a code
			c.post(len(c.args)-2, event.Text("[]"), event.Num(0), event.Num(1))
		}
		return
	}
	c.done(code, desc, "")
}

// post queues a call of the callback in parameter i.
func (c *call) post(i int, args ...event.Arg) {
	if i < 0 || c.fn.Params[i].Kind != tim.KindCallback || c.args[i].Num == 0 {
		return
	}
	fn, userData, cb := c.args[i].Num, c.args[len(c.args)-1].Num, c.fn.Params[i].Callback
	item := &dispatch.Item{Run: func() { c.face.invoke(c.fn.Name, cb, fn, userData, args) }}
	if !c.face.queue.Post(c.generation, item) && c.client == nil {
		c.face.queue.Post(c.face.queue.Generation(), item) // made while TIMUninit ended: nobody else answers it
	}
}

// slowCallback is from when on a callback is worth a line in the log.
const slowCallback = time.Second

// invoke runs a callback in the host.
func (f *Face) invoke(name string, cb tim.Callback, fn, userData uint64, args []event.Arg) {
	start := time.Now()
	outer := f.callbacks.begin(name)
	f.host.Invoke(cb, fn, userData, args)
	d := time.Since(start)
	f.callbacks.end(name, outer, d)
	if d > slowCallback && cb != tim.CallbackTIMLogCallback {
		f.logger.Warn("slow callback", "of", name, "took", d.Round(time.Millisecond))
	}
}
