// Package converge_test holds clients against the server: whatever users do on their devices, and whatever happens to
// links, clients and the server meanwhile, in the end every device shows what the server has for its user, and the events
// that it got say the same as its answers. It is here because core and server know nothing of each other.
//
// There are two tests. In TestDevicesConverge (world, device, acts, oracle) everything happens at once and the server is
// asked what is right. In TestDevicesFollowTheModel (scene, phone, step, model) one thing happens after the other, on phones
// of which some are off the network or behind, and a model in plain maps says what is right: it also knows what the server
// may have wrong.
package converge_test

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"timbre/model/tim"
	"timbre/model/usersig"
	"timbre/protocol"
	"timbre/server/config"
	"timbre/tests/leaks"
)

func TestMain(m *testing.M) {
	leaks.Main(m, http.DefaultClient.CloseIdleConnections)
}

const (
	app      = 1400000001
	secret   = "a secret that is long enough for a test"
	group    = "friends"
	patience = time.Minute // for what must happen; the pauses between dials grow to half of it
)

func ticket(user string) string {
	return usersig.Make(app, secret, user, time.Now().Add(-24*time.Hour), 30*24*time.Hour)
} // clocks jump

// world is a server, three users in one group, and their devices.
type world struct {
	t       *rapid.T
	dir     string
	syncing bool // deletions follow to the user's other devices
	target  atomic.Value
	stop    func()
	users   []*user
	devices []*device
	sent    int // texts made

	mu    sync.Mutex
	calls []*answer
}

// user is somebody with devices.
type user struct {
	name   string
	oracle *oracle
	// erased are ids of messages that one of his devices asked the server to delete.
	erased map[string]bool
}

// conv names a conversation from the side of one user.
type conv struct {
	typ  int
	peer string
}

func newWorld(t *rapid.T, dir string) *world {
	w := &world{t: t, dir: dir, syncing: rapid.Bool().Draw(t, "deletions follow")}
	w.startServer()
	for i, name := range []string{"ann", "bob", "cid"} {
		u := &user{name: name, oracle: newOracle(w, name), erased: map[string]bool{}}
		w.users = append(w.users, u)
		for n := range 2 - i/2 { // the third has one device
			d := newDevice(w, u, fmt.Sprint(name, n+1))
			d.patient = rapid.Bool().Draw(t, d.name+" keeps trying")
			w.devices = append(w.devices, d)
		}
	}
	for _, d := range w.devices {
		d.start()
	}
	w.makeGroup()
	return w
}

func (w *world) makeGroup() {
	c := w.devices[0].call("create the group")
	w.devices[0].client.Account().Groups.Create(protocol.CreateGroup{ID: group, Type: tim.GroupPrivate, Name: group,
		Members: []protocol.NewMember{{User: w.users[1].name}, {User: w.users[2].name}}}, c.done)
	if c.code != 0 {
		w.t.Fatalf("no group: %d %s", c.code, c.desc)
	}
}

// convs are the conversations that a user may use: with each other user, and the group.
func (w *world) convs(u *user) []conv {
	list := []conv{{tim.ConvGroup, group}}
	for _, other := range w.users {
		if other != u {
			list = append(list, conv{tim.ConvC2C, other.name})
		}
	}
	return list
}

func (w *world) startServer() {
	addr, stop := serve(w.t, w.dir, time.Now, func(c *config.Config) { c.Devices, c.SyncDeletions = "all", w.syncing })
	w.target.Store(addr)
	w.stop = stop
}

// close ends everything. A client that is closed checks its calls once more.
func (w *world) close() {
	for _, d := range w.devices {
		d.stop()
		d.proxy.close()
	}
	for _, u := range w.users {
		u.oracle.close()
	}
	w.stop()
}

// eventually repeats a check until it finds nothing wrong.
func (w *world) eventually(what string, check func() error) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	var err error
	for end := time.Now().Add(patience); time.Now().Before(end); <-tick.C {
		if err = check(); err == nil {
			return
		}
	}
	w.t.Fatalf("%s: %v", what, err)
}

// rest lets everything come to its end and checks all that must hold then.
func (w *world) rest() {
	for _, d := range w.devices {
		d.proxy.block(false)
	}
	w.eventually("the calls", func() error { return w.answered(nil) })
	for _, d := range w.devices {
		w.eventually(d.name, d.agrees)
	}
}

// answered says which call of a device, nil meaning all, has not called back exactly once.
func (w *world) answered(of *device) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.calls {
		if of != nil && c.device != of {
			continue
		}
		if n := c.times.Load(); n != 1 {
			return fmt.Errorf("%s called back %d times", c.name, n)
		}
	}
	return nil
}

// answer is that of a call of a device whose callback must run exactly once.
type answer struct {
	device *device
	name   string
	times  atomic.Int32
	code   int
	desc   string
	json   string
	then   func(c *answer)
}

func (c *answer) done(code int, desc, json string) {
	c.code, c.desc, c.json = code, desc, json
	if c.then != nil {
		c.then(c)
	}
	c.times.Add(1)
}
