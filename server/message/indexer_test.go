package message_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidwall/gjson"

	"timbre/protocol"
	"timbre/server/changelog"
	"timbre/server/message"
	"timbre/server/store"
	"timbre/sqlite"
)

// bench is the module with its index over a database of its own, and a clock that the test turns.
type bench struct {
	t        tester
	store    *store.Store
	messages *message.Messages
	ahead    time.Duration
	keys     int
}

// tester is what tests, benchmarks and properties have in common.
type tester interface {
	Helper()
	Fatal(...any)
}

func newBench(t testing.TB) *bench { return benchIn(t, t.TempDir()) }

func benchIn(t tester, dir string) *bench {
	t.Helper()
	b := &bench{t: t}
	log := changelog.New(time.Now)
	rules := message.Rules{Search: true, Keep: 24 * time.Hour}
	b.messages = message.New(log, names{}, rules, func() time.Time { return time.Now().Add(b.ahead) })
	s, err := store.Open(store.Config{Dir: dir, Schemas: []sqlite.Schema{changelog.Schema(), message.Schema(), message.IndexSchema()}})
	if err != nil {
		t.Fatal(err)
	}
	b.store = s
	return b
}

func (b *bench) send(from, to int64, text string) {
	b.sendMany(1, func(int) (int64, int64) { return from, to }, text)
}

// sendMany sends n messages in one transaction.
func (b *bench) sendMany(n int, between func(int) (from, to int64), text string) {
	b.t.Helper()
	b.write(func(tx *sqlite.Tx) error {
		for i := range n {
			from, to := between(i)
			b.keys++
			if _, _, err := b.messages.Send(tx, &message.Outgoing{From: user(from), To: user(to), Key: fmt.Sprint("k", b.keys), Content: content(text)}); err != nil {
				return err
			}
		}
		return nil
	})
}

func content(text string) []byte {
	return fmt.Appendf(nil, `{"el":[{"elem_type":0,"text_elem_content":%q}]}`, text)
}

func (b *bench) write(fn func(*sqlite.Tx) error) {
	b.t.Helper()
	if err := b.store.Write(context.Background(), fn); err != nil {
		b.t.Fatal(err)
	}
}

func twoUsers(int) (int64, int64) { return 1, 2 }

// found is how many messages of all his conversations, of the newest 20, a user finds by what is in the index now.
func (b *bench) found(uid int64, word string) (n int) {
	b.t.Helper()
	ask := &message.Question{User: user(uid), Search: protocol.Search{Keywords: []string{word}}}
	if err := b.messages.CheckSearch(&ask.Search); err != nil {
		b.t.Fatal(err)
	}
	err := b.store.Read(context.Background(), func(q sqlite.Queryer) error {
		body, err := b.messages.Search(q, ask)
		for _, total := range gjson.GetBytes(body, "convs.#.total").Array() {
			n += int(total.Int())
		}
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

// documents is how many messages the index has, whoever may see them.
func (b *bench) documents() (n int) {
	b.t.Helper()
	err := b.store.Read(context.Background(), func(q sqlite.Queryer) error {
		_, err := q.Get(`SELECT count(*) FROM msg_search_doc`, []any{&n})
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

// desk is the database as the indexer sees it, with a queue as long as the test says.
type desk struct {
	*store.Store
	queued atomic.Int64
	writes atomic.Int64
}

func (d *desk) Queued() int { return int(d.queued.Load()) }

func (d *desk) Write(ctx context.Context, fn func(*sqlite.Tx) error) error {
	d.writes.Add(1)
	return d.Store.Write(ctx, fn)
}

// index runs the indexer until the test's bubble ends.
func (b *bench) index(d *desk) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		message.NewIndexer(b.messages, d, slog.New(slog.DiscardHandler)).Run(ctx)
	}()
	return func() { cancel(); <-done }
}

func TestIndexerWaitsWhileTheWriterIsBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		defer b.store.Close()
		d := &desk{Store: b.store}
		d.queued.Store(1000)
		defer b.index(d)()
		b.sendMany(200, twoUsers, "hello")
		time.Sleep(time.Hour)
		if n := d.writes.Load(); n != 0 || b.found(1, "hello") != 0 {
			t.Errorf("%d pieces were indexed while the queue was long", n)
		}
		d.queued.Store(0)
		time.Sleep(time.Minute)
		if n := b.found(1, "hello"); n != 200 {
			t.Errorf("%d of 200 are found", n)
		}
		writes := d.writes.Load()
		if writes < 2 {
			t.Errorf("200 messages came in %d piece", writes)
		}
		time.Sleep(time.Hour)
		if n := d.writes.Load(); n != writes {
			t.Errorf("with nothing to do it wrote %d times", n-writes)
		}
	})
}

func TestIndexerGathers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		defer b.store.Close()
		d := &desk{Store: b.store}
		defer b.index(d)()
		for i := range 20 {
			b.send(1, int64(i+2), "hello")
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(time.Minute)
		if n := d.writes.Load(); n != 1 || b.found(1, "hello") != 20 {
			t.Errorf("20 messages of a moment took %d pieces, %d are found", n, b.found(1, "hello"))
		}
	})
}

func TestIndexerGoesOnAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		defer b.store.Close()
		b.sendMany(2500, func(i int) (int64, int64) { return 1, int64(i%1200 + 2) }, "hello")
		b.write(func(tx *sqlite.Tx) error { return b.messages.OpenRoom(tx, 1, "g") })
		b.write(func(tx *sqlite.Tx) error { return b.messages.Sit(tx, 1, 1, true) })
		b.write(func(tx *sqlite.Tx) error {
			_, _, err := b.messages.Post(tx, &message.Outgoing{From: user(1), GID: 1, Key: "g", Content: content("hello")})
			return err
		})
		b.messages = message.New(changelog.New(time.Now), names{}, message.Rules{Search: true}, time.Now) // knows of nothing
		defer b.index(&desk{Store: b.store})()
		time.Sleep(time.Hour)
		if n := b.documents(); n != 2501 {
			t.Errorf("%d of 2501 are in the index", n)
		}
	})
}

func TestIndexerSurvivesAFailedPiece(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		defer b.store.Close()
		b.send(1, 2, "hello")
		b.write(func(tx *sqlite.Tx) error { return tx.Exec(`ALTER TABLE msg_search_doc RENAME TO away`) })
		defer b.index(&desk{Store: b.store})()
		time.Sleep(time.Minute)
		b.write(func(tx *sqlite.Tx) error { return tx.Exec(`ALTER TABLE away RENAME TO msg_search_doc`) })
		time.Sleep(time.Minute)
		if n := b.found(1, "hello"); n != 1 {
			t.Errorf("%d of 1 are found", n)
		}
	})
}

func TestSweepTakesMessagesOutOfTheIndex(t *testing.T) {
	b := newBench(t)
	defer b.store.Close()
	b.send(1, 2, "hello old")
	b.send(1, 3, "hello old")
	late := []int64{1, 2}
	b.write(func(tx *sqlite.Tx) error { _, err := b.messages.IndexSome(tx, late); return err })
	b.ahead = 23 * time.Hour
	b.send(1, 2, "hello new")
	b.send(1, 3, "hello unindexed")
	b.write(func(tx *sqlite.Tx) error { _, err := b.messages.IndexSome(tx, late[:1]); return err })
	if n := b.found(1, "hello"); n != 3 {
		t.Fatalf("%d of 3 are found", n)
	}
	b.ahead = 25 * time.Hour
	b.write(func(tx *sqlite.Tx) error { _, err := b.messages.Sweep(tx); return err })
	if n, docs := b.found(1, "hello"), b.documents(); n != 1 || docs != 1 {
		t.Errorf("after the sweep %d are found, %d are in the index", n, docs)
	}
	b.write(func(tx *sqlite.Tx) error { _, err := b.messages.IndexSome(tx, late); return err })
	if n := b.found(1, "hello"); n != 2 {
		t.Errorf("%d of 2 are found", n)
	}
	b.ahead = 72 * time.Hour
	b.write(func(tx *sqlite.Tx) error { _, err := b.messages.Sweep(tx); return err })
	if n := b.documents(); n != 0 {
		t.Errorf("%d are left", n)
	}
}

func TestIndexPiecesAreShort(t *testing.T) {
	b := newBench(t)
	defer b.store.Close()
	const n = 300
	b.sendMany(n, twoUsers, "hello")
	left := []int64{1}
	pieces := 0
	for ; len(left) > 0; pieces++ {
		before := b.documents()
		b.write(func(tx *sqlite.Tx) (err error) { left, err = b.messages.IndexSome(tx, left); return err })
		if grown := b.documents() - before; grown > 64 {
			t.Errorf("one transaction indexed %d messages", grown)
		}
		if pieces > n {
			t.Fatal("it does not end")
		}
	}
	if got := b.found(2, "hello"); got != n || pieces != 5 {
		t.Errorf("%d of %d in %d pieces", got, n, pieces)
	}
}

// BenchmarkIndex says what it costs to index a message, beside what it costs to store one: ns/op is for one message, a
// transaction has 64 of 30 characters.
func BenchmarkIndex(b *testing.B) {
	for _, c := range []struct{ name, text string }{{"words", "the quick brown fox jumped over"}, {"chinese", "今天天气很好我们一起去公园散步吧晚上再回家吃饭看电视好不好呢"}} {
		b.Run(c.name, func(b *testing.B) {
			x := newBench(b)
			defer x.store.Close()
			for sent := 0; sent < b.N; sent += 500 {
				x.sendMany(500, func(i int) (int64, int64) { return 1, int64(i%50 + 2) }, c.text)
			}
			convs := []int64{}
			for i := range 50 {
				convs = append(convs, int64(i+1))
			}
			b.ResetTimer()
			for left := convs; len(left) > 0; {
				x.write(func(tx *sqlite.Tx) (err error) { left, err = x.messages.IndexSome(tx, left); return err })
			}
		})
	}
}
