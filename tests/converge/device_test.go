package converge_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/tidwall/gjson"

	"timbre/core/client"
	"timbre/core/message"
	"timbre/model/tim"
)

// device is a client with its folder and its way to the server.
type device struct {
	w       *world
	user    *user
	name    string
	patient bool // messages wait for the network and survive the client
	proxy   *proxy
	client  *client.Client
	host    *host

	announced map[string]bool
	missing   map[string]bool // ids that this device may lack: it deleted them, or tried to
	gone      map[string]bool // ids that it must lack
	emptied   map[conv]int64  // when a conversation was emptied last, in seconds: what came to it meanwhile went too
}

func newDevice(w *world, u *user, name string) *device {
	return &device{w: w, user: u, name: name, proxy: newProxy(&w.target), announced: map[string]bool{},
		missing: map[string]bool{}, gone: map[string]bool{}, emptied: map[conv]int64{}}
}

// start opens the device's folder and logs in.
func (d *device) start() {
	d.proxy.block(false)
	d.host = newHost(d.user.name, d.announced)
	s := client.NewSettings()
	s.Change(func(v *client.Values) {
		v.Server, v.DataFolder, v.KeepTrying = d.proxy.url(), filepath.Join(d.w.dir, d.name), d.patient
		v.Timeout = patience / 2
	})
	d.client = client.New(client.Config{AppID: app, Settings: s, Sink: d.host, Log: logger(d.name)})
	if why := d.client.OpenCache(d.user.name); why != nil {
		d.w.t.Fatalf("%s: %v", d.name, why)
	}
	d.host.begin(conversations(d.messages()), d.everything())
	in := make(chan string, 1)
	c := d.call("log in")
	c.then = func(c *answer) { in <- fmt.Sprint(c.code, " ", c.desc) }
	d.client.Login(d.user.name, ticket(d.user.name), c.done)
	select {
	case got := <-in:
		if got != "0 " {
			d.w.t.Fatalf("%s cannot log in: %s", d.name, got)
		}
	case <-time.After(patience):
		d.w.t.Fatalf("%s: the login has no end", d.name)
	}
}

// logger is silent unless somebody looks for a fault.
func logger(name string) *slog.Logger {
	if os.Getenv("TIMBRE_CONVERGE_LOG") == "" {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, nil)).With("device", name)
}

// stop ends the client. Every call must have called back then.
func (d *device) stop() {
	d.client.Close()
	if err := d.w.answered(d); err != nil {
		d.w.t.Errorf("%s is closed: %v", d.name, err)
	}
}

func (d *device) messages() *message.Messages { return d.client.Account().Messages }

// call begins a call that must call back once.
func (d *device) call(format string, args ...any) *answer {
	c := &answer{device: d, name: d.name + ": " + fmt.Sprintf(format, args...)}
	d.w.t.Log(c.name)
	d.w.mu.Lock()
	defer d.w.mu.Unlock()
	d.w.calls = append(d.w.calls, c)
	return c
}

// page reads a page of history and lets the host see it.
func (d *device) page(p message.Page, online bool) []gjson.Result {
	var list []gjson.Result
	d.messages().History(p, online, func(code int, desc, json string) {
		if code != 0 {
			d.w.t.Errorf("%s: history: %d %s", d.name, code, desc)
		}
		list = gjson.Parse(json).Array()
		if online {
			d.host.tell(json)
		}
	})
	return list
}

// everything is what lies on the device, newest first.
func (d *device) everything() (all []gjson.Result) {
	for _, c := range d.w.convs(d.user) {
		all = append(all, d.page(message.Page{Type: c.typ, Peer: c.peer, Count: 1000}, false)...)
	}
	return all
}

// through pages through a whole conversation.
func (d *device) through(c conv, count int, newer bool) (all []gjson.Result, err error) {
	p := message.Page{Type: c.typ, Peer: c.peer, Count: count, Newer: newer, Cloud: true}
	for {
		list := d.page(p, true)
		if len(list) > count {
			return nil, fmt.Errorf("a page of %d messages, asked for %d", len(list), count)
		}
		if len(list) == 0 {
			return all, nil
		}
		all = append(all, list...)
		p.LastMsg = list[len(list)-1]
		if len(all) > 10000 {
			return nil, fmt.Errorf("paging has no end")
		}
	}
}

// agrees says what differs between the device and the server, or between the device and what its host was told.
func (d *device) agrees() error {
	if err := d.host.agrees(conversations(d.messages()), d.everything()); err != nil {
		return err
	}
	views, err := d.user.oracle.views()
	if err != nil {
		return err
	}
	convs := conversations(d.messages())
	for _, c := range d.w.convs(d.user) {
		v := views[c]
		if v == nil {
			v = &view{}
		}
		if err := d.compare(c, v, convs); err != nil {
			return fmt.Errorf("with %s: %w", c.peer, err)
		}
	}
	return nil
}

