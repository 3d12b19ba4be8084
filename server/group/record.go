package group

import (
	"cmp"
	"encoding/json"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// record is a group as its row says.
type record struct {
	gid         int64
	owner       int64 // 0: nobody
	parent      int64 // gid of the community whose topic this is, 0: none
	attrVersion uint64
	dismissed   int64 // since when its end is being told to its members, seconds; 0: it lives, see also ended
	protocol.Group
}

// selectGroup reads whether permission groups decide in a topic from its community.
const selectGroup = `SELECT gid, id, type, name, intro, notice, face, owner, created, members, max_members, add_opt, approve,
	info_time, custom, parent, mute_all, visible, searchable, topics,
	coalesce((SELECT p.by_rights FROM grp p WHERE p.gid=grp.parent), by_rights), rights, attr_version, dismissed FROM grp `

// find reads a group that has not ended.
func find(q sqlite.Queryer, gid int64) (*record, error) {
	r, err := read(q, gid)
	if err == nil && r.dismissed != 0 {
		err = notFound()
	}
	return r, err
}

// read is find for a group that may be ending.
func read(q sqlite.Queryer, gid int64) (*record, error) {
	list, err := records(q, `WHERE gid=?`, gid)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, notFound()
	}
	return list[0], nil
}

// records reads groups.
func records(q sqlite.Queryer, where string, args ...any) (list []*record, err error) {
	err = q.Query(selectGroup+where, func(scan func(...any) error) error {
		r := &record{}
		list = append(list, r)
		return r.scan(scan)
	}, args...)
	return list, err
}

func (r *record) scan(scan func(...any) error) error {
	var custom string
	var rights int64
	if err := scan(&r.gid, &r.ID, &r.Type, &r.Name, &r.Introduction, &r.Notification, &r.Face, &r.owner, &r.Created, &r.Members,
		&r.MaxMembers, &r.AddOption, &r.Approve, &r.LastInfo, &custom, &r.parent, &r.MuteAll, &r.Visible, &r.Searchable, &r.Topics,
		&r.ByRights, &rights, &r.attrVersion, &r.dismissed); err != nil {
		return err
	}
	r.Rights = uint64(rights)
	if r.parent != 0 {
		r.Parent = model.CommunityOf(r.ID)
		r.Text = custom
		return nil
	}
	return parseFields(custom, &r.Custom)
}

// parseFields reads custom fields as a row has them.
func parseFields(text string, fields *map[string]string) error {
	if text == "" {
		return nil
	}
	return json.Unmarshal([]byte(text), fields)
}

func (g *Groups) rulesOf(r *record) model.GroupRules { return *g.tables[r.Type] }

// home is the group whose members the members of this one are: of a topic its community.
func (r *record) home() int64 { return cmp.Or(r.parent, r.gid) }

func notFound() error { return refusal.New(tim.ErrSVRGroupNotFound, "there is no such group") }
