package sync_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	stdsync "sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"timbre/core/store"
	"timbre/core/sync"
	"timbre/core/transport"
	"timbre/core/transport/linktest"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/sqlite"
	"timbre/tests/leaks"
)

func TestMain(m *testing.M) { leaks.Main(m) }

var errStop = &transport.Error{Code: tim.ErrSDKCommInterrupt, Text: "stopped"}

// entry is the log's entry at a position: peer "p<n>" was read up to seq, or the user came into a group or left it.
type entry struct {
	peer  string
	seq   uint64
	group string
	in    protocol.Membership
}

// server is a log and its server.
type server struct {
	*linktest.Server

	mu      stdsync.Mutex
	epoch   string
	log     []entry // position 1 is log[0]
	oldest  uint64  // the log reaches back to here
	session *linktest.Conn
	asked   map[string]int // operations
	fail    int            // so many questions are answered with "busy"
	cutOn   int            // so many questions are answered with a cut
	page    int
	limit   uint64 // entries in one answer
	groups  map[string]*groupLog
	slow    time.Duration // between reading groups and answering
	asking  int           // group differences that are being answered
	most    int           // the most at once
}

func newServer() *server {
	s := &server{Server: &linktest.Server{}, epoch: "e1", asked: map[string]int{}, page: 2, limit: 7, groups: map[string]*groupLog{}}
	s.Server.Login = func(c *linktest.Conn, r protocol.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.session = c
		c.Answer(r.ID, 0, protocol.Marshal(protocol.LoggedIn{Epoch: s.epoch, Pos: uint64(len(s.log)), Oldest: s.oldest}))
	}
	s.Server.Handle = s.handle
	return s
}

func (s *server) handle(c *linktest.Conn, r protocol.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked[r.Op]++
	if s.fail > 0 {
		s.fail--
		c.Answer(r.ID, protocol.CodeBusy, nil)
		return
	}
	if s.cutOn > 0 {
		s.cutOn--
		c.Cut()
		return
	}
	switch r.Op {
	case protocol.OpAttributes:
		c.Answer(r.ID, 0, protocol.Marshal(s.attributesPage(r.Body)))
	case protocol.OpDiff:
		var d protocol.Diff
		_ = json.Unmarshal(r.Body, &d)
		if d.Group != "" {
			s.groupDiff(c, r.ID, d)
			return
		}
		if d.Epoch != s.epoch || d.Pos < s.oldest || d.Pos > uint64(len(s.log)) {
			c.Answer(r.ID, 0, protocol.TooLongLog(s.epoch))
			return
		}
		to := min(d.Pos+s.limit, uint64(len(s.log)))
		c.Answer(r.ID, 0, s.piece(d.Pos+1, to, uint64(len(s.log))))
	case protocol.OpGroups:
		var q protocol.Groups
		_ = json.Unmarshal(r.Body, &q)
		body := protocol.Marshal(s.groupsPage(q))
		time.AfterFunc(s.slow, func() { c.Answer(r.ID, 0, body) })
	case protocol.OpSnapshot:
		var q protocol.Snapshot
		_ = json.Unmarshal(r.Body, &q)
		from := 0
		_, _ = fmt.Sscan(q.Cursor, &from)
		state := s.state()
		out := protocol.SnapshotPage{Epoch: s.epoch, Pos: uint64(len(s.log))}
		for i := from; i < peers && i < from+s.page; i++ {
			peer := fmt.Sprint("p", i)
			out.Convs = append(out.Convs, protocol.Conversation{Peer: peer, ReadSeq: state[peer]})
		}
		if from+s.page < peers {
			out.Cursor = fmt.Sprint(from + s.page)
		}
		c.Answer(r.ID, 0, protocol.Marshal(out))
	}
}

const peers = 5

func (s *server) state() map[string]uint64 {
	m := map[string]uint64{}
	for _, e := range s.log {
		if e.group != "" {
			continue
		}
		m[e.peer] = max(m[e.peer], e.seq)
	}
	return m
}

