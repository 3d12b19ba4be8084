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

// sequences is how many sequences of steps to play, and until when at most.
func sequences(t *testing.T) (n int, end time.Time) {
	n, end = 20, time.Now().Add(24*time.Hour)
	if os.Getenv("TIMBRE_TEST") == "full" || os.Getenv("CI") == "true" {
		n = 200
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
// the model says, and its host knows the same from events alone.
func TestDevicesFollowTheModel(t *testing.T) {
	n, end := sequences(t)
	folder := os.Getenv("TIMBRE_CONVERGE_LOG") // where the logs and databases of a failure stay
	if folder == "" {
		folder = t.TempDir()
	}
	given := flag.Lookup("rapid.seed").Value.String()
	if flag.Lookup("rapid.shrinktime").Value.String() == "30s" { // the default, which is made for tests that take no time
		set(t, "rapid.shrinktime", "90s")
	}
	played, failed, wait := 0, false, patience
	for played < n && time.Now().Before(end) && !t.Failed() {
		seed := given
		if given == "0" {
			seed = fmt.Sprint(time.Now().UnixNano())
		}
		set(t, "rapid.seed", seed)
		set(t, "rapid.checks", fmt.Sprint(min(round, n-played)))
		t.Logf("after %d sequences: -rapid.seed=%s", played, seed)
		rapid.Check(t, func(rt *rapid.T) {
			if !failed && time.Now().After(end) {
				return
			}
			played++
			dir := filepath.Join(folder, fmt.Sprint(seed, "-", played))
			s := newScene(rt, dir, wait)
			s.try(s.begin)
			rt.Repeat(map[string]func(*rapid.T){"step": func(t *rapid.T) {
				next := steps().Draw(t, "step")
				s.try(func() { s.play(next) })
			}})
			s.try(s.ending)
			s.close()
			if s.wrong == "" || failed {
				os.RemoveAll(dir)
			}
			if s.wrong == "" {
				return
			}
			if !failed {
				t.Logf("what happened first, of which a shorter form follows:\n%s%s", strings.Join(s.story, ""), s.wrong)
			}
			failed, wait = true, patience/10 // while a shorter form is looked for, most of the time goes by with waiting
			rt.Log(s.wrong)
			rt.Fatal("the model does not hold")
		})
	}
	t.Logf("%d sequences", played)
}

func set(t *testing.T, name, value string) {
	if err := flag.Set(name, value); err != nil {
		t.Fatal(err)
	}
}
