package dispatch

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// recorder collects what ran. Its methods may be called from any goroutine.
type recorder struct {
	mu  sync.Mutex
	ran []string
}

func (r *recorder) item(name string) *Item { return &Item{Run: func() { r.add(name) }} }

func (r *recorder) state(key, name string) *Item {
	return &Item{Key: key, Value: name, Run: func() { r.add(name) }}
}

func (r *recorder) add(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ran = append(r.ran, name)
}

func (r *recorder) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.ran)
}

// blocked returns a queue whose thread is inside a callback until release is called.
func blocked(t *testing.T) (q *Queue, release func()) {
	t.Helper()
	q = New()
	entered, leave := make(chan struct{}), make(chan struct{})
	q.Post(0, &Item{Run: func() { close(entered); <-leave }})
	<-entered
	return q, sync.OnceFunc(func() { close(leave) })
}

func TestOrder(t *testing.T) {
	const posters, each = 8, 2000
	q := New()
	last := make([]int, posters)
	inside, ran := 0, 0
	var wg sync.WaitGroup
	for p := range posters {
		wg.Go(func() {
			for i := 1; i <= each; i++ {
				// Without a lock: the queue runs one item at a time, and the race detector watches.
				q.Post(0, &Item{Run: func() {
					inside++
					if inside != 1 || last[p] != i-1 {
						t.Errorf("poster %d: item %d came after %d, %d at a time", p, i, last[p], inside)
					}
					last[p] = i
					ran++
					inside--
				}})
			}
		})
	}
	wg.Wait()
	q.Idle()
	if ran != posters*each {
		t.Errorf("%d items ran, want %d", ran, posters*each)
	}
}

func TestCoalesce(t *testing.T) {
	q, release := blocked(t)
	defer release()
	var r recorder
	var want []string
	q.Post(0, r.state("a", "a0")) // the consumer is not slow yet
	q.Post(0, r.state("a", "a1"))
	want = append(want, "a0", "a1")
	for i := range slow {
		name := fmt.Sprint("message ", i)
		q.Post(0, r.item(name))
		want = append(want, name)
	}
	for i := range 100 { // now it is: of each state the newest is left, a1 is taken over too
		q.Post(0, r.state("a", fmt.Sprint("a", i+2)))
		q.Post(0, r.state("b", fmt.Sprint("b", i)))
		q.Post(0, r.item("m"))
	}
	if n := q.Waiting(); n != 1+slow+2+100 {
		t.Errorf("%d items wait, want %d", n, 1+slow+2+100)
	}
	release()
	q.Idle()
	want = slices.Delete(want, 1, 2)
	got := r.all()
	messages := slices.DeleteFunc(slices.Clone(got), func(s string) bool { return s != "m" })
	if len(messages) != 100 {
		t.Errorf("%d messages came, want 100: they are never dropped", len(messages))
	}
	rest := slices.DeleteFunc(got, func(s string) bool { return s == "m" })
	if want = append(want, "a101", "b99"); !slices.Equal(rest, want) {
		t.Errorf("states came as %v, want %v", rest, want)
	}
}

func TestMerge(t *testing.T) {
	q, release := blocked(t)
	defer release()
	var r recorder
	for range slow {
		q.Post(0, &Item{Run: func() {}})
	}
	var sum func(n int) *Item
	sum = func(n int) *Item {
		it := r.state("sum", fmt.Sprint(n))
		it.Value = n
		it.Merge = func(older, newer *Item) *Item { return sum(older.Value.(int) + newer.Value.(int)) }
		return it
	}
	for i := range 10 {
		q.Post(0, sum(i))
	}
	release()
	q.Idle()
	if got := r.all(); !slices.Equal(got, []string{"45"}) {
		t.Errorf("merged to %v, want [45]", got)
	}
}

// Two states of which nothing is left to tell are both gone, and the next one starts anew.
func TestMergeToNothing(t *testing.T) {
	q, release := blocked(t)
	defer release()
	var r recorder
	for range slow {
		q.Post(0, &Item{Run: func() {}})
	}
	waiting := q.Waiting()
	for _, what := range []string{"come", "gone", "again"} {
		it := r.state("x", what)
		it.Merge = func(*Item, *Item) *Item { return nil }
		q.Post(0, it)
	}
	if n := q.Waiting() - waiting; n != 1 {
		t.Errorf("%d states wait, want 1", n)
	}
	release()
	q.Idle()
	if got := r.all(); !slices.Equal(got, []string{"again"}) {
		t.Errorf("came as %v, want the last one alone", got)
	}
}