// piece is the log's body from one position to another. s.mu is held.
func (s *server) piece(from, to, pos uint64) []byte {
	var entries [][]byte
	for p := from; p <= to; p++ {
		e := protocol.Entry{Kind: protocol.EntryRead, Peer: s.log[p-1].peer, Seq: s.log[p-1].seq}
		if group := s.log[p-1].group; group != "" {
			e = protocol.Entry{Kind: protocol.EntryGroup, Group: group, Seq: p, Data: protocol.Marshal(s.log[p-1].in)}
		}
		entries = append(entries, e.Append(nil))
	}
	return protocol.AppendLog(nil, s.epoch, "", from, pos, entries)
}

// grow adds entries and returns their piece, which nobody has pushed yet.
func (s *server) grow(n int) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	from := uint64(len(s.log)) + 1
	for range n {
		s.log = append(s.log, entry{peer: fmt.Sprint("p", rand.N(peers)), seq: uint64(len(s.log) + 1)})
	}
	return s.piece(from, uint64(len(s.log)), 0)
}

// push sends a piece over the session's connection.
func (s *server) push(piece []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.session != nil {
		s.session.Push(protocol.PushLog, piece)
	}
}

func (s *server) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.session != nil {
		s.session.Cut()
		s.session = nil
	}
}

// lose begins a new log.
func (s *server) lose() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.epoch += "'"
	s.log, s.oldest = nil, 0
	for _, g := range s.groups {
		*g = groupLog{member: g.member, touched: time.Now().UnixMilli()}
	}
	if s.session != nil {
		s.session.Cut()
		s.session = nil
	}
}

// client is what is tested: the engine with a module that keeps positions.
type client struct {
	t      tb
	tt     testing.TB
	server *server
	store  *store.Store
	engine *sync.Engine
	link   *transport.Link
	wg     stdsync.WaitGroup

	mu         stdsync.Mutex
	waiting    int
	progress   []string
	finished   bool // in this run
	attributes []string
}

type tb interface {
	Fatalf(string, ...any)
	Errorf(string, ...any)
	Helper()
}

var schema = sqlite.Schema{Module: "test", Steps: []string{`
	CREATE TABLE state (peer TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT;
	CREATE TABLE applied (seq INTEGER PRIMARY KEY, times INTEGER NOT NULL DEFAULT 1) STRICT;` + groupTables}}

func start(t tb, tt testing.TB, s *server) *client {
	st, err := store.Open("", sync.Schema, schema)
	if err != nil {
		t.Fatalf("%v", err)
	}
	c := &client{t: t, tt: tt, server: s, store: st}
	c.run()
	return c
}

// run starts what a process would.
func (c *client) run() {
	ready := make(chan struct{})
	var engine *sync.Engine
	var link *transport.Link
	link = c.server.Link(c.tt, func(cfg *transport.Config) {
		cfg.Push = func(p *protocol.Push) { engine.Pushed(protocol.ParseLog(p.Body)) }
		cfg.Open = func(context.Context) {
			<-ready
			link.Login([]byte(`{}`), time.Minute, func(a protocol.Answer, err error) {
				var in protocol.LoggedIn
				if err != nil || a.Code != 0 || json.Unmarshal(a.Body, &in) != nil {
					return
				}
				link.Release()
				c.wg.Go(func() { engine.Begin(in) })
			})
		}
	})
	engine = sync.New(c.store, link, slog.New(slog.DiscardHandler), c, c, func() int {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.waiting
	})
	c.link, c.engine = link, engine
	close(ready)
}

