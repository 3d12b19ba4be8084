package community

import (
	"timbre/model"
	"timbre/sqlite"
)

// rights is what a member may do by the rights that everybody has and those of his permission groups.
type rights struct {
	community uint64
	topic     uint64 // in the topic that was asked about
	inTopic   bool
}

func (r rights) allow(need model.GroupRight) bool {
	if r.inTopic {
		return r.community&need.Everywhere != 0 || r.topic&need.Topic != 0
	}
	return r.community&need.Community != 0
}

// of returns a member's rights in a community or in one of its topics, and whether they count.
func (c *Communities) of(q sqlite.Queryer, gid, uid int64) (r rights, on bool, err error) {
	d, err := c.groups.Defaults(q, gid)
	if err != nil || !d.On {
		return r, false, err
	}
	r = rights{community: d.Rights, topic: d.InTopic, inTopic: gid != d.Community}
	err = q.Query(`SELECT p.rights, coalesce(t.rights,0) FROM permission_member m JOIN permission_group p ON p.pid=m.pid
		LEFT JOIN permission_topic t ON t.pid=m.pid AND t.topic=? WHERE m.gid=? AND m.uid=?`, func(scan func(...any) error) error {
		var all, here int64
		err := scan(&all, &here)
		r.community |= uint64(all)
		r.topic |= uint64(here)
		return err
	}, gid, d.Community, uid)
	return r, true, err
}

// Allows implements group.Rights.
func (c *Communities) Allows(q sqlite.Queryer, gid, uid int64, a model.GroupAction) (allows, decides bool, err error) {
	need, decides := model.GroupRightTo(a)
	if !decides {
		return false, false, nil
	}
	r, on, err := c.of(q, gid, uid)
	return r.allow(need), on, err
}
