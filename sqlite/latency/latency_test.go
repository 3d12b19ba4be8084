package latency

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// TestPercentiles compares with the sorted durations: never below them, and at most a quarter or a microsecond above.
func TestPercentiles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rapid.Map(rapid.Int64Range(0, int64(time.Minute)), func(n int64) time.Duration {
			return time.Duration(n >> (n % 37))
		}), 1, 300).Draw(t, "durations")
		var h Histogram
		for _, d := range list {
			h.Observe(d)
		}
		slices.Sort(list)
		r := h.Recent()
		if r.Count != uint64(len(list)) || r.Max != list[len(list)-1] {
			t.Fatalf("%d observed, the longest %v: got %+v", len(list), list[len(list)-1], r)
		}
		for part, got := range map[int]time.Duration{50: r.P50, 99: r.P99} {
			want := list[(len(list)*part+99)/100-1]
			if got < want || got > want+max(want/4, time.Microsecond+time.Microsecond/4) {
				t.Fatalf("percentile %d is %v, want %v", part, got, want)
			}
		}
	})
}

// TestTotal counts what is within each bound by hand.
func TestTotal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rapid.Int64Range(0, int64(100*time.Second)), 0, 100).Draw(t, "durations")
		var h Histogram
		var sum time.Duration
		for _, n := range list {
			h.Observe(time.Duration(n))
			sum += time.Duration(n)
		}
		total := h.Total()
		if total.Count != uint64(len(list)) || total.Sum != sum || len(total.Within) < 15 {
			t.Fatalf("got %+v, want %d with %v", total, len(list), sum)
		}
		for bound, got := range total.Within {
			var want uint64
			for _, n := range list {
				if time.Duration(n).Seconds() <= bound {
					want++
				}
			}
			if got != want {
				t.Fatalf("%d within %v s, want %d", got, bound, want)
			}
		}
	})
}

// TestBounds: each bucket's bound belongs to it, and what is just above does not.
func TestBounds(t *testing.T) {
	for i := range buckets - 1 {
		d := upper(i)
		if bucket(d) != i || bucket(d+1) != i+1 {
			t.Errorf("%v, the bound of bucket %d, is in %d, and the next nanosecond in %d", d, i, bucket(d), bucket(d+1))
		}
	}
	if got := bucket(time.Hour); got != buckets-1 {
		t.Errorf("an hour is in bucket %d", got)
	}
}

func TestWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h Histogram
		look := func(count uint64, longest time.Duration) {
			t.Helper()
			if r := h.Recent(); r.Count != count || r.Max != longest {
				t.Errorf("after %v: %d, at most %v; want %d and %v", time.Now(), r.Count, r.Max, count, longest)
			}
		}
		h.Observe(time.Second)
		look(1, time.Second)
		time.Sleep(span)
		h.Observe(time.Millisecond)
		look(2, time.Second)
		time.Sleep(span)
		look(1, time.Millisecond)
		time.Sleep(2 * span)
		look(0, 0)
		if total := h.Total(); total.Count != 2 {
			t.Errorf("%d in total, want 2", total.Count)
		}
	})
}

func BenchmarkObserve(b *testing.B) {
	var h Histogram
	for b.Loop() {
		h.Observe(time.Millisecond)
	}
}

func BenchmarkRecent(b *testing.B) {
	var h Histogram
	for d := range 10_000 {
		h.Observe(time.Duration(d) * time.Microsecond)
	}
	for b.Loop() {
		h.Recent()
	}
}
