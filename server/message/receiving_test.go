package message

import (
	"testing"

	"pgregory.net/rapid"

	"timbre/model/tim"
	"timbre/protocol"
)

// Whatever is turned in whatever order, the two switches and the option of the interface say the same.
func TestSwitchesAndOptionAreOneState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r Receiving
		quiet, shield, mention := false, false, false // what a user would say of it
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "by a switch") {
				on := rapid.Bool().Draw(t, "on")
				if rapid.Bool().Draw(t, "the shield") {
					r, shield = r.With(&protocol.SetReceiveFlags{Shield: &on}), on
				} else {
					r, quiet = r.With(&protocol.SetReceiveFlags{NoDisturb: &on}), on
					mention = mention && on
				}
			} else {
				option := rapid.IntRange(tim.RecvMsgOptReceive, tim.RecvMsgOptNotNotifyExceptAt).Draw(t, "option")
				if r = r.Becomes(option); option == tim.RecvMsgOptNotReceive {
					shield = true
				} else {
					shield, quiet, mention = false, option != tim.RecvMsgOptReceive, option == tim.RecvMsgOptNotNotifyExceptAt
				}
			}
			want := tim.RecvMsgOptReceive
			switch {
			case shield:
				want = tim.RecvMsgOptNotReceive
			case mention:
				want = tim.RecvMsgOptNotNotifyExceptAt
			case quiet:
				want = tim.RecvMsgOptNotNotify
			}
			if f := r.Flags(); f.NoDisturb != quiet || f.Shield != shield || r.Shown() != want {
				t.Fatalf("%+v is option %d with %+v; want option %d, quiet %v, shielded %v", r, r.Shown(), f, want, quiet, shield)
			}
		}
	})
}