// end ends the process; what it has applied stays.
func (c *client) end() {
	if up, _, _, _ := c.link.Connected(); !up {
		synctest.Wait() // linktest waits for ever for the request of a dial that is broken off
	}
	c.link.Stop(errStop)
	c.wg.Wait()
	c.engine.Stop()
	err := c.store.Write(context.Background(), func(*store.Tx) error { return nil }) // behind what the engine has submitted
	if err != nil {
		c.t.Errorf("%v", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.finished = false
}

func (c *client) restart() {
	c.end()
	c.run()
}

func (c *client) stop() {
	c.end()
	c.store.Close()
}

func (c *client) Apply(tx *store.Tx, e *protocol.Entry) error {
	if e.Group != "" || e.Kind == protocol.EntryNone {
		return c.applyGroup(tx, e)
	}
	if err := tx.Exec(`INSERT INTO applied (seq) VALUES (?) ON CONFLICT DO UPDATE SET times=times+1`, int64(e.Seq)); err != nil {
		return err
	}
	return c.read(tx, e.Peer, e.Seq)
}

func (c *client) read(tx *store.Tx, peer string, seq uint64) error {
	return tx.Exec(`INSERT INTO state VALUES (?,?) ON CONFLICT DO UPDATE SET seq=max(seq,excluded.seq)`, peer, int64(seq))
}

func (c *client) Forget(tx *store.Tx) error {
	for _, table := range []string{"applied", "state", "group_applied", "group_state"} {
		if err := tx.Exec(`DELETE FROM ` + table); err != nil {
			return err
		}
	}
	return nil
}

func (c *client) Snapshot(tx *store.Tx, conv *protocol.Conversation) error {
	return c.read(tx, conv.Peer, conv.ReadSeq)
}

func (c *client) Started()  { c.note("start") }
func (c *client) Finished() { c.note("finish") }
func (c *client) note(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.progress = append(c.progress, what)
	c.finished = c.finished || what == "finish"
}

// told is the progress so far.
func (c *client) told() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.progress)
}

// converged holds the client against the server and says whether every entry was applied once at most.
func (c *client) converged(s *server) {
	c.t.Helper()
	got, twice := map[string]uint64{}, 0
	err := c.store.Read(context.Background(), func(q sqlite.Queryer) error {
		if _, err := q.Get(`SELECT count(*) FROM applied WHERE times>1`, []any{&twice}); err != nil {
			return err
		}
		return q.Query(`SELECT peer,seq FROM state WHERE seq>0`, func(scan func(...any) error) error {
			var peer string
			var seq uint64
			err := scan(&peer, &seq)
			got[peer] = seq
			return err
		})
	})
	if err != nil {
		c.t.Fatalf("%v", err)
	}
	s.mu.Lock()
	want := s.state()
	s.mu.Unlock()
	if !maps.Equal(got, want) {
		c.t.Errorf("the client has %v, the server %v", got, want)
	}
	if twice > 0 {
		c.t.Errorf("%d entries were applied twice", twice)
	}
	c.statsAgree()
}

func (s *server) count(op string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[op]
}

func bubble(t *testing.T, prepare func(s *server), test func(t *testing.T, s *server, c *client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		if prepare != nil {
			prepare(s)
		}
		c := start(t, t, s)
		defer s.Close()
		defer c.stop()
		synctest.Wait()
		test(t, s, c)
		synctest.Wait()
		c.converged(s)
	})
}

func TestTheFirstLoginTakesASnapshot(t *testing.T) {
	bubble(t, func(s *server) { s.grow(50) }, func(t *testing.T, s *server, c *client) {
		if s.count(protocol.OpSnapshot) != 3 {
			t.Errorf("%d pages of 2 for %d conversations", s.count(protocol.OpSnapshot), peers)
		}
		if got := c.told(); !slices.Equal(got, []string{"start", "finish"}) {
			t.Errorf("progress %v", got)
		}
	})
}

func TestPushesInOrderAskNothing(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *server, c *client) {
		before := s.count(protocol.OpDiff)
		for range 20 {
			s.push(s.grow(3))
		}
		time.Sleep(time.Minute)
		if n := s.count(protocol.OpDiff) - before; n != 0 {
			t.Errorf("%d questions for a log without gaps", n)
		}
	})
}

