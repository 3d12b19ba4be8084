// Package latency counts durations in buckets that grow by the logarithm, so that a percentile costs a walk over a
// hundred numbers and is at most a quarter too high, whatever was observed.
//
// A Histogram keeps two things: the totals since it was made, which a monitoring system subtracts from each other, and a
// recent window for whoever looks only once. The window is the present minute and the one before it, so it covers
// between one and two minutes.
//
// Rejected: keeping the durations themselves (memory and a sort for each look), a decaying sample (random, and nobody can
// say what time it covers).
package latency

import (
	"math/bits"
	"sync"
	"time"
)

const (
	// fine is the number of buckets for each doubling.
	fine = 4
	// doublings reach from a microsecond to 2^26 of them, 67 s; the last bucket takes what is longer.
	doublings = 26
	buckets   = fine * doublings
	// span is half of the window.
	span = time.Minute
)

// Histogram counts durations. The zero value is empty. All methods may be called from any goroutine.
type Histogram struct {
	mu              sync.Mutex
	total           [buckets]uint64
	count           uint64
	sum             time.Duration
	present, before period
}

// period is the durations of one minute.
type period struct {
	began  time.Time
	counts [buckets]uint32
	count  uint64
	max    time.Duration
}

// Observe counts a duration.
func (h *Histogram) Observe(d time.Duration) {
	i := bucket(d)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.turn(time.Now())
	h.total[i]++
	h.count++
	h.sum += d
	h.present.counts[i]++
	h.present.count++
	h.present.max = max(h.present.max, d)
}

// turn begins a new period when the present one is over.
func (h *Histogram) turn(now time.Time) {
	switch age := now.Sub(h.present.began); {
	case age < span:
		return
	case age < 2*span:
		h.before = h.present
	default:
		h.before = period{}
	}
	h.present = period{began: now}
}

// Recent is what the last minute or two were like. Percentiles are upper bounds of buckets and never above Max.
type Recent struct {
	Count         uint64
	P50, P99, Max time.Duration
}

// Recent looks at the window. All is 0 when nothing was observed in it.
func (h *Histogram) Recent() Recent {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.turn(time.Now())
	r := Recent{Count: h.present.count + h.before.count, Max: max(h.present.max, h.before.max)}
	r.P50, r.P99 = h.percentile(r, 50), h.percentile(r, 99)
	return r
}

// percentile walks to the bucket in which the given part of the window's durations has been passed.
func (h *Histogram) percentile(r Recent, part uint64) time.Duration {
	rank := (r.Count*part + 99) / 100
	var passed uint64
	for i := range h.present.counts {
		passed += uint64(h.present.counts[i]) + uint64(h.before.counts[i])
		if passed >= rank {
			return min(upper(i), r.Max)
		}
	}
	return r.Max
}

// Count returns how many durations were observed since the beginning.
func (h *Histogram) Count() uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.count
}

// Total is everything since the beginning.
type Total struct {
	Count uint64
	Sum   time.Duration
	// Within has for some durations, in seconds, how many observed ones were not longer.
	Within map[float64]uint64
}

// Total returns the totals, with one bound for each doubling from 64 µs on.
func (h *Histogram) Total() Total {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := Total{Count: h.count, Sum: h.sum, Within: map[float64]uint64{}}
	var passed uint64
	for i, n := range h.total[:buckets-1] { // the last one has no bound
		passed += n
		if bound := upper(i); (i+1)%fine == 0 && bound >= 64*time.Microsecond {
			t.Within[bound.Seconds()] = passed
		}
	}
	return t
}

// bucket returns the number of a duration's bucket: those of bucket i are above upper(i-1) and at most upper(i).
func bucket(d time.Duration) int {
	quarters := uint64(max(d-1, 0)) / uint64(time.Microsecond/fine)
	if quarters < fine {
		return 0
	}
	doubling := bits.Len64(quarters) - 3
	part := int(quarters>>doubling) & (fine - 1)
	return min(doubling*fine+part, buckets-1)
}

// upper returns the longest duration of a bucket.
func upper(i int) time.Duration {
	doubling, part := i/fine, i%fine
	return time.Duration(fine+part+1) * (time.Microsecond / fine) << doubling
}
