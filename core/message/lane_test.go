package message

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidwall/gjson"
	"pgregory.net/rapid"

	"timbre/core/conversation"
	"timbre/core/media"
	"timbre/core/outbox"
	"timbre/core/store"
	"timbre/core/transport"
	"timbre/core/transport/linktest"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/sqlite"
)

// slow is a media.Files whose uploads last until the test lets them end.
type slow struct {
	mu   sync.Mutex
	open []chan error
}

var _ Files = (*slow)(nil)

func (s *slow) Upload(ctx context.Context, l media.Local, progress media.Progress) (media.Stored, error) {
	end := make(chan error, 1)
	s.mu.Lock()
	s.open = append(s.open, end)
	s.mu.Unlock()
	progress(0, 2)
	select {
	case err := <-end:
		if err == nil {
			progress(2, 2)
		}
		return media.Stored{ID: "file " + l.Name, URL: "http://files/" + l.Name, Size: 2}, err
	case <-ctx.Done():
		return media.Stored{}, ctx.Err()
	}
}

func (s *slow) Download(context.Context, media.Remote, string, media.Progress) error {
	return errors.New("not here")
}

func (s *slow) Prepare(string, int) (media.Image, error) {
	return media.Image{}, errors.New("not here")
}

// end ends one of the uploads, and says whether there is one.
func (s *slow) end(r *rand.Rand, err error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.open) == 0 {
		return false
	}
	i := r.IntN(len(s.open))
	s.open[i] <- err
	s.open = slices.Delete(s.open, i, i+1)
	return true
}

// nowhere is a Positions without logs.
type nowhere struct{}

func (nowhere) Applied(*store.Tx, string, uint64) error        { return nil }
func (nowhere) Stands(*store.Tx, uint64, protocol.Entry) error { return nil }
func (nowhere) Doubt(*store.Tx) error                          { return nil }
func (nowhere) Follow(*store.Tx, string, uint64)               {}
func (nowhere) Unfollow(*store.Tx, string)                     {}
func (nowhere) Catch()                                         {}

// life is one process of the client on its folder.
type life struct {
	*Messages
	link  *transport.Link
	files *slow
	dead  atomic.Bool // it was killed: nothing of it reaches the server or anybody else
}

// sending is a message and what its caller heard.
type sending struct {
	life      *life
	text, id  string
	peer      string
	file      bool
	calls     atomic.Int32
	code      atomic.Int32
	killed    bool // its process was killed before it had called back
	cancelled atomic.Bool
}

// desk is a client that sends, with its server.
type desk struct {
	t       *testing.T
	random  *rand.Rand
	patient bool
	folder  string
	file    string // what is uploaded
	server  *linktest.Server
	now     *life
	all     []*sending

	mu    sync.Mutex
	keys  map[string]bool
	texts map[string][]string // what the server has, by receiver, in its order
	held  []func()            // answers that do not go out yet
	hold  bool
}

