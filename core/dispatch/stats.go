package dispatch

import "time"

// Stats is what a queue is doing.
type Stats struct {
	Waiting int           // callbacks that wait for their turn
	Most    int           // the largest number that ever waited
	Oldest  time.Duration // for how long the next one has been waiting; what took an older one's place counts from then on
	Ran     uint64        // callbacks that have ended
	Running time.Duration // for how long the present one has been running; 0: none is
}

// Stats tells what the queue is doing. It may be called inside a callback, which then is the present one.
func (q *Queue) Stats() Stats {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := Stats{Waiting: q.waiting, Most: q.most, Ran: q.ran}
	for _, it := range q.items[q.first:] {
		if it != nil {
			s.Oldest = time.Since(it.posted)
			break
		}
	}
	if q.busy {
		s.Running = max(time.Since(q.since), 1)
	}
	return s
}
