package outbox_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"timbre/core/outbox"
	"timbre/core/store"
	"timbre/core/transport"
	"timbre/core/transport/linktest"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/sqlite"
	"timbre/tests/leaks"
)

func TestMain(m *testing.M) { leaks.Main(m) }

var errStop = &transport.Error{Code: tim.ErrSDKCommInterrupt, Text: "stopped"}

// kind records the ends of intents.
type kind struct {
	mu     sync.Mutex
	ends   []string
	broken bool // Confirmed fails: the database refuses the outcome
}

func (k *kind) Request(q sqlite.Queryer, ref int64) (string, []byte, error) {
	return "op", []byte(fmt.Sprint(ref)), nil
}

func (k *kind) end(format string, args ...any) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ends = append(k.ends, fmt.Sprintf(format, args...))
}

func (k *kind) Confirmed(tx *store.Tx, in *outbox.Intent, body []byte) error {
	if k.broken {
		return fmt.Errorf("the disk is full")
	}
	tx.After(func() { k.end("%d confirmed", in.Ref) })
	return nil
}

func (k *kind) Failed(tx *store.Tx, in *outbox.Intent, why *transport.Error) error {
	tx.After(func() { k.end("%d failed %d", in.Ref, why.Code) })
	return nil
}

func (k *kind) Lost(in *outbox.Intent, why *transport.Error) { k.end("%d lost %d", in.Ref, why.Code) }

// box is an outbox with all that it needs.
type box struct {
	t      *testing.T
	server *linktest.Server
	link   *transport.Link
	store  *store.Store
	kind   *kind
	out    *outbox.Outbox
	keys   int
}

func bubble(t *testing.T, test func(b *box)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &box{t: t, server: &linktest.Server{}, kind: &kind{}}
		b.server.Handle = func(c *linktest.Conn, r protocol.Request) { c.Answer(r.ID, 0, []byte(`{}`)) }
		b.link = b.server.Link(t, nil)
		var err error
		if b.store, err = store.Open("", outbox.Schema); err != nil {
			t.Fatal(err)
		}
		b.out = b.fresh()
		defer func() {
			b.out.Stop(errStop)
			b.link.Stop(errStop)
			b.store.Close()
			b.server.Close()
		}()
		test(b)
	})
}

func (b *box) fresh() *outbox.Outbox {
	return outbox.New(b.store, b.link, slog.New(slog.DiscardHandler), map[string]outbox.Kind{"k": b.kind})
}