func TestAGapThatClosesAsksNothing(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *server, c *client) {
		before := s.count(protocol.OpDiff)
		one, two, three := s.grow(1), s.grow(2), s.grow(1)
		s.push(three)
		s.push(two)
		synctest.Wait()
		time.Sleep(200 * time.Millisecond)
		s.push(one)
		time.Sleep(time.Minute)
		if n := s.count(protocol.OpDiff) - before; n != 0 {
			t.Errorf("%d questions for a gap that closed after 200 ms", n)
		}
	})
}

func TestAGapThatStaysIsAskedFor(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *server, c *client) {
		before := s.count(protocol.OpDiff)
		s.grow(3) // lost
		s.push(s.grow(2))
		synctest.Wait()
		time.Sleep(299 * time.Millisecond)
		if s.count(protocol.OpDiff) != before {
			t.Error("the gap was asked for before 300 ms")
		}
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		c.converged(s)
		if n := s.count(protocol.OpDiff) - before; n != 1 {
			t.Errorf("%d questions for one gap", n)
		}
	})
}

func TestDuplicatesDoNothing(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *server, c *client) {
		one := s.grow(3)
		two := s.grow(3)
		for _, p := range [][]byte{one, one, two, one, two, two} {
			s.push(p)
		}
	})
}

func TestAnOwnAnswerStandsForItsEntry(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *server, c *client) {
		before := s.count(protocol.OpDiff)
		s.push(s.grow(2))
		synctest.Wait()
		s.grow(1) // the server does not push it: the answer tells
		s.mu.Lock()
		pos, e := uint64(len(s.log)), s.log[len(s.log)-1]
		s.mu.Unlock()
		err := c.store.Write(context.Background(), func(tx *store.Tx) error {
			if err := c.read(tx, e.peer, e.seq); err != nil {
				return err
			}
			return c.engine.Applied(tx, "", pos)
		})
		if err != nil {
			t.Fatal(err)
		}
		s.push(s.grow(2))
		time.Sleep(time.Second)
		if n := s.count(protocol.OpDiff) - before; n != 0 {
			t.Errorf("%d questions, the answer should have closed the gap", n)
		}
	})
}

func TestAReconnectBringsTheDifference(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *server, c *client) {
		snapshots := s.count(protocol.OpSnapshot)
		s.cut()
		s.grow(40)
		time.Sleep(time.Minute)
		if s.count(protocol.OpSnapshot) != snapshots {
			t.Error("a snapshot for a gap within the log's reach")
		}
		if want := []string{"start", "finish", "start", "finish"}; fmt.Sprint(c.told()) != fmt.Sprint(want) {
			t.Errorf("progress %v, want %v", c.told(), want)
		}
	})
}

func TestTooLongTakesASnapshot(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *server, c *client) {
		snapshots := s.count(protocol.OpSnapshot)
		s.cut()
		s.grow(40)
		s.mu.Lock()
		s.oldest = 30
		s.mu.Unlock()
		time.Sleep(time.Minute)
		if s.count(protocol.OpSnapshot) == snapshots {
			t.Error("no snapshot although the log does not reach back that far")
		}
	})
}

func TestAnotherEpochForgetsTheOldLog(t *testing.T) {
	bubble(t, func(s *server) { s.grow(50) }, func(t *testing.T, s *server, c *client) {
		s.grow(1)
		s.push(s.grow(1)) // held behind a gap when the log is lost
		synctest.Wait()
		s.lose()
		s.grow(3)
		time.Sleep(time.Minute)
		synctest.Wait()
		c.converged(s)
		before := s.count(protocol.OpDiff)
		time.Sleep(time.Hour)
		if n := s.count(protocol.OpDiff) - before; n != 0 {
			t.Errorf("%d questions in a quiet hour after the loss", n)
		}
	})
}