func newDesk(t *testing.T, seed uint64) *desk {
	d := &desk{t: t, random: rand.New(rand.NewPCG(seed, 2)), folder: t.TempDir(), server: &linktest.Server{}, keys: map[string]bool{},
		texts: map[string][]string{}}
	d.patient = seed%2 == 0
	d.file = filepath.Join(t.TempDir(), "film")
	if err := os.WriteFile(d.file, []byte("ab"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.server.Handle = d.handle
	d.begin()
	return d
}

// handle stores a message once for each key and answers, now or later.
func (d *desk) handle(c *linktest.Conn, r protocol.Request) {
	s := protocol.ParseSend(r.Body)
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.keys[r.Key] {
		d.keys[r.Key] = true
		e := gjson.GetBytes(s.Content, "el.0")
		d.texts[s.To] = append(d.texts[s.To], e.Get(tim.KeyTextElemContent).String()+e.Get(tim.KeyFileElemFileName).String())
		if e.Get(tim.KeyElemType).Int() == tim.ElemFile && e.Get(tim.KeyFileElemFileId).String() == "" {
			d.t.Errorf("a message left before its file: %s", s.Content)
		}
	}
	answer := func() { c.Answer(r.ID, 0, protocol.AppendSent(nil, d.numbered(s))) }
	if d.hold {
		d.held = append(d.held, answer)
		return
	}
	answer()
}

// numbered is the answer to a message that the server has.
func (d *desk) numbered(s protocol.Send) protocol.Sent {
	e := gjson.GetBytes(s.Content, "el.0")
	text := e.Get(tim.KeyTextElemContent).String() + e.Get(tim.KeyFileElemFileName).String()
	n := uint64(slices.Index(d.texts[s.To], text) + 1)
	return protocol.Sent{Seq: n, Time: int64(n), Count: n}
}

// begin starts a process on the folder and logs in.
func (d *desk) begin() {
	time.Sleep(time.Millisecond) // no process begins at the very moment when another ended
	l := &life{files: &slow{}}
	st, err := store.Open(d.folder, conversation.Schema, Schema, outbox.Schema, SearchSchema)
	if err != nil {
		d.t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	book := conversation.New(deaf{}, func(q sqlite.Queryer, c *conversation.Conversation) string { return ConversationJSON(q, c, "ann") })
	l.Messages = New(Self{User: "ann", TinyID: func() uint64 { return 7 }, Device: "device", Platform: func() int { return 0 },
		Timeout: func() time.Duration { return time.Minute }, Patient: func() bool { return d.patient }, Now: time.Now,
		Ended: func() int { return tim.ErrSDKNotLoggedIn }}, st, book, deaf{}, log)
	l.link = d.server.Link(d.t, func(c *transport.Config) {
		c.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			if l.dead.Load() {
				return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
			}
			return d.server.Dial(ctx, network, address)
		}
	})
	out := outbox.New(st, l.link, log, map[string]outbox.Kind{KindSend: Sender{M: l.Messages}})
	l.Connect(out, l.link, nowhere{}, l.files)
	if err := l.OpenAccepted(d.folder, nil); err != nil {
		d.t.Fatal(err)
	}
	for _, load := range []func(*store.Tx) error{out.Load, l.LoadUploads} {
		if err := st.Write(context.Background(), load); err != nil {
			d.t.Fatal(err)
		}
	}
	out.Online()
	d.now = l
}

// finish ends a process as a logout does.
func (l *life) finish() {
	why := &transport.Error{Code: tim.ErrSDKNotLoggedIn, Text: "logged out"}
	l.link.Close()
	l.outbox.Stop(why)
	l.link.FailAll(why)
	l.StopUploads(why)
	l.store.Close()
	l.Messages.Close()
	l.link.Stop(why)
}

func (d *desk) restart() {
	d.now.finish()
	for _, s := range d.all {
		if s.life == d.now && s.calls.Load() != 1 {
			d.t.Errorf("%s: %d callbacks when its process ended", s.text, s.calls.Load())
		}
	}
	d.begin()
}

// kill goes on with a copy of the folder as it is, and the process that was there is gone.
func (d *desk) kill() {
	synctest.Wait()
	old := d.now
	old.dead.Store(true)
	d.cut()
	synctest.Wait()
	copied := d.t.TempDir()
	if err := os.CopyFS(copied, os.DirFS(d.folder)); err != nil {
		d.t.Fatal(err)
	}
	for _, s := range d.all {
		s.killed = s.killed || s.life == old && s.calls.Load() == 0
	}
	old.finish()
	d.folder = copied
	d.begin()
}

func (d *desk) cut() {
	if c := d.server.Conn(); c != nil {
		c.Cut()
	}
}

func (d *desk) send(file bool) {
	s := &sending{life: d.now, text: fmt.Sprint("m", len(d.all)), peer: []string{"bob", "cid"}[d.random.IntN(2)], file: file}
	json := fmt.Sprintf(`{"message_elem_array":[{"elem_type":0,"text_elem_content":"%s"}]}`, s.text)
	if file {
		json = fmt.Sprintf(`{"message_elem_array":[{"elem_type":4,"file_elem_file_path":"%s","file_elem_file_name":"%s"}]}`, d.file, s.text)
	}
	draft, err := d.now.NewDraft(tim.ConvC2C, s.peer, json)
	if err != nil {
		d.t.Fatal(err)
	}
	s.id = draft.MsgID()
	d.all = append(d.all, s)
	l := d.now
	l.Send(draft, func(code int, _, _ string) {
		if !l.dead.Load() {
			s.code.Store(int32(code))
			s.calls.Add(1)
		}
	})
}

func (d *desk) cancel() {
	if len(d.all) == 0 {
		return
	}
	s := d.all[d.random.IntN(len(d.all))]
	subject, err := d.now.Subject(tim.ConvC2C, s.peer, gjson.Parse(`{"message_msg_id":"`+s.id+`"}`))
	if err != nil {
		d.t.Fatal(err)
	}
	l := d.now
	l.Cancel(subject, func(code int, _, _ string) {
		if code == 0 && !l.dead.Load() {
			s.cancelled.Store(true)
		}
	})
}

func (d *desk) release() {
	d.mu.Lock()
	held := d.held
	d.held, d.hold = nil, false
	d.mu.Unlock()
	for _, answer := range held {
		answer()
	}
}

func (d *desk) step(n int) {
	switch n {
	case 0, 1, 2:
		d.send(false)
	case 3, 4:
		d.send(true)
	case 5, 6:
		d.now.files.end(d.random, nil)
	case 7:
		d.now.files.end(d.random, &transport.Error{Code: tim.ErrSVRResInvalidParameters, Text: "the file is refused"})
	case 8, 9:
		d.cancel()
	case 10:
		d.mu.Lock()
		d.hold = true
		d.mu.Unlock()
	case 11:
		d.release()
	case 12:
		d.cut()
	case 13:
		d.restart()
	case 14:
		d.kill()
	case 15:
		time.Sleep(time.Duration(d.random.IntN(90)) * time.Second)
	}
}

// Whatever is sent, uploaded, cancelled, cut, logged out and killed, in whatever order: each message is on the server at
// most once, and it is there unless its caller heard of an error; texts of one lane keep their order and wait for no file.
func TestLanesWithFiles(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		steps := rapid.SliceOfN(rapid.IntRange(0, 15), 1, 40).Draw(rt, "steps")
		seed := rapid.Uint64().Draw(rt, "seed")
		failed := ""
		synctest.Test(t, func(t *testing.T) {
			d := newDesk(t, seed)
			defer func() {
				d.now.finish()
				d.server.Close()
			}()
			for _, n := range steps {
				d.step(n)
				if d.random.IntN(2) == 0 {
					synctest.Wait()
				}
			}
			failed = d.settle()
		})
		if failed != "" {
			rt.Fatal(failed)
		}
	})
}

