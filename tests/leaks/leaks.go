// Package leaks ends the tests of a package with a look at the goroutines that are still there. It looks as goleak does, but
// for longer: goleak gives goroutines less than half a second to end, and a connection that was just closed may need more on
// a machine with too much to do.
package leaks

import (
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// patience is how long goroutines may take to end; only a leak costs it.
const patience = 30 * time.Second

// Main runs the tests of a package and lets them fail when a goroutine is left. What is to be closed after the last test, end
// closes.
func Main(m *testing.M, end ...func()) {
	code := m.Run()
	for _, close := range end {
		close()
	}
	if err := find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// None lets a test fail when a goroutine is left.
func None(t testing.TB) {
	t.Helper()
	if err := find(); err != nil {
		t.Error(err)
	}
}

// find waits for the end of all goroutines but the caller's.
func find() error {
	for end := time.Now().Add(patience); ; {
		if err := goleak.Find(); err == nil || time.Now().After(end) {
			return err
		}
	}
}
