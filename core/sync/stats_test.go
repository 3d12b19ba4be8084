package sync_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// statsAgree holds the figures at rest against the database.
func (c *client) statsAgree() {
	c.t.Helper()
	groups := c.names(followedGroups)
	words := map[string]string{}
	for _, key := range []string{"log_epoch", "log_pos"} {
		for _, word := range c.names(`SELECT value FROM meta WHERE key='` + key + `'`) {
			words[key] = word
		}
	}
	s := c.engine.Stats()
	if s.Groups != len(groups) || s.Epoch != words["log_epoch"] || fmt.Sprint(s.Position) != words["log_pos"] {
		c.t.Errorf("figures %+v, the database has %v and the groups %v", s, words, groups)
	}
	if s.CatchingUp || !s.CaughtUp || s.Gaps != 0 || s.Held != 0 {
		c.t.Errorf("at rest: %+v", s)
	}
}

func TestStats(t *testing.T) {
	bubble(t, nil, func(t *testing.T, s *server, c *client) {
		c.statsAgree()
		s.grow(1)
		s.push(s.grow(1))
		s.mu.Lock()
		s.fail = 3 // the difference is not to be had at once
		s.mu.Unlock()
		synctest.Wait()
		if st := c.engine.Stats(); st.Gaps != 1 || st.Held != 1 || st.CatchingUp {
			t.Errorf("with a gap: %+v", st)
		}
		time.Sleep(time.Second)
		if st := c.engine.Stats(); st.Gaps != 1 || !st.CatchingUp {
			t.Errorf("while the difference is asked for: %+v", st)
		}
		time.Sleep(time.Minute)
		c.statsAgree()
	})
}
