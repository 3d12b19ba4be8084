package community

import (
	"crypto/rand"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/group"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// record is a permission group as its row says.
type record struct {
	pid int64
	protocol.Rights
}

const selectGroup = `SELECT pid, id, name, custom, rights, created, members FROM permission_group `

func (r *record) scan(scan func(...any) error) error {
	var bits int64
	err := scan(&r.pid, &r.ID, &r.Name, &r.Custom, &bits, &r.Created, &r.Members)
	r.Rights.Rights = uint64(bits)
	return err
}

// list reads permission groups of a community, whose id is given.
func list(q sqlite.Queryer, community, where string, args ...any) (found []*record, err error) {
	err = q.Query(selectGroup+where, func(scan func(...any) error) error {
		r := &record{Rights: protocol.Rights{Community: community}}
		found = append(found, r)
		return r.scan(scan)
	}, args...)
	return found, err
}

// find reads a permission group by its id.
func find(q sqlite.Queryer, gid int64, community, id string) (*record, error) {
	found, err := list(q, community, `WHERE gid=? AND id=?`, gid, id)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, unknown()
	}
	return found[0], nil
}

// Create makes a permission group.
func (c *Communities) Create(tx *sqlite.Tx, a *group.Actor, gid int64, s *protocol.SetRights) (protocol.CreatedGroup, group.Outcome, error) {
	return group.Within(c.groups, tx, a, gid, func(at *group.Site) (answer protocol.CreatedGroup, err error) {
		if err = at.Permit(tx, model.GroupManageRights); err != nil {
			return answer, err
		}
		r := &record{Rights: protocol.Rights{ID: s.ID, Community: at.ID, Created: c.now().Unix()}}
		if err = r.claim(tx, gid); err != nil {
			return answer, err
		}
		r.alter(s)
		if err = checkTexts(r.Name, r.Custom); err != nil {
			return answer, err
		}
		var n int
		if _, err = tx.Get(`SELECT count(*) FROM permission_group WHERE gid=?`, []any{&n}, gid); err != nil {
			return answer, err
		}
		if n >= model.MaxPermissionGroups {
			return answer, invalid("the community has too many permission groups")
		}
		if err = tx.Exec(`INSERT INTO permission_group (gid, id, name, custom, rights, created) VALUES (?,?,?,?,?,?)`,
			gid, r.ID, r.Name, r.Custom, int64(r.Rights.Rights), r.Created); err != nil {
			return answer, err
		}
		answer.ID = r.ID
		return answer, at.Note(tx, protocol.EntryRights, protocol.RightsChange{Change: protocol.ChangeCreated, Rights: r.Rights})
	})
}

// claim gives the permission group an id that no other one of the community has: that of its maker or one of its own.
func (r *record) claim(tx *sqlite.Tx, gid int64) error {
	if r.ID == "" {
		r.ID = model.PermissionGroupPrefix + rand.Text()[:16]
		return nil
	}
	if !model.ValidPermissionGroupID(r.ID) {
		return refusal.New(tim.ErrSDKGroupInvalidID, "a permission group's id is "+model.PermissionGroupPrefix+" and at most 48 printable ASCII characters")
	}
	taken, err := tx.Get(`SELECT 1 FROM permission_group WHERE gid=? AND id=?`, []any{new(int)}, gid, r.ID)
	if err == nil && taken {
		err = refusal.New(tim.ErrSVRGroupGroupidInUsed, "the community has a permission group with this id")
	}
	return err
}

// alter changes the record as asked and says whether anything is different.
func (r *record) alter(s *protocol.SetRights) bool {
	was := *r
	for _, f := range []struct{ to, field *string }{{s.Name, &r.Name}, {s.Custom, &r.Custom}} {
		if f.to != nil {
			*f.field = *f.to
		}
	}
	if s.Rights != nil {
		r.Rights.Rights = *s.Rights
	}
	return was.Name != r.Name || was.Custom != r.Custom || was.Rights.Rights != r.Rights.Rights
}

