package group

import (
	"fmt"
	"slices"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// SetCounters sets counters of a group or adds to them, all of a request or none, and tells its members of each.
func (g *Groups) SetCounters(tx *sqlite.Tx, a *Actor, gid int64, s *protocol.SetGroupCounters) (protocol.GroupCounters, Outcome, error) {
	return once(g, tx, a, func(o *Outcome) (answer protocol.GroupCounters, err error) {
		answer.Counters = []protocol.Counter{}
		r, err := find(tx, gid)
		if err != nil {
			return answer, err
		}
		if _, err = g.permit(tx, r, a.UID, model.GroupSetCounters); err != nil {
			return answer, err
		}
		have, err := countersOf(tx, gid)
		if err != nil {
			return answer, err
		}
		if answer.Counters, err = counted(have, s); err != nil {
			return answer, err
		}
		for _, c := range answer.Counters {
			if err = tx.Exec(`INSERT INTO counter (gid, key, value) VALUES (?,?,?) ON CONFLICT (gid, key) DO UPDATE SET value=excluded.value`,
				gid, c.Key, c.Value); err != nil {
				return answer, err
			}
			if err = g.note(tx, r, o, protocol.EntryGroupCounter, c); err != nil {
				return answer, err
			}
		}
		return answer, nil
	})
}

// counted returns what the counters of a request become, each once.
func counted(have map[string]int64, s *protocol.SetGroupCounters) (list []protocol.Counter, err error) {
	list = []protocol.Counter{}
	at := map[string]int{} // in the list: there may be a hundred thousand still
	for _, c := range s.Counters {
		if c.Key == "" || len(c.Key) > model.MaxCounterKey {
			return nil, refusal.New(tim.ErrSVRGroupInvalidParameters, fmt.Sprintf("the key of a counter has 1 to %d bytes", model.MaxCounterKey))
		}
		if s.Add {
			sum := have[c.Key] + c.Value
			if (sum > have[c.Key]) != (c.Value > 0) && c.Value != 0 {
				return nil, refusal.New(tim.ErrSVRGroupInvalidParameters, "the counter would not fit into 64 bits")
			}
			c.Value = sum
		}
		have[c.Key] = c.Value
		if i, before := at[c.Key]; before {
			list[i] = c
		} else {
			at[c.Key] = len(list)
			list = append(list, c)
		}
	}
	if len(have) > model.MaxCounters {
		return nil, refusal.New(model.CodeCounterCount, fmt.Sprintf("a group has at most %d counters", model.MaxCounters))
	}
	return list, nil
}

func countersOf(q sqlite.Queryer, gid int64) (map[string]int64, error) {
	have := map[string]int64{}
	err := q.Query(`SELECT key, value FROM counter WHERE gid=?`, func(scan func(...any) error) error {
		var c protocol.Counter
		err := scan(&c.Key, &c.Value)
		have[c.Key] = c.Value
		return err
	}, gid)
	return have, err
}

// Counters answers a group's counters by key, those of some keys or all.
func (g *Groups) Counters(q sqlite.Queryer, uid, gid int64, keys []string) (answer protocol.GroupCounters, err error) {
	answer.Counters = []protocol.Counter{}
	r, err := find(q, gid)
	if err != nil {
		return answer, err
	}
	if _, err = g.permit(q, r, uid, model.GroupGetCounters); err != nil {
		return answer, err
	}
	err = q.Query(`SELECT key, value FROM counter WHERE gid=? ORDER BY key`, func(scan func(...any) error) error {
		var c protocol.Counter
		err := scan(&c.Key, &c.Value)
		if len(keys) == 0 || slices.Contains(keys, c.Key) {
			answer.Counters = append(answer.Counters, c)
		}
		return err
	}, gid)
	return answer, err
}
