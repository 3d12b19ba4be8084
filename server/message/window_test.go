package message_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"timbre/protocol"
	"timbre/server/changelog"
	"timbre/server/message"
	"timbre/server/store"
	"timbre/sqlite"
)

// A range that is cut at a time begins or ends there, with one message of the other side.
func TestRangeCutAtATime(t *testing.T) {
	clock := int64(1000)
	log := changelog.New(time.Now)
	m := message.New(log, names{}, message.Rules{}, func() time.Time { return time.UnixMilli(clock) })
	s, err := store.Open(store.Config{Dir: t.TempDir(), Schemas: []sqlite.Schema{changelog.Schema(), message.Schema()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	pair := int64(0)
	rapid.Check(t, func(t *rapid.T) {
		pair++ // each case has a conversation of its own
		a, b := user(pair*2), user(pair*2+1)
		var times []int64
		pauses := rapid.SliceOfN(rapid.Int64Range(0, 3), 1, 40).Draw(t, "pauses")
		err := s.Write(context.Background(), func(tx *sqlite.Tx) error {
			for i, pause := range pauses {
				clock += pause
				times = append(times, clock)
				o := message.Outgoing{From: a, To: b, Key: fmt.Sprint(pair, ".", i), Content: []byte(`{"el":[]}`)}
				if _, _, err := m.Send(tx, &o); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		n := len(times)
		r := protocol.Range{Lo: 1, Limit: n, Time: rapid.Int64Range(times[0]-2, clock+2).Draw(t, "time"), Newer: rapid.Bool().Draw(t, "newer")}
		var got protocol.Ranged
		err = s.Read(context.Background(), func(q sqlite.Queryer) error {
			body, err := m.Range(q, a, message.Where{Peer: b}, r)
			if err != nil {
				return err
			}
			return json.Unmarshal(body, &got)
		})
		if err != nil {
			t.Fatal(err)
		}
		first, _ := slices.BinarySearch(times, r.Time) // messages before the time
		lo, hi := 1, min(first+1, n)
		if r.Newer {
			lo, hi = max(first, 1), n
		}
		if got.Lo != uint64(lo) || got.Hi != uint64(hi) || len(got.Msgs) != hi-lo+1 {
			t.Fatalf("%d messages from %d to %d, want %d to %d", len(got.Msgs), got.Lo, got.Hi, lo, hi)
		}
	})
}
