package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"
)

const (
	warmUp   = time.Second
	patience = time.Minute // for the last messages to arrive
)

// scenario is a number of pairs that send at the same time.
type scenario struct {
	name          string
	pairs, window int
}

// result is what came out.
type result struct {
	messages  int // all, warming up included
	rate      float64
	latencies []time.Duration // sorted, of the measured time
}

func (s *scenario) run(o *options, d time.Duration) (*result, error) {
	pairs, err := s.connect(o)
	var readers sync.WaitGroup
	defer func() {
		for _, p := range pairs {
			p.close()
		}
		readers.Wait()
	}()
	if err != nil {
		return nil, err
	}
	stop := make(chan struct{})
	failed := make(chan error, len(pairs))
	for _, p := range pairs {
		go func() { failed <- p.run(stop, &readers) }()
	}
	r := measure(pairs, d)
	close(stop)
	for range pairs {
		err = errors.Join(err, <-failed)
	}
	if err == nil {
		err = settle(pairs, r)
	}
	return r, err
}

func (s *scenario) connect(o *options) (pairs []*pair, err error) {
	run := strconv.FormatInt(time.Now().UnixNano(), 36)
	for i := range s.pairs {
		p, err := newPair(o, fmt.Sprintf("%s-%d", run, i), s.window)
		if err != nil {
			return pairs, err
		}
		pairs = append(pairs, p)
	}
	return pairs, nil
}

// measure lets the pairs run and takes the figures of the time after the warming up.
func measure(pairs []*pair, d time.Duration) *result {
	time.Sleep(warmUp)
	begin, before := time.Now(), 0
	for _, p := range pairs {
		before += p.mark()
	}
	time.Sleep(d)
	r, after := &result{}, 0
	for _, p := range pairs {
		p.mu.Lock()
		r.latencies = append(r.latencies, p.arrived...)
		after += p.received
		p.mu.Unlock()
	}
	r.rate = float64(after-before) / time.Since(begin).Seconds()
	slices.Sort(r.latencies)
	return r
}

// settle waits for the last messages and holds the counts against each other.
func settle(pairs []*pair, r *result) error {
	deadline := time.Now().Add(patience)
	for _, p := range pairs {
		for !p.settled() && time.Now().Before(deadline) {
			time.Sleep(time.Millisecond)
		}
		p.mu.Lock()
		sent, acked, received, doubled, refused := len(p.sent), p.acked, p.received, p.doubled, p.refused
		p.mu.Unlock()
		if sent != acked || sent != received || doubled > 0 {
			return fmt.Errorf("%s: %d sent, %d acknowledged, %d refused, %d arrived, %d arrived again",
				p.prefix, sent, acked, refused, received, doubled)
		}
		r.messages += sent
	}
	return nil
}

func header(rate string) {
	fmt.Printf("%-20s %6s %10s %10s %9s %9s %9s %9s\n", "scenario", "window", "messages", rate, "p50 ms", "p90 ms", "p99 ms", "max ms")
}

func (r *result) print(name string, window int) {
	fmt.Printf("%-20s %6d %10d %10.0f %9.2f %9.2f %9.2f %9.2f\n", name, window, r.messages, r.rate,
		r.quantile(0.5), r.quantile(0.9), r.quantile(0.99), r.quantile(1))
}

// quantile returns a latency in milliseconds.
func (r *result) quantile(q float64) float64 {
	if len(r.latencies) == 0 {
		return 0
	}
	i := min(int(q*float64(len(r.latencies))), len(r.latencies)-1)
	return float64(r.latencies[i]) / float64(time.Millisecond)
}
