// Package dispatch runs callbacks into the host: one queue, one goroutine locked to one OS thread, strictly in the order
// in which they were posted.
//
// Nobody waits for a callback and no lock is held while one runs, so a callback may call everything, Drain too. The
// thread lives while the queue is pinned (between TIMInit and TIMUninit) or has something to do; otherwise it ends,
// because some hosts cannot exit while a foreign thread that has run their code is alive.
//
// Message events are never dropped. What describes a state (a conversation, a total, a progress) carries a key: while
// the consumer is slow, a newer item takes the place of a waiting one with its key.
//
// Rejected: a goroutine per callback (no order, and every blocking callback keeps a thread for ever), a bounded queue
// (either the engine blocks on the host or something is lost).
package dispatch

import (
	"runtime"
	"sync"
	"time"
)

// Item is one callback.
type Item struct {
	Run func()
	// Key names the state that the item describes; "" for items that must all arrive.
	Key string
	// Merge returns the item that stands for both, nil when none has to run any more. Without Merge it is the newer.
	Merge func(older, newer *Item) *Item
	// Value is for Merge.
	Value any

	posted time.Time
}

// slow is the number of waiting items from which on states are coalesced.
const slow = 64

// Queue is the queue of one account. The zero value is not usable; see New.
type Queue struct {
	mu         sync.Mutex
	changed    *sync.Cond
	items      []*Item        // nil where a newer item took over
	first      int            // items before it have run
	removed    int            // how many have left items for ever
	keyed      map[string]int // the number of the newest item with a key: its place in items plus removed
	waiting    int
	generation int
	running    bool // the thread exists
	busy       bool // the thread is inside a callback
	pinned     bool

	most  int       // the largest number that waited
	ran   uint64    // callbacks that have ended
	since time.Time // when the one that is running began
}

// New returns an empty queue without a thread.
func New() *Queue {
	q := &Queue{keyed: map[string]int{}}
	q.changed = sync.NewCond(&q.mu)
	return q
}

// Generation returns the number that Post expects from callers of this life. Drain begins a new one.
func (q *Queue) Generation() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.generation
}

// Post queues an item, unless its generation has ended. It reports whether the item was taken.
func (q *Queue) Post(generation int, it *Item) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if generation != q.generation {
		return false
	}
	q.add(it)
	q.start()
	q.changed.Broadcast()
	return true
}

func (q *Queue) add(it *Item) {
	if it.Key != "" {
		if number, ok := q.keyed[it.Key]; ok && q.waiting >= slow {
			at, key := number-q.removed, it.Key
			if it.Merge != nil {
				it = it.Merge(q.items[at], it)
			}
			q.items[at] = nil
			q.waiting--
			if it == nil { // they undo each other
				delete(q.keyed, key)
				return
			}
		}
		q.keyed[it.Key] = q.removed + len(q.items)
	}
	it.posted = time.Now()
	q.items = append(q.items, it)
	q.waiting++
	q.most = max(q.most, q.waiting)
}

// Waiting returns how many callbacks are queued.
func (q *Queue) Waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.waiting
}

// Pin keeps one and the same thread until Drain.
func (q *Queue) Pin() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.pinned = true
	q.start()
}

func (q *Queue) start() {
	if !q.running {
		q.running = true
		go q.loop()
	}
}

// loop is the callback thread. It ends locked, which ends the OS thread with it.
func (q *Queue) loop() {
	runtime.LockOSThread()
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		it := q.next()
		if it == nil {
			if !q.pinned {
				q.running = false
				q.changed.Broadcast()
				return
			}
			q.changed.Wait()
			continue
		}
		q.execute(it)
	}
}

// next takes the oldest item; nil when there is none.
func (q *Queue) next() *Item {
	for q.first < len(q.items) {
		it := q.items[q.first]
		q.items[q.first] = nil
		q.first++
		if it == nil {
			continue
		}
		q.waiting--
		if it.Key != "" && q.keyed[it.Key] == q.removed+q.first-1 {
			delete(q.keyed, it.Key)
		}
		q.shrink()
		return it
	}
	q.removed += q.first
	q.items, q.first = q.items[:0], 0
	if cap(q.items) > 4096 {
		q.items = nil
	}
	return nil
}

// shrink gives the room of items that have run back, for a queue that never runs empty.
func (q *Queue) shrink() {
	if q.first < 1024 || q.first < len(q.items)/2 {
		return
	}
	kept := copy(q.items, q.items[q.first:])
	clear(q.items[kept:])
	q.items = q.items[:kept]
	q.removed += q.first
	q.first = 0
}

// execute runs one item without the lock.
func (q *Queue) execute(it *Item) {
	was, since := q.busy, q.since
	q.busy, q.since = true, time.Now()
	q.mu.Unlock()
	it.Run()
	q.mu.Lock()
	q.busy, q.since = was, since
	q.ran++
	q.changed.Broadcast()
}

// Drain lets what is queued run for at most limit, drops the rest, unpins the thread and begins a new generation. It
// returns how many items were dropped. inside says that the caller is itself inside a callback of this queue: then it
// runs the items on its own thread. After Drain nothing posted before starts.
func (q *Queue) Drain(limit time.Duration, inside bool) (dropped int) {
	deadline := time.Now().Add(limit)
	timer := time.AfterFunc(limit, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.changed.Broadcast()
	})
	defer timer.Stop()
	q.mu.Lock()
	defer q.mu.Unlock()
	for time.Now().Before(deadline) {
		if inside {
			it := q.next()
			if it == nil {
				break
			}
			q.execute(it)
			continue
		}
		if q.waiting == 0 && !q.busy {
			break
		}
		q.changed.Wait()
	}
	dropped = q.waiting
	q.items, q.first, q.waiting = nil, 0, 0
	q.keyed = map[string]int{}
	q.generation++
	q.pinned = false
	q.changed.Broadcast()
	return dropped
}

// Idle waits until nothing is queued and nothing runs.
func (q *Queue) Idle() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.waiting > 0 || q.busy {
		q.changed.Wait()
	}
}
