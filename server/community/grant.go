package community

import (
	"maps"
	"slices"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/group"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// Grant changes what a permission group may do in topics, and says of each what became of it. Rights that are there already
// are replaced; only those that are there are altered or taken back.
func (c *Communities) Grant(tx *sqlite.Tx, a *group.Actor, gid int64, g *protocol.Grant) (protocol.Results, group.Outcome, error) {
	return group.Within(c.groups, tx, a, gid, func(at *group.Site) (answer protocol.Results, err error) {
		if len(g.Topics) == 0 || len(g.Topics) > model.MaxPermissionTopics {
			return answer, invalid("the rights in from 1 to 50 topics change at a time")
		}
		if !slices.Contains([]string{protocol.ChangeGrant, protocol.ChangeAlter, protocol.ChangeRevoke}, g.Change) {
			return answer, invalid("there is no such change of rights")
		}
		r, err := find(tx, gid, at.ID, g.ID)
		if err != nil {
			return answer, err
		}
		done := map[string]uint64{}
		for _, topic := range slices.Sorted(maps.Keys(g.Topics)) {
			result := protocol.Result{ID: topic, Rights: g.Topics[topic]}
			err := grant(tx, at, r, g.Change, topic, g.Topics[topic])
			if no := refusal.Of(err); no != nil {
				result.Code, result.Desc = no.Code, no.Desc
			} else if err != nil {
				return answer, err
			} else {
				done[topic] = result.Rights
			}
			answer.List = append(answer.List, result)
		}
		if len(done) == 0 {
			return answer, nil
		}
		return answer, at.Note(tx, protocol.EntryRights, granted(r, g.Change, done))
	})
}

// granted is what the members are told.
func granted(r *record, change string, topics map[string]uint64) protocol.RightsChange {
	c := protocol.RightsChange{Change: change, Rights: r.Rights, Topics: slices.Sorted(maps.Keys(topics))}
	if change != protocol.ChangeRevoke {
		c.Rights.Topics = topics
	}
	return c
}

func grant(tx *sqlite.Tx, at *group.Site, r *record, change, topic string, bits uint64) error {
	gid, err := at.PermitIn(tx, topic, model.GroupManageRights)
	if err != nil {
		return err
	}
	var n int64
	switch change {
	case protocol.ChangeGrant:
		return tx.Exec(`INSERT INTO permission_topic (pid, topic, rights) VALUES (?,?,?)
			ON CONFLICT (pid, topic) DO UPDATE SET rights=excluded.rights`, r.pid, gid, int64(bits))
	case protocol.ChangeAlter:
		n, err = tx.Change(`UPDATE permission_topic SET rights=? WHERE pid=? AND topic=?`, int64(bits), r.pid, gid)
	default:
		n, err = tx.Change(`DELETE FROM permission_topic WHERE pid=? AND topic=?`, r.pid, gid)
	}
	if err == nil && n == 0 {
		err = refusal.New(tim.ErrSVRGroupInvalidParameters, "the permission group has no rights in this topic")
	}
	return err
}

// Topics answers what a permission group may do in topics, to a member of the community: in those that are named, or in all
// that it has rights in.
func (c *Communities) Topics(q sqlite.Queryer, uid, gid int64, ask *protocol.AskRights) (answer protocol.Results, err error) {
	answer.List = []protocol.Result{}
	if err = c.groups.MayAsk(q, gid, uid); err != nil {
		return answer, err
	}
	r, err := find(q, gid, ask.Community, ask.ID)
	if err != nil {
		return answer, err
	}
	numbers, has := map[int64]uint64{}, map[string]uint64{}
	if err = q.Query(`SELECT topic, rights FROM permission_topic WHERE pid=?`, func(scan func(...any) error) error {
		var topic, bits int64
		err := scan(&topic, &bits)
		numbers[topic] = uint64(bits)
		return err
	}, r.pid); err != nil {
		return answer, err
	}
	for topic, bits := range numbers {
		name, err := c.groups.Name(q, topic)
		if err != nil {
			return answer, err
		}
		has[name] = bits
	}
	names := ask.Topics
	if len(names) == 0 {
		names = slices.Sorted(maps.Keys(has))
	}
	for _, name := range names[:min(len(names), model.MaxTopics)] {
		result := protocol.Result{ID: name, Rights: has[name]}
		if _, ok := has[name]; !ok {
			result.Code, result.Desc = tim.ErrSVRGroupInvalidParameters, "the permission group has no rights in this topic"
		}
		answer.List = append(answer.List, result)
	}
	return answer, nil
}