func (d *device) compare(c conv, v *view, convs []gjson.Result) error {
	count := 1 + d.w.sent%7
	older, err := d.through(c, count, false)
	if err != nil {
		return err
	}
	newer, err := d.through(c, count+2, true)
	if err != nil {
		return err
	}
	slices.Reverse(newer)
	if a, b := ids(older), ids(newer); !slices.Equal(a, b) {
		return fmt.Errorf("paging back %v, paging forth %v", a, b)
	}
	if err := d.sameHistory(c, v, older); err != nil {
		return err
	}
	i := slices.IndexFunc(convs, func(x gjson.Result) bool { return keyOf(x) == fmt.Sprint(c.typ, " ", c.peer) })
	if i < 0 {
		if v.unread > 0 {
			return fmt.Errorf("%d are unread and the conversation is not in the list", v.unread)
		}
		return nil
	}
	if n := convs[i].Get(tim.KeyConvUnReadNum).Uint(); n != v.unread {
		return fmt.Errorf("%d are unread, at the server %d; %s", n, v.unread, outline(older))
	}
	return sameLast(convs[i], older)
}

// sameLast checks that the conversation shows the newest message that may be shown.
func sameLast(c gjson.Result, older []gjson.Result) error {
	want := ""
	for _, m := range older {
		if !m.Get(tim.KeyMsgExcludedFromLastMessage).Bool() {
			want = m.Get(tim.KeyMsgMsgId).String()
			break
		}
	}
	if got := c.Get(tim.KeyConvLastMsg).Get(tim.KeyMsgMsgId).String(); got != want {
		return fmt.Errorf("the last message is %q, the newest in the history %q", got, want)
	}
	return nil
}

// outline shows who said what, and what of it does not count as unread.
func outline(list []gjson.Result) (out []string) {
	for _, m := range list {
		counts := map[bool]string{true: " uncounted"}[m.Get(tim.KeyMsgIsExcludedFromUnreadCount).Bool()]
		out = append(out, fmt.Sprint(m.Get(tim.KeyMsgSeq), " ", m.Get(tim.KeyMsgSender), counts))
	}
	return out
}

func ids(list []gjson.Result) (out []string) {
	for _, m := range list {
		out = append(out, m.Get(tim.KeyMsgElemArray+".0."+tim.KeyTextElemContent).String()+" "+m.Get(tim.KeyMsgMsgId).String())
	}
	return out
}

// sameHistory holds the device's history, newest first, against the server's.
func (d *device) sameHistory(c conv, v *view, older []gjson.Result) error {
	here := map[string]bool{}
	last := uint64(1) << 62
	at := map[string]fact{}
	for _, f := range v.msgs {
		at[f.ID] = f
	}
	for _, m := range older {
		f := factOf(m, d.user.name)
		if here[f.ID] {
			return fmt.Errorf("twice in the history: %+v", f)
		}
		here[f.ID] = true
		if d.gone[f.ID] {
			return fmt.Errorf("deleted here and still there: %+v", f)
		}
		want, numbered := at[f.ID]
		if !numbered {
			if !d.mayStay(f, m, v) {
				return fmt.Errorf("not on the server: %s", m.Raw)
			}
			continue
		}
		if f != want {
			return fmt.Errorf("here\n%+v\nthere\n%+v", f, want)
		}
		if seen := m.Get(tim.KeyMsgIsPeerRead).Bool(); f.Sender == d.user.name && seen != (f.Seq <= v.seenSeq) {
			return fmt.Errorf("read by its receiver: here %v, there up to %d: %+v", seen, v.seenSeq, f)
		}
		if f.Seq >= last {
			return fmt.Errorf("out of order: %+v", f)
		}
		last = f.Seq
	}
	for _, f := range v.msgs {
		if !here[f.ID] && !d.mayLack(c, f) {
			return fmt.Errorf("not here: %+v", f)
		}
	}
	return nil
}

// mayLack says whether a message may be missing here: it was deleted, or it came while its conversation was being emptied.
func (d *device) mayLack(c conv, f fact) bool {
	d.w.mu.Lock()
	defer d.w.mu.Unlock()
	var number, sent int64
	_, err := fmt.Sscanf(f.ID, "%d-%d-", &number, &sent)
	return d.missing[f.ID] || err == nil && sent <= d.emptied[c]
}

// mayStay says whether a device may show what the server does not: it never got there, or it was deleted on another
// device and deletions do not follow.
func (d *device) mayStay(f fact, m gjson.Result, v *view) bool {
	if !m.Get(message.KeyServerTimeMs).Exists() {
		return f.Status == tim.MsgSendFail && !d.patient
	}
	return !d.w.syncing && (d.user.erased[f.ID] || f.Seq <= v.clear)
}
