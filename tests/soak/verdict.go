package main

import (
	"fmt"
	"time"
)

const (
	// warmUp is the part of the run that slopes leave out: caches fill, and the Go heap finds its size.
	warmUp = 0.4
	// judged is the shortest run whose slopes mean anything.
	judged = 15 * time.Minute
	// rise is how much memory may grow in an hour: a twentieth of a leak of one message body a message would be more.
	rise = 8 << 20
	// more is by how many threads and open files the second half may exceed the first.
	more = 4
)

// verdict prints the figures and says whether they are good.
func verdict(samples []sample, cuts []time.Time, o *options) bool {
	if len(samples) < 10 {
		fmt.Println("soak: too short")
		return false
	}
	last := &samples[len(samples)-1]
	warm := samples[int(float64(len(samples))*warmUp) : len(samples)-1] // the last one comes after the end of the traffic
	good := last.failed == 0 && last.missing == 0 && last.wrong == 0 && last.received == last.expected
	long := last.at >= judged
	for i, name := range []string{"library", "timbred"} {
		s := func(s *sample) *state { return &s.states[i] }
		r := slope(warm, func(x *sample) float64 { return float64(s(x).memory) })
		threads, files := grown(samples, func(x *sample) int { return s(x).threads }), grown(samples, func(x *sample) int { return s(x).files })
		fmt.Printf("%-8s memory %.1f MB (%.1f at the most), rising by %.2f MB an hour; threads %d (%+d), files %d (%+d); databases %.1f MB\n",
			name, mb(s(last).memory), mb(most(samples, s)), r/(1<<20), s(last).threads, threads, s(last).files, files, mb(s(last).disk))
		if long && (r > rise || threads > more || files > more) {
			good = false
		}
	}
	fmt.Printf("%d messages accepted, %d succeeded, %d failed; %d of %d arrived, %d out of order or twice; %d cuts, %d connections lost\n",
		last.accepted, last.succeeded, last.failed, last.received, last.expected, last.wrong, len(cuts), last.lost)
	word := map[bool]string{true: "good", false: "BAD"}[good]
	if !long {
		word += " (too short to judge memory: " + judged.String() + " at least)"
	}
	fmt.Printf("soak: %d s, %s; %s.svg, %s.csv\n", int(last.at.Seconds()), word, o.out, o.out)
	return good
}

func mb(n int64) float64 { return float64(n) / (1 << 20) }

func most(samples []sample, s func(*sample) *state) (n int64) {
	for i := range samples {
		n = max(n, s(&samples[i]).memory)
	}
	return n
}

// grown is by how much the maximum of the last third exceeds that of the third before it.
func grown(samples []sample, value func(*sample) int) int {
	third := len(samples) / 3
	top := func(part []sample) (n int) {
		for i := range part {
			n = max(n, value(&part[i]))
		}
		return n
	}
	return top(samples[2*third:]) - top(samples[third:2*third])
}
