package conversation

import (
	"cmp"
	"fmt"
	"math"

	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/changelog"
	"timbre/server/message"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// maxAnswer keeps a page well under the longest line.
const maxAnswer = protocol.MaxLine * 3 / 4

// cursor is where a page begins: behind this conversation of a group, or with group 0 of the attributes.
type cursor struct{ group, conv int64 }

func parseCursor(s string) (at cursor, err error) {
	if s == "" {
		return cursor{0, math.MinInt64}, nil
	}
	if _, err := fmt.Sscanf(s, "%d.%d", &at.group, &at.conv); err != nil {
		return at, refusal.New(tim.ErrInvalidParameters, "this is no cursor of attributes")
	}
	return at, nil
}

func (at cursor) String() string { return fmt.Sprintf("%d.%d", at.group, at.conv) }

// page is an answer that is being filled.
type page struct {
	protocol.AllAttributes
	at   cursor // behind what it has
	left int    // bytes
}

// All answers a page of everything that a user has attached to his conversations.
func (c *Conversations) All(q sqlite.Queryer, uid int64, ask protocol.AskAttributes) (protocol.AllAttributes, error) {
	at, err := parseCursor(ask.Cursor)
	if err != nil {
		return protocol.AllAttributes{}, err
	}
	p := &page{AllAttributes: protocol.AllAttributes{Convs: []protocol.Attributes{}, Groups: []protocol.ConvGroup{}}, at: at, left: maxAnswer}
	if at.group == 0 {
		if err := c.addAttributes(q, uid, p); err != nil {
			return p.AllAttributes, err
		}
	}
	return p.AllAttributes, c.addGroups(q, uid, p)
}

// fits says whether something of this size may still come onto the page; if not, the next one begins there.
func (p *page) fits(size int) bool {
	if p.left -= size; p.left < 0 && p.Cursor == "" {
		p.Cursor = p.at.String()
	}
	return p.left >= 0
}

func (c *Conversations) addAttributes(q sqlite.Queryer, uid int64, p *page) error {
	var convs []int64
	var list []attributes
	err := q.Query(`SELECT conv, pinned, marks, custom FROM conv_attribute WHERE uid=? AND conv>? ORDER BY conv`,
		func(scan func(...any) error) error {
			var conv, marks int64
			var a attributes
			err := scan(&conv, &a.pinned, &marks, &a.custom)
			a.marks = uint64(marks)
			convs, list = append(convs, conv), append(list, a)
			return err
		}, uid, p.at.conv)
	for i := 0; i < len(convs) && err == nil; i++ {
		var t protocol.Target
		if t, err = c.name(q, convs[i]); err != nil {
			break
		}
		one := public(t, list[i])
		if !p.fits(len(protocol.Marshal(one)) + 1) {
			return nil
		}
		p.Convs, p.at.conv = append(p.Convs, one), convs[i]
	}
	return err
}

func (c *Conversations) addGroups(q sqlite.Queryer, uid int64, p *page) error {
	var ids []int64
	var names []string
	err := q.Query(`SELECT id, name FROM conv_group WHERE uid=? AND id>=? ORDER BY id`, func(scan func(...any) error) error {
		var id int64
		var name string
		err := scan(&id, &name)
		ids, names = append(ids, id), append(names, name)
		return err
	}, uid, p.at.group)
	for i := 0; i < len(ids) && p.Cursor == "" && err == nil; i++ {
		if ids[i] != p.at.group {
			p.at = cursor{ids[i], math.MinInt64}
		}
		err = c.addGroup(q, names[i], p)
	}
	return err
}

// addGroup adds what fits of the group at the page's end.
func (c *Conversations) addGroup(q sqlite.Queryer, name string, p *page) error {
	g := protocol.ConvGroup{Name: name, Convs: []protocol.Target{}}
	if !p.fits(len(protocol.Marshal(g)) + 1) {
		return nil
	}
	var convs []int64
	err := q.Query(`SELECT conv FROM conv_grouped WHERE grp=? AND conv>? ORDER BY conv`, func(scan func(...any) error) error {
		var conv int64
		err := scan(&conv)
		convs = append(convs, conv)
		return err
	}, p.at.group, p.at.conv)
	for _, conv := range convs {
		t, nameErr := c.name(q, conv)
		if err = cmp.Or(err, nameErr); err != nil || !p.fits(len(protocol.Marshal(t))+1) {
			break
		}
		g.Convs, p.at.conv = append(g.Convs, t), conv
	}
	p.Groups = append(p.Groups, g)
	return err
}

// name is a conversation as a client knows it.
func (c *Conversations) name(q sqlite.Queryer, conv int64) (protocol.Target, error) {
	var w message.Where
	var err error
	if gid := changelog.GroupLog(conv); gid > 0 {
		w.GID = gid
		w.Group, err = c.groups.Name(q, gid)
	} else {
		w.Peer.Name, err = c.users.Name(q, conv)
	}
	return target(w), err
}
