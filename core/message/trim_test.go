package message

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"pgregory.net/rapid"

	"timbre/core/conversation"
	"timbre/core/store"
	"timbre/model/tim"
	"timbre/sqlite"
)

// attic is an account with old messages.
type attic struct {
	*Messages
	now  time.Time
	conv int64
}

func newAttic(t interface {
	Fatal(...any)
	Cleanup(func())
}) *attic {
	st, err := store.Open("", conversation.Schema, Schema, SearchSchema)
	if err != nil {
		t.Fatal(err)
	}
	a := &attic{now: time.UnixMilli(1_800_000_000_000)}
	book := conversation.New(deaf{}, func(q sqlite.Queryer, c *conversation.Conversation) string { return "{}" })
	a.Messages = New(Self{User: "ann", TinyID: func() uint64 { return 7 }, Now: func() time.Time { return a.now }}, st, book, deaf{}, slog.New(slog.DiscardHandler))
	t.Cleanup(func() { st.Close(); a.Close() })
	return a
}

const day = int64(24 * time.Hour / time.Millisecond)

// put stores a message of so many days ago; a number above 0 is the server's.
func (a *attic) put(tx *store.Tx, seq uint64, status int, days int64) (*Row, error) {
	e, err := a.book.Open(tx, tim.ConvC2C, "bob")
	if err != nil {
		return nil, err
	}
	a.conv = e.ID
	r := &Row{Conv: e.ID, Seq: seq, Sort: sortOf(seq), MsgID: fmt.Sprint("m", seq, " ", status, " ", days), Sender: "bob", Status: status,
		ServerTime: a.now.UnixMilli() - days*day, Elements: `[{"elem_type":0,"text_elem_content":"needle"}]`, Unread: -1}
	if seq == 0 {
		r.Sort = after(e.MaxSeq)
	}
	e.MaxSeq = max(e.MaxSeq, seq)
	if err := r.insert(tx); err != nil {
		return nil, err
	}
	if seq > 0 {
		a.extend(tx, e.ID, seq)
	}
	e.LastMsg = r.ID
	e.Touch(tx, true)
	return r, nil
}

type present struct {
	seq, moment int64
	status      int
	elements    string
}