// settle lets everything end and returns what is wrong then.
func (d *desk) settle() string {
	d.release()
	time.Sleep(40 * time.Second) // reconnecting; uploads have a minute
	synctest.Wait()
	for _, s := range d.all {
		if !s.file && s.code.Load() == 0 && !s.cancelled.Load() && !slices.Contains(d.texts[s.peer], s.text) {
			return s.text + " waits for a file"
		}
	}
	for d.now.files.end(d.random, nil) {
		synctest.Wait()
	}
	time.Sleep(5 * time.Minute)
	synctest.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range d.all {
		if why := d.wrong(s); why != "" {
			return fmt.Sprintf("%s to %s (file %v, code %d, %d callbacks, killed %v): %s", s.text, s.peer, s.file, s.code.Load(), s.calls.Load(), s.killed, why)
		}
	}
	return d.order()
}

// wrong is what is wrong with one message.
func (d *desk) wrong(s *sending) string {
	there := 0
	for _, text := range d.texts[s.peer] {
		if text == s.text {
			there++
		}
	}
	if calls := s.calls.Load(); calls != 1 && !s.killed || calls > 1 {
		return "not one callback"
	}
	status, code := d.status(s), s.code.Load()
	switch {
	case there > 1:
		return "doubled"
	case s.cancelled.Load():
		if there > 0 || status != tim.MsgCancel {
			return fmt.Sprintf("cancelled and all the same there, its status is %d", status)
		}
	case there == 0 && s.file && s.killed: // its upload stopped or was refused when nobody waited any more
		if status != tim.MsgSendFail {
			return fmt.Sprintf("lost, its status is %d", status)
		}
	case there == 0 && (code == 0 || d.patient && !s.file):
		return fmt.Sprintf("lost, its status is %d", status)
	case s.file && s.killed && status == tim.MsgSendFail: // logged out before the answer came: the log, which is not here, would tell
	case code == 0 && status != tim.MsgSendSucc:
		return fmt.Sprintf("its status is %d", status)
	}
	return ""
}

func (d *desk) status(s *sending) int {
	subject, err := d.now.Subject(tim.ConvC2C, s.peer, gjson.Parse(`{"message_msg_id":"`+s.id+`"}`))
	if err != nil || subject.row == nil {
		return -1
	}
	return subject.row.Status
}

// order finds texts of one lane that have overtaken each other.
func (d *desk) order() string {
	for peer, texts := range d.texts {
		last := -1
		for _, text := range texts {
			i := slices.IndexFunc(d.all, func(s *sending) bool { return s.text == text })
			if d.all[i].file {
				continue
			}
			if i < last {
				return fmt.Sprintf("the order with %s is %v", peer, texts)
			}
			last = i
		}
	}
	return ""
}
