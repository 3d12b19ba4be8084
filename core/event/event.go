// Package event is how modules tell the host that something happened, without knowing the host: an Event names the
// setter under which a listener may be registered and carries the callback's arguments.
package event

import "timbre/model/tim"

// Arg is one argument of a callback.
type Arg struct {
	Text string // for const char*
	Num  uint64 // for integers, enumerations and bool
}

// Text is a string argument.
func Text(s string) Arg { return Arg{Text: s} }

// Num is a number argument.
func Num[T ~int | ~int32 | ~int64 | ~uint32 | ~uint64](n T) Arg { return Arg{Num: uint64(n)} }

// Event is one call of a listener.
type Event struct {
	Setter tim.Op // the function that registers the listener, TIMSetConvEventCallback for instance
	Args   []Arg  // without user_data
	// Key names the state that the event describes, "" for events that must all arrive. While the host is slow, a newer
	// event takes the place of a waiting one with its key. Merge, if there is one, says what is left to tell of both; false
	// means nothing.
	Key   string
	Merge func(older, newer Event) (Event, bool)
}

// Sink takes events in the order in which the host shall see them. Emit never blocks.
type Sink interface {
	Emit(Event)
	// Waiting returns how many callbacks wait for the host.
	Waiting() int
}

// Done is called exactly once with the result of a call: code 0 and the result's JSON, or an error code, a text and what
// JSON the interface promises with an error. It never blocks.
type Done func(code int, desc, json string)
