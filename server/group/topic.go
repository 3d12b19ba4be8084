package group

import (
	"crypto/rand"
	"strings"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/refusal"
	"timbre/server/session"
	"timbre/sqlite"
)

// CreateTopic makes a topic of a community. Everybody who follows the community follows it from its first entry.
func (g *Groups) CreateTopic(tx *sqlite.Tx, a *Actor, gid int64, c *protocol.CreateTopic) (protocol.CreatedGroup, Outcome, error) {
	return once(g, tx, a, func(o *Outcome) (answer protocol.CreatedGroup, err error) {
		r, err := findCommunity(tx, gid)
		if err != nil {
			return answer, err
		}
		if _, err = g.permit(tx, r, a.UID, model.GroupManageTopics); err != nil {
			return answer, err
		}
		if err = checkTopic(c.Name, c.Introduction, c.Notification, c.Face, c.Text); err != nil {
			return answer, err
		}
		topic, err := g.draftTopic(tx, a, r, c)
		if err != nil {
			return answer, err
		}
		if err = g.insertTopic(tx, a, topic); err != nil {
			return answer, err
		}
		o.Opened = append(o.Opened, session.Branch{GID: topic.gid, Parent: r.gid})
		answer.ID = topic.ID
		return answer, g.note(tx, r, o, protocol.EntryTopic, protocol.TopicChange{Change: protocol.ChangeCreated, Topic: &topic.Group, By: a.Name})
	})
}

// findCommunity reads a group that must be a community with topics.
func findCommunity(q sqlite.Queryer, gid int64) (*record, error) {
	r, err := find(q, gid)
	if err == nil && (!r.Topics || r.parent != 0) {
		err = refusal.New(tim.ErrSVRGroupInvalidParameters, "this group is no community with topics")
	}
	return r, err
}

// checkTopic holds the texts of a topic against their limits.
func checkTopic(name, introduction, notification, face, text string) error {
	limits := model.GroupTexts{Name: model.MaxTopicName, Introduction: model.MaxTopicText, Notification: model.MaxTopicText,
		Face: model.MaxTopicFace}
	if code, desc := limits.Check(name, introduction, notification, face); code != 0 {
		return refusal.New(code, desc)
	}
	if len(text) > model.MaxTopicCustom {
		return refusal.New(tim.ErrSVRGroupInvalidParameters, "the custom string is longer than 3000 bytes")
	}
	return nil
}

// draftTopic makes sure that there is room for another topic and that its id is free.
func (g *Groups) draftTopic(tx *sqlite.Tx, a *Actor, r *record, c *protocol.CreateTopic) (*record, error) {
	id := c.ID
	if id == "" {
		id = r.ID + model.TopicMark + rand.Text()[:16]
	}
	if !model.ValidTopicID(r.ID, id) {
		return nil, refusal.New(tim.ErrSDKGroupInvalidID, "a topic's id is its community's, "+model.TopicMark+" and at most 48 printable ASCII characters")
	}
	gids, err := branches(tx, r.gid)
	switch {
	case err != nil:
		return nil, err
	case len(gids) >= model.MaxTopics:
		return nil, refusal.New(tim.ErrSVRGroupCountLimit, "the community has too many topics")
	}
	if taken, err := tx.Get(`SELECT 1 FROM grp WHERE app=? AND id=?`, []any{new(int)}, int64(a.App), id); err != nil || taken {
		return nil, orElse(err, refusal.New(tim.ErrSVRGroupGroupidInUsed, "there is a topic with this id"))
	}
	now := g.now().Unix()
	return &record{parent: r.gid, Group: protocol.Group{ID: id, Type: r.Type, Parent: r.ID, Name: c.Name, Introduction: c.Introduction,
		Notification: c.Notification, Face: c.Face, Text: c.Text, MuteAll: c.MuteAll, Rights: c.Rights, Created: now, LastInfo: now}}, nil
}

func (g *Groups) insertTopic(tx *sqlite.Tx, a *Actor, t *record) (err error) {
	t.gid, err = tx.Insert(`INSERT INTO grp (app, id, type, parent, name, intro, notice, face, custom, mute_all, rights, owner, created, max_members,
		add_opt, approve, info_time) VALUES (?,?,?,?,?,?,?,?,?,?,?,0,?,0,0,0,?)`, int64(a.App), t.ID, t.Type, t.parent, t.Name,
		t.Introduction, t.Notification, t.Face, t.Text, t.MuteAll, int64(t.Rights), t.Created, t.LastInfo)
	if err != nil {
		return err
	}
	return g.messages.OpenBranch(tx, t.gid, t.parent, t.ID)
}

// topicNamed reads a topic of a community.
func topicNamed(q sqlite.Queryer, app uint64, parent int64, name string) (*record, error) {
	var gid int64
	if !strings.Contains(name, model.TopicMark) {
		return nil, noTopic()
	}
	found, err := q.Get(`SELECT gid FROM grp WHERE app=? AND id=? AND parent=?`, []any{&gid}, int64(app), name, parent)
	if err != nil || !found {
		return nil, orElse(err, refusal.New(tim.ErrSVRGroupNotFound, "there is no such topic"))
	}
	return find(q, gid)
}

// Topics answers topics of a community as one of its members sees them; without names all of them.
func (g *Groups) Topics(q sqlite.Queryer, app uint64, uid, gid int64, names []string) (answer protocol.Topics, err error) {
	answer.List = []protocol.FoundGroup{}
	r, err := findCommunity(q, gid)
	if err != nil {
		return answer, err
	}
	if m, err := g.member(q, r, uid); err != nil || m == nil {
		return answer, orElse(err, outside())
	}
	if len(names) > model.MaxTopics {
		return answer, refusal.New(tim.ErrSVRGroupInvalidParameters, "too many topics in one request")
	}
	if len(names) > 0 {
		err = g.namedTopics(q, app, uid, gid, names, &answer)
		return answer, err
	}
	gids, err := branches(q, gid)
	for _, topic := range gids {
		v, err := g.Group(q, topic, uid)
		if refusal.Of(err) != nil {
			continue // it ended just now
		}
		if err != nil {
			return answer, err
		}
		answer.List = append(answer.List, protocol.FoundGroup{Group: v})
	}
	return answer, err
}

func (g *Groups) namedTopics(q sqlite.Queryer, app uint64, uid, gid int64, names []string, answer *protocol.Topics) error {
	for _, name := range names {
		f := protocol.FoundGroup{Group: protocol.Group{ID: name}}
		t, err := topicNamed(q, app, gid, name)
		if err == nil {
			f.Group, err = g.view(q, t, uid)
		}
		if no := refusal.Of(err); no != nil {
			f.Code, f.Desc = no.Code, no.Desc
		} else if err != nil {
			return err
		}
		answer.List = append(answer.List, f)
	}
	return nil
}

// TellTopic hands something of the operator's to the members of a topic's community.
func (g *Groups) TellTopic(tx *sqlite.Tx, gid int64, data string) (o Outcome, err error) {
	t, err := g.findTopic(tx, gid)
	if err != nil {
		return o, err
	}
	parent, err := find(tx, t.parent)
	if err != nil {
		return o, err
	}
	err = g.note(tx, parent, &o, protocol.EntryTopic, protocol.TopicChange{Change: protocol.ChangeCustom, IDs: []string{t.ID}, Data: data})
	return o, err
}