// Set changes what a permission group is and may do.
func (c *Communities) Set(tx *sqlite.Tx, a *group.Actor, gid int64, s *protocol.SetRights) (group.Outcome, error) {
	_, o, err := group.Within(c.groups, tx, a, gid, func(at *group.Site) (answer struct{}, err error) {
		if err = at.Permit(tx, model.GroupManageRights); err != nil {
			return answer, err
		}
		r, err := find(tx, gid, at.ID, s.ID)
		if err != nil || !r.alter(s) {
			return answer, err
		}
		if err = checkTexts(r.Name, r.Custom); err != nil {
			return answer, err
		}
		if err = tx.Exec(`UPDATE permission_group SET name=?, custom=?, rights=? WHERE pid=?`, r.Name, r.Custom,
			int64(r.Rights.Rights), r.pid); err != nil {
			return answer, err
		}
		return answer, at.Note(tx, protocol.EntryRights, protocol.RightsChange{Change: protocol.ChangeSet, Rights: r.Rights})
	})
	return o, err
}

// Delete ends permission groups and says of each what became of it.
func (c *Communities) Delete(tx *sqlite.Tx, a *group.Actor, gid int64, ids []string) (protocol.RightsList, group.Outcome, error) {
	return group.Within(c.groups, tx, a, gid, func(at *group.Site) (answer protocol.RightsList, err error) {
		if err = at.Permit(tx, model.GroupManageRights); err != nil {
			return answer, err
		}
		if len(ids) == 0 || len(ids) > model.MaxPermissionGroups {
			return answer, invalid("from 1 to 100 permission groups are deleted at a time")
		}
		var gone []string
		for _, id := range ids {
			f, err := found(find(tx, gid, at.ID, id))
			if err != nil {
				return answer, err
			}
			f.Rights = protocol.Rights{ID: id, Community: at.ID}
			if answer.List = append(answer.List, f); f.Code != 0 {
				continue
			}
			if err := forget(tx, gid, id); err != nil {
				return answer, err
			}
			gone = append(gone, id)
		}
		if len(gone) == 0 {
			return answer, nil
		}
		return answer, at.Note(tx, protocol.EntryRights, protocol.RightsChange{Change: protocol.ChangeDeleted, IDs: gone,
			Rights: protocol.Rights{Community: at.ID}})
	})
}

func forget(tx *sqlite.Tx, gid int64, id string) error {
	const one = `(SELECT pid FROM permission_group WHERE gid=? AND id=?)`
	for _, statement := range []string{`DELETE FROM permission_topic WHERE pid IN ` + one, `DELETE FROM permission_member WHERE pid IN ` + one,
		`DELETE FROM permission_group WHERE gid=? AND id=?`} {
		if err := tx.Exec(statement, gid, id); err != nil {
			return err
		}
	}
	return nil
}

// found turns a refusal into the code of one part of an answer.
func found(r *record, err error) (f protocol.FoundRights, _ error) {
	if no := refusal.Of(err); no != nil {
		return protocol.FoundRights{Code: no.Code, Desc: no.Desc}, nil
	}
	if err != nil {
		return f, err
	}
	return protocol.FoundRights{Rights: r.Rights}, nil
}

// List answers permission groups of a community to one of its members: those that are named, those that he is in, or all.
func (c *Communities) List(q sqlite.Queryer, uid, gid int64, ask *protocol.AskRights) (answer protocol.RightsList, err error) {
	answer.List = []protocol.FoundRights{}
	if err = c.groups.MayAsk(q, gid, uid); err != nil {
		return answer, err
	}
	if len(ask.IDs) > model.MaxPermissionGroups {
		return answer, invalid("too many permission groups in one request")
	}
	for _, id := range ask.IDs {
		f, err := found(find(q, gid, ask.Community, id))
		if err != nil {
			return answer, err
		}
		if f.Rights.ID == "" {
			f.Rights = protocol.Rights{ID: id, Community: ask.Community}
		}
		answer.List = append(answer.List, f)
	}
	if len(ask.IDs) > 0 {
		return answer, nil
	}
	where, args := `WHERE gid=? ORDER BY pid`, []any{gid}
	if ask.Joined {
		where, args = `WHERE pid IN (SELECT pid FROM permission_member WHERE gid=? AND uid=?) ORDER BY pid`, []any{gid, uid}
	}
	all, err := list(q, ask.Community, where, args...)
	for _, r := range all {
		answer.List = append(answer.List, protocol.FoundRights{Rights: r.Rights})
	}
	return answer, err
}
