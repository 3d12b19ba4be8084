package converge_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// budget is how long to go on. TIMBRE_TEST_SECONDS stretches it as far as the test's own deadline lets it.
func budget(t *testing.T) time.Time {
	seconds, err := strconv.Atoi(os.Getenv("TIMBRE_TEST_SECONDS"))
	if err != nil { // not set: the plain test
		seconds = 12
	}
	end := time.Now().Add(time.Duration(seconds) * time.Second)
	if limit, ok := t.Deadline(); ok && limit.Add(-time.Minute).Before(end) {
		end = limit.Add(-time.Minute)
	}
	return end
}

// TestDevicesConverge does random things on the devices of three users, and to their links, clients and server.
func TestDevicesConverge(t *testing.T) {
	end := budget(t)
	folder := t.TempDir()
	worlds, failed := 0, false
	for !t.Failed() && time.Now().Before(end) {
		rapid.Check(t, func(t *rapid.T) {
			if !failed && time.Now().After(end) {
				return
			}
			worlds++
			dir := filepath.Join(folder, fmt.Sprint(worlds))
			defer os.RemoveAll(dir)
			w := newWorld(t, dir)
			defer func() {
				failed = failed || t.Failed()
				w.t = t
				w.close()
			}()
			t.Repeat(w.acts())
			w.t = t
			w.rest()
			w.fresh()
		})
	}
	t.Logf("%d worlds", worlds)
}

// fresh logs every user in on a new device, which must show just what the server has.
func (w *world) fresh() {
	for _, u := range w.users {
		d := newDevice(w, u, fmt.Sprint(u.name, " fresh"))
		w.devices = append(w.devices, d)
		d.start()
		w.eventually(d.name, d.agrees)
	}
}
