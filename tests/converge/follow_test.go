package converge_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// sequences is how many sequences of steps to play, few or many, and until when at most.
func sequences(t *testing.T, few, many int) (n int, end time.Time) {
	n, end = few, time.Now().Add(24*time.Hour)
	if os.Getenv("TIMBRE_TEST") == "full" || os.Getenv("CI") == "true" {
		n = many
	}
	if seconds, err := strconv.Atoi(os.Getenv("TIMBRE_TEST_SECONDS")); err == nil {
		n, end = 10000, time.Now().Add(time.Duration(seconds)*time.Second)
	}
	if limit, ok := t.Deadline(); ok && limit.Add(-time.Minute).Before(end) {
		end = limit.Add(-time.Minute)
	}
	return n, end
}

// round is how many sequences share a seed: so many have to be played again to see one.
const round = 20

// TestDevicesFollowTheModel plays sequences of steps with two users on three phones each. In the end every phone shows what
// the model says, and its host knows the same from events alone. TIMBRE_CONVERGE_LOG names a folder in which the logs and
// databases of a failure stay.
func TestDevicesFollowTheModel(t *testing.T) { play(t, 20, 200, (*player).sequence) }

// play plays sequences of one kind.
func play(t *testing.T, few, many int, one func(*player, *rapid.T)) {
	n, end := sequences(t, few, many)
	// After some restarts of the server in a row a device waits for seconds before it dials again.
	p := &player{t: t, end: end, wait: 2 * patience, folder: os.Getenv("TIMBRE_CONVERGE_LOG")}
	if p.folder == "" {
		p.folder = t.TempDir()
	}
	given := flag.Lookup("rapid.seed").Value.String()
	if flag.Lookup("rapid.shrinktime").Value.String() == "30s" { // the default, which is made for tests that take no time
		set(t, "rapid.shrinktime", "90s")
	}
	for p.played < n && time.Now().Before(end) && !t.Failed() {
		if p.seed = given; given == "0" {
			p.seed = fmt.Sprint(time.Now().UnixNano())
		}
		set(t, "rapid.seed", p.seed)
		set(t, "rapid.checks", fmt.Sprint(min(round, n-p.played)))
		t.Logf("after %d sequences: -rapid.seed=%s", p.played, p.seed)
		rapid.Check(t, func(t *rapid.T) { one(p, t) })
	}
	t.Logf("%d sequences", p.played)
}

// player plays sequences until one fails or the time is up.
type player struct {
	t      *testing.T
	end    time.Time
	folder string
	seed   string
	played int
	failed bool
	wait   time.Duration
}

func (p *player) sequence(t *rapid.T) {
	if !p.failed && time.Now().After(p.end) {
		return
	}
	p.played++
	dir := filepath.Join(p.folder, fmt.Sprint(p.seed, "-", p.played))
	s := newScene(t, dir, p.wait)
	s.try(s.begin)
	t.Repeat(map[string]func(*rapid.T){"step": func(t *rapid.T) {
		next := steps().Draw(t, "step")
		s.try(func() { s.play(next) })
	}})
	s.try(s.ending)
	s.close()
	if s.wrong == "" || p.failed {
		os.RemoveAll(dir)
	}
	if s.wrong != "" {
		p.fail(t, s)
	}
}

func (p *player) fail(t *rapid.T, s *scene) {
	if !p.failed {
		p.t.Logf("what happened first, of which a shorter form follows:\n%s%s", strings.Join(s.story, ""), s.wrong)
	}
	p.failed, p.wait = true, patience/40 // while a shorter form is looked for, most of the time goes by with waiting
	t.Log(s.wrong)
	t.Fatal("the model does not hold")
}

// set sets a flag of rapid's for the rest of the test.
func set(t *testing.T, name, value string) {
	before := flag.Lookup(name).Value.String()
	t.Cleanup(func() { _ = flag.Set(name, before) }) // it was accepted once
	if err := flag.Set(name, value); err != nil {
		t.Fatal(err)
	}
}
