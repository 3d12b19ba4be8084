package converge_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestGroupsFollowTheModel plays sequences of what six users do in groups of all types. At rest every device shows what the model says,
// its host knows the same from events alone, and a new device of each user shows it, too. The same variables and flags as in
// TestDevicesFollowTheModel say how many sequences there are, and repeat them.
func TestGroupsFollowTheModel(t *testing.T) {
	set(t, "rapid.steps", "60")
	play(t, 8, 40, (*player).gathering)
}

// gathering is a sequence of moves.
func (p *player) gathering(t *rapid.T) {
	if !p.failed && time.Now().After(p.end) {
		return
	}
	p.played++
	dir := filepath.Join(p.folder, fmt.Sprint("groups-", p.seed, "-", p.played))
	y := newParty(t, dir, p.wait)
	y.try(y.begin)
	t.Repeat(map[string]func(*rapid.T){"move": func(t *rapid.T) {
		next := moves().Draw(t, "move")
		y.try(func() { y.makeMove(next) })
	}})
	y.try(y.ending)
	y.close()
	if y.wrong == "" || p.failed {
		os.RemoveAll(dir)
	}
	if y.wrong != "" {
		p.fail(t, y.scene)
	}
}