// add makes an intent as a module does.
func (b *box) add(lane string, ref int64, timeout time.Duration, keep bool) {
	b.keys++
	in := &outbox.Intent{Lane: lane, Kind: "k", Ref: ref, Key: fmt.Sprint("key", b.keys), Op: "op", Body: []byte(fmt.Sprint(ref)),
		Timeout: timeout, Keep: keep}
	err := b.store.Write(context.Background(), func(tx *store.Tx) error {
		tx.After(func() { b.out.Enter(in) })
		return outbox.Add(tx, in)
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *box) want(ends ...string) {
	b.t.Helper()
	synctest.Wait()
	b.kind.mu.Lock()
	defer b.kind.mu.Unlock()
	if !slices.Equal(b.kind.ends, ends) {
		b.t.Errorf("the intents ended %q, want %q", b.kind.ends, ends)
	}
}

func (b *box) left() (n int) {
	b.t.Helper()
	err := b.store.Read(context.Background(), func(q sqlite.Queryer) error {
		_, err := q.Get(`SELECT count(*) FROM outbox`, []any{&n})
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

func confirmed(from, to int) (ends []string) {
	for i := from; i <= to; i++ {
		ends = append(ends, fmt.Sprintf("%d confirmed", i))
	}
	return ends
}

func TestALaneKeepsItsOrderAndItsWindow(t *testing.T) {
	bubble(t, func(b *box) {
		var held []protocol.Request
		most := 0
		b.server.Handle = func(c *linktest.Conn, r protocol.Request) {
			held = append(held, r)
			most = max(most, len(held))
		}
		b.out.Online()
		for i := 1; i <= 25; i++ {
			b.add("lane", int64(i), time.Minute, false)
		}
		for n := 0; n < 25; n++ {
			synctest.Wait()
			r := held[0]
			if want := fmt.Sprint(n + 1); string(r.Body) != want {
				t.Fatalf("request %d is that of intent %s", n+1, r.Body)
			}
			held = held[1:]
			b.server.Conn().Answer(r.ID, 0, []byte(`{}`))
		}
		b.want(confirmed(1, 25)...)
		if most != outbox.Window {
			t.Errorf("up to %d intents of a lane were unanswered, want %d", most, outbox.Window)
		}
		if n := b.left(); n != 0 || b.out.Depth() != 0 {
			t.Errorf("%d rows are left, the depth is %d", n, b.out.Depth())
		}
	})
}

func TestLanesDoNotWaitForEachOther(t *testing.T) {
	bubble(t, func(b *box) {
		b.server.Handle = func(c *linktest.Conn, r protocol.Request) {
			if string(r.Body) != "1" {
				c.Answer(r.ID, 0, []byte(`{}`))
			}
		}
		b.out.Online()
		b.add("stuck", 1, time.Minute, false)
		b.add("free", 2, time.Minute, false)
		b.want("2 confirmed")
	})
}

func TestNothingLeavesBeforeOnline(t *testing.T) {
	bubble(t, func(b *box) {
		b.add("lane", 1, 0, false)
		time.Sleep(time.Hour)
		b.want()
		b.out.Online()
		b.want("1 confirmed")
	})
}

func TestABusyServerIsAskedAgainInOrder(t *testing.T) {
	bubble(t, func(b *box) {
		busy, seen := 2, []string{}
		b.server.Handle = func(c *linktest.Conn, r protocol.Request) {
			seen = append(seen, string(r.Body)+r.Key)
			if busy > 0 {
				busy--
				c.Answer(r.ID, protocol.CodeBusy, nil)
				return
			}
			c.Answer(r.ID, 0, []byte(`{}`))
		}
		b.out.Online()
		b.add("lane", 1, time.Minute, false)
		time.Sleep(5 * time.Second)
		b.want("1 confirmed")
		if want := []string{"1key1", "1key1", "1key1"}; !slices.Equal(seen, want) {
			t.Errorf("the server saw %v, want the same key every time", seen)
		}
	})
}

func TestTheServersRefusalEndsAnIntent(t *testing.T) {
	bubble(t, func(b *box) {
		b.server.Handle = func(c *linktest.Conn, r protocol.Request) { c.Answer(r.ID, 20003, nil) }
		b.out.Online()
		b.add("lane", 1, time.Minute, false)
		b.add("lane", 2, time.Minute, true)
		b.want("1 failed 20003", "2 failed 20003")
		if n := b.left(); n != 0 {
			t.Errorf("%d rows are left", n)
		}
	})
}

func TestDeadlines(t *testing.T) {
	bubble(t, func(b *box) {
		b.server.Handle = func(*linktest.Conn, protocol.Request) {} // never answers
		b.out.Online()
		for i := 1; i <= outbox.Window; i++ {
			b.add("lane", int64(i), time.Minute, false)
		}
		b.add("lane", 11, time.Second, false) // stays in the queue
		time.Sleep(2 * time.Second)
		b.want("11 failed 9518")
		time.Sleep(time.Minute)
		synctest.Wait()
		b.kind.mu.Lock()
		slices.Sort(b.kind.ends) // those with one and the same deadline end in any order
		b.kind.mu.Unlock()
		want := []string{"11 failed 9518"}
		for i := 1; i <= outbox.Window; i++ {
			want = append(want, fmt.Sprintf("%d failed 9520", i))
		}
		slices.Sort(want)
		b.want(want...)
	})
}

func TestAKeptIntentOutlivesItsDeadline(t *testing.T) {
	bubble(t, func(b *box) {
		synctest.Wait()
		b.server.Refuse(true)
		b.server.Conn().Cut()
		synctest.Wait()
		b.out.Online()
		b.add("lane", 1, time.Second, true)
		time.Sleep(2 * time.Second)
		b.want("1 failed 9523")
		if n := b.left(); n != 1 {
			t.Errorf("%d rows are left, want the kept one", n)
		}
		b.server.Refuse(false)
		time.Sleep(2 * time.Minute)
		b.want("1 failed 9523", "1 confirmed")
	})
}

func TestALostAnswerIsAskedForWithTheSameKey(t *testing.T) {
	bubble(t, func(b *box) {
		var keys []string
		b.server.Handle = func(c *linktest.Conn, r protocol.Request) {
			if keys = append(keys, r.Key); len(keys) == 1 {
				c.Cut()
				return
			}
			c.Answer(r.ID, 0, []byte(`{}`))
		}
		b.out.Online()
		b.add("lane", 1, time.Minute, false)
		time.Sleep(30 * time.Second)
		b.want("1 confirmed")
		if want := []string{"key1", "key1"}; !slices.Equal(keys, want) {
			t.Errorf("keys %v, want %v", keys, want)
		}
	})
}

func TestStopAnswersWhoeverWaits(t *testing.T) {
	bubble(t, func(b *box) {
		b.server.Handle = func(*linktest.Conn, protocol.Request) {}
		b.out.Online()
		for i := 1; i <= 12; i++ {
			b.add("lane", int64(i), time.Hour, i == 12)
		}
		b.add("lane", 13, 0, false) // nobody waits
		synctest.Wait()
		b.out.Stop(errStop)
		b.link.FailAll(errStop)
		b.add("lane", 14, time.Hour, false) // accepted while the session ended
		synctest.Wait()
		b.kind.mu.Lock()
		slices.Sort(b.kind.ends)
		b.kind.mu.Unlock()
		var want []string
		for i := 1; i <= 14; i++ {
			if i != 13 {
				want = append(want, fmt.Sprintf("%d failed 7009", i))
			}
		}
		slices.Sort(want)
		b.want(want...)
		if n := b.left(); n != 2 {
			t.Errorf("%d rows are left, want the kept one and the one that nobody waits for", n)
		}
		b.kind.ends = nil
		b.server.Handle = func(c *linktest.Conn, r protocol.Request) { c.Answer(r.ID, 0, []byte(`{}`)) }
		b.server.Conn().Cut()
		time.Sleep(time.Minute)
		b.out = b.fresh() // the next login
		if err := b.store.Write(context.Background(), b.out.Load); err != nil {
			t.Fatal(err)
		}
		b.out.Online()
		b.want("12 confirmed", "13 confirmed")
	})
}

func TestWhatAnEarlierProcessLeftGoesFirst(t *testing.T) {
	bubble(t, func(b *box) {
		for i := 1; i <= 20; i++ {
			b.add("lane", int64(i), 0, false)
		}
		b.out = b.fresh() // the process died; the next one begins before its login has finished
		b.add("lane", 21, time.Minute, false)
		if err := b.store.Write(context.Background(), b.out.Load); err != nil {
			t.Fatal(err)
		}
		var seen []string
		b.server.Handle = func(c *linktest.Conn, r protocol.Request) {
			seen = append(seen, string(r.Body))
			c.Answer(r.ID, 0, []byte(`{}`))
		}
		b.out.Online()
		b.want(confirmed(1, 21)...)
		for i, body := range seen {
			if body != fmt.Sprint(i+1) {
				t.Fatalf("the server saw %v", seen)
			}
		}
	})
}

func TestADatabaseThatRefusesTheOutcome(t *testing.T) {
	bubble(t, func(b *box) {
		b.kind.broken = true
		b.out.Online()
		b.add("lane", 1, time.Minute, false)
		b.want(fmt.Sprintf("1 lost %d", tim.ErrSDKCommDatabaseFailure))
		if n := b.left(); n != 1 {
			t.Errorf("%d rows are left, want the intent", n)
		}
		b.kind.broken = false
		b.add("lane", 2, time.Minute, false)
		b.want(fmt.Sprintf("1 lost %d", tim.ErrSDKCommDatabaseFailure), "2 confirmed")
	})
}