// TestNeverEmpty keeps the queue from running empty: what has run must not take memory.
func TestNeverEmpty(t *testing.T) {
	const items = 200000
	q := New()
	ran, room := 0, 0
	var again func()
	again = func() {
		q.mu.Lock()
		room = max(room, cap(q.items))
		q.mu.Unlock()
		if ran++; ran < items {
			q.Post(0, &Item{Run: again, Key: fmt.Sprint(ran % 7)})
		}
	}
	for range 10 {
		q.Post(0, &Item{Run: again})
	}
	q.Idle()
	if ran < items {
		t.Errorf("%d items ran, want %d", ran, items)
	}
	if room > 16384 {
		t.Errorf("10 waiting items took room for %d", room)
	}
}

func TestThread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New()
		running := func() bool {
			synctest.Wait()
			q.mu.Lock()
			defer q.mu.Unlock()
			return q.running
		}
		if running() {
			t.Error("a new queue has a thread")
		}
		q.Post(0, &Item{Run: func() {}})
		if running() {
			t.Error("the thread outlives the last item")
		}
		q.Pin()
		q.Post(0, &Item{Run: func() {}})
		if !running() {
			t.Error("a pinned thread has ended")
		}
		q.Drain(time.Second, false)
		if running() {
			t.Error("the thread outlives Drain")
		}
	})
}

func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New()
		q.Pin()
		var r recorder
		for i := range 10 {
			q.Post(0, &Item{Run: func() { time.Sleep(100 * time.Millisecond); r.add(fmt.Sprint(i)) }})
		}
		start := time.Now()
		if dropped := q.Drain(2*time.Second, false); dropped != 0 || len(r.all()) != 10 {
			t.Errorf("%d dropped and %d ran, want 0 and 10", dropped, len(r.all()))
		}
		if d := time.Since(start); d != time.Second {
			t.Errorf("Drain took %v, want 1s: it ends when the queue is empty", d)
		}
		if q.Generation() != 1 || q.Post(0, r.item("late")) || !q.Post(1, r.item("next")) {
			t.Error("Drain does not begin a new generation")
		}
		q.Idle()
		if got := r.all(); got[len(got)-1] != "next" || len(got) != 11 {
			t.Errorf("after Drain ran %v", got[10:])
		}
	})
}

func TestDrainLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New()
		q.Pin()
		var r recorder
		q.Post(0, &Item{Run: func() { time.Sleep(time.Minute); r.add("slow") }})
		for range 5 {
			q.Post(0, r.item("lost"))
		}
		start := time.Now()
		synctest.Wait()
		if dropped := q.Drain(2*time.Second, false); dropped != 5 {
			t.Errorf("%d dropped, want 5", dropped)
		}
		if d := time.Since(start); d != 2*time.Second {
			t.Errorf("Drain took %v, want 2s", d)
		}
		q.Pin() // the next life begins while the host still blocks
		q.Post(1, r.item("next"))
		time.Sleep(2 * time.Minute)
		if got := r.all(); !slices.Equal(got, []string{"slow", "next"}) {
			t.Errorf("ran %v, want slow and next", got)
		}
		q.Drain(time.Second, false)
	})
}

func TestDrainInside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New()
		q.Pin()
		var r recorder
		done := make(chan struct{})
		q.Post(0, &Item{Run: func() {
			r.add("first")
			q.Post(0, &Item{Run: func() { r.add("nested"); q.Post(0, r.item("posted while draining")) }})
			if dropped := q.Drain(2*time.Second, true); dropped != 0 {
				t.Errorf("%d dropped, want 0", dropped)
			}
			r.add("drained")
			close(done)
		}})
		for i := range 3 {
			q.Post(0, r.item(fmt.Sprint(i)))
		}
		<-done
		q.Idle()
		got := r.all()
		if len(got) != 7 || got[0] != "first" || got[6] != "drained" || !slices.Contains(got, "posted while draining") {
			t.Errorf("ran %v: all others belong between first and drained", got)
		}
	})
}
