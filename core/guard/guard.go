// Package guard keeps a mistake in the engine from ending the host: what runs on a goroutine or a timer of the engine's
// own runs under it. A panic becomes an error in the log with its stack; what was broken off by it is the caller's matter.
//
// Calls of the host have a guard of their own in package face, which also answers them.
package guard

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"
)

// AfterFunc is time.AfterFunc under a guard.
func AfterFunc(log *slog.Logger, d time.Duration, where string, fn func()) *time.Timer {
	return time.AfterFunc(d, func() { Run(log, where, fn) })
}

// Run calls fn and says whether it returned. where names the place in the log.
func Run(log *slog.Logger, where string, fn func()) (returned bool) {
	defer func() {
		if r := recover(); r != nil {
			log.Error("panic in the library", "where", where, "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
		}
	}()
	fn()
	return true
}