func TestFailedQuestionsAreRepeated(t *testing.T) {
	bubble(t, func(s *server) { s.grow(20); s.fail = 3 }, func(t *testing.T, s *server, c *client) {
		if len(c.told()) != 1 {
			t.Errorf("progress %v while the server is busy", c.told())
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if fmt.Sprint(c.told()) != "[start finish]" {
			t.Errorf("progress %v", c.told())
		}
	})
}

func TestABusyHostStopsThePull(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *server, c *client) {
		c.mu.Lock()
		c.waiting = 20000
		c.mu.Unlock()
		s.cut()
		s.grow(50)
		before := s.count(protocol.OpDiff)
		time.Sleep(time.Minute)
		if n := s.count(protocol.OpDiff) - before; n != 0 {
			t.Errorf("%d questions while the host has 20,000 callbacks waiting", n)
		}
		c.mu.Lock()
		c.waiting = 0
		c.mu.Unlock()
		time.Sleep(time.Minute)
	})
}

// Whatever comes in whatever order, cut wherever: in the end the client has what the server has, each entry applied once.
func TestConvergence(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		steps := rapid.SliceOfN(rapid.IntRange(0, 11), 1, 40).Draw(rt, "steps")
		seed := rapid.Uint64().Draw(rt, "seed")
		var failed string
		synctest.Test(t, func(t *testing.T) {
			failed = converge(t, steps, rand.New(rand.NewPCG(seed, 1)))
		})
		if failed != "" {
			rt.Fatal(failed)
		}
	})
}

// recorder is a tb that does not end the test.
type recorder struct{ failed string }

func (r *recorder) Helper()                        {}
func (r *recorder) Errorf(format string, v ...any) { r.failed += fmt.Sprintf(format, v...) + "\n" }
func (r *recorder) Fatalf(format string, v ...any) { r.Errorf(format, v...) }

func converge(t *testing.T, steps []int, random *rand.Rand) string {
	s := newServer()
	r := &recorder{}
	c := start(r, t, s)
	defer s.Close()
	defer c.stop()
	var aside [][]byte // pieces that were not pushed when they should have been
	for _, step := range steps {
		switch step {
		case 0, 1, 2, 3:
			s.push(s.grow(1 + random.IntN(4)))
		case 4:
			aside = append(aside, s.grow(1+random.IntN(4)))
		case 5:
			if len(aside) > 0 {
				s.push(aside[random.IntN(len(aside))])
			}
		case 6:
			p := s.grow(1)
			s.push(p)
			s.push(p)
		case 7:
			time.Sleep(time.Duration(random.IntN(1000)) * time.Millisecond)
		case 8:
			s.cut()
		case 9:
			s.mu.Lock()
			s.fail, s.cutOn = random.IntN(2), random.IntN(3)
			s.mu.Unlock()
		case 10:
			s.mu.Lock()
			s.oldest = uint64(random.IntN(len(s.log) + 1))
			s.mu.Unlock()
		case 11:
			if random.IntN(3) == 0 {
				aside = nil
				s.lose()
			}
		}
		if random.IntN(2) == 0 {
			synctest.Wait()
		}
	}
	s.mu.Lock()
	s.fail, s.cutOn = 0, 0
	s.mu.Unlock()
	s.push(s.grow(1))
	time.Sleep(5 * time.Minute)
	synctest.Wait()
	c.converged(s)
	if told := c.told(); len(told) == 0 || told[len(told)-1] != "finish" {
		r.Errorf("progress %v", told)
	}
	before := s.count(protocol.OpDiff) + s.count(protocol.OpSnapshot)
	time.Sleep(time.Hour)
	if n := s.count(protocol.OpDiff) + s.count(protocol.OpSnapshot) - before; n != 0 {
		r.Errorf("%d questions in a quiet hour", n)
	}
	return r.failed
}