func (a *attic) look(t interface{ Fatal(...any) }) (all map[int64]present, ranges [][2]int64, last int64) {
	all = map[int64]present{}
	err := a.store.Read(context.Background(), func(q sqlite.Queryer) error {
		if err := q.Query(`SELECT id,coalesce(seq,0),moment,status,elements FROM message`, func(scan func(...any) error) error {
			var id int64
			var p present
			err := scan(&id, &p.seq, &p.moment, &p.status, &p.elements)
			all[id] = p
			return err
		}); err != nil {
			return err
		}
		if _, err := q.Get(`SELECT last_msg FROM conversation`, []any{&last}); err != nil {
			return err
		}
		return q.Query(`SELECT lo,hi FROM msg_range ORDER BY lo`, func(scan func(...any) error) error {
			var r [2]int64
			err := scan(&r[0], &r[1])
			ranges = append(ranges, r)
			return err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return all, ranges, last
}

func TestTrimmingLeavesHolesAndWhatMustStay(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		a := newAttic(rt)
		kinds := rapid.SliceOfN(rapid.SampledFrom([]int{tim.MsgSendSucc, tim.MsgSendSucc, tim.MsgSendSucc, tim.MsgSendSucc, tim.MsgSending,
			tim.MsgSendFail, tim.MsgDeleted, tim.MsgRevoked, tim.MsgLocalImported, -1}), 1, 500).Draw(rt, "messages")
		keep := rapid.IntRange(0, 60).Draw(rt, "keep days")
		err := a.store.Write(context.Background(), func(tx *store.Tx) error {
			a.arrivals(tx)
			for i, status := range kinds {
				seq := uint64(i + 1)
				switch status {
				case -1: // it is not here: a hole
					continue
				case tim.MsgSending, tim.MsgSendFail, tim.MsgLocalImported:
					seq = 0
				}
				if _, err := a.put(tx, seq, status, int64(len(kinds)-i)*60/int64(len(kinds))); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			rt.Fatal(err)
		}
		if err := a.indexAll(context.Background()); err != nil {
			rt.Fatal(err)
		}
		before, _, last := a.look(rt)
		done, err := a.Trim(context.Background(), Retention{KeepDays: keep}, false)
		if err != nil {
			rt.Fatal(err)
		}
		after, ranges, _ := a.look(rt)
		if done.Deleted != len(before)-len(after) {
			rt.Fatalf("%d messages have gone, the result says %d", len(before)-len(after), done.Deleted)
		}
		cut := a.now.UnixMilli() - int64(keep)*day
		have := map[int64]bool{}
		for id, p := range before {
			now, there := after[id]
			mark := p.status == tim.MsgDeleted && p.seq > 0
			stays := keep == 0 || p.moment >= cut || id == last || p.status == tim.MsgSending || mark
			if stays != there {
				rt.Fatalf("message %d (%+v): there %v, should be %v", id, p, there, stays)
			}
			if there && mark && keep > 0 && p.moment < cut && now.elements != "[]" {
				rt.Fatalf("the mark of a deleted message has its content still")
			}
			if there {
				have[p.seq] = true
			}
		}
		for _, r := range ranges {
			for seq := r[0]; seq <= r[1]; seq++ {
				if !have[seq] {
					rt.Fatalf("number %d has gone, and no hole says so: %v", seq, ranges)
				}
			}
		}
		a.searchFinds(rt, after)
	})
}

// searchFinds checks that what is found is what is there.
func (a *attic) searchFinds(t interface {
	Fatal(...any)
	Fatalf(string, ...any)
}, all map[int64]present) {
	want, got := 0, 0
	for _, p := range all {
		if p.status != tim.MsgDeleted && p.status != tim.MsgRevoked {
			want++
		}
	}
	if err := a.store.Read(context.Background(), func(q sqlite.Queryer) error {
		_, err := q.Get(`SELECT count(*) FROM search_text WHERE search_text MATCH 'needle'`, []any{&got})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Fatalf("%d messages are found, %d are there", got, want)
	}
}

func TestTrimmingToASizeEnds(t *testing.T) {
	a := newAttic(t)
	if err := a.store.Write(context.Background(), func(tx *store.Tx) error {
		a.arrivals(tx)
		for i := range 5000 {
			if _, err := a.put(tx, uint64(i+1), tim.MsgSendSucc, int64(5000-i)/100); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, size := range []int64{400_000, 1} {
		done, err := a.Trim(context.Background(), Retention{MaxBytes: size}, false)
		if err != nil || done.After > max(size, 250_000) || done.After >= done.Before {
			t.Errorf("to %d bytes: %+v, %v", size, done, err)
		}
	}
	if all, ranges, last := a.look(t); len(all) != 1 || len(ranges) != 1 || ranges[0] != [2]int64{5000, 5000} || all[last].seq != 5000 {
		t.Errorf("left are %d messages, ranges %v", len(all), ranges)
	}
}

func TestAnIdleTrimmingEndsWithItsContext(t *testing.T) {
	a := newAttic(t)
	if err := a.store.Write(context.Background(), func(tx *store.Tx) error {
		a.arrivals(tx)
		for i := range 3 * trimBatch {
			if _, err := a.put(tx, uint64(i+1), tim.MsgSendSucc, 50); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if done, err := a.Trim(ctx, Retention{KeepDays: 1}, true); err == nil || done.Deleted != 0 {
		t.Errorf("%+v, %v; want the end of the context", done, err)
	}
	if done, err := a.Trim(context.Background(), Retention{KeepDays: 1}, true); err != nil || done.Deleted != 3*trimBatch-1 {
		t.Errorf("%+v, %v; want all but the last", done, err)
	}
}
