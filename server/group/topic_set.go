package group

import (
	"slices"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// SetTopic changes what a topic is. The topic says so, and the community tells all its members.
func (g *Groups) SetTopic(tx *sqlite.Tx, a *Actor, gid int64, s *protocol.SetTopic) (Outcome, error) {
	_, o, err := once(g, tx, a, func(o *Outcome) (answer struct{}, err error) {
		t, err := g.findTopic(tx, gid)
		if err != nil {
			return answer, err
		}
		if err = g.maySetTopic(tx, a, t, s); err != nil {
			return answer, err
		}
		changes := t.alter(s)
		if len(changes) == 0 {
			return answer, nil
		}
		if err = checkTopic(t.Name, t.Introduction, t.Notification, t.Face, t.Text); err != nil {
			return answer, err
		}
		parent, err := find(tx, t.parent)
		if err != nil {
			return answer, err
		}
		t.LastInfo = g.now().Unix()
		if err = t.writeTopic(tx); err != nil {
			return answer, err
		}
		if err = g.note(tx, parent, o, protocol.EntryTopic, protocol.TopicChange{Change: protocol.ChangeSet, Topic: &t.Group, By: a.Name}); err != nil {
			return answer, err
		}
		if changes = g.toSay(t, changes); len(changes) == 0 {
			return answer, nil
		}
		return answer, g.say(tx, a, t, o, &tip{kind: tim.GroupTipTopicInfoChange, change: changes})
	})
	return o, err
}

// findTopic reads a group that must be a topic.
func (g *Groups) findTopic(q sqlite.Queryer, gid int64) (*record, error) {
	t, err := find(q, gid)
	if err == nil && t.parent == 0 {
		err = noTopic()
	}
	return t, err
}

func noTopic() error { return refusal.New(tim.ErrSVRGroupInvalidGroupid, "this is no topic") }

func (g *Groups) maySetTopic(tx *sqlite.Tx, a *Actor, t *record, s *protocol.SetTopic) error {
	if s.Rights != nil {
		if _, err := g.permit(tx, t, a.UID, model.GroupManageRights); err != nil {
			return err
		}
		rest := *s
		if rest.Rights = nil; rest == (protocol.SetTopic{Topic: s.Topic}) {
			return nil
		}
	}
	_, err := g.permit(tx, t, a.UID, model.GroupManageTopics)
	return err
}

// alter changes the record and returns what a tip says of it.
func (r *record) alter(s *protocol.SetTopic) (changes []object) {
	for _, f := range []struct {
		to    *string
		field *string
		flag  int
	}{
		{s.Name, &r.Name, tim.GroupTipChangeFlagName}, {s.Introduction, &r.Introduction, tim.GroupTipChangeFlagIntroduction},
		{s.Notification, &r.Notification, tim.GroupTipChangeFlagNotification}, {s.Face, &r.Face, tim.GroupTipChangeFlagFaceUrl},
		{s.Text, &r.Text, tim.GroupTipChangeFlagTopicCustomData},
	} {
		if f.to != nil && *f.to != *f.field {
			*f.field = *f.to
			changes = append(changes, changeInfo(f.flag, tim.KeyGroupTipGroupChangeInfoValue, *f.to))
		}
	}
	if s.MuteAll != nil && *s.MuteAll != r.MuteAll {
		r.MuteAll = *s.MuteAll
		changes = append(changes, changeInfo(tim.GroupTipChangeFlagShutupAll, tim.KeyGroupTipGroupChangeInfoBoolValue, r.MuteAll))
	}
	if s.Rights != nil && *s.Rights != r.Rights {
		r.Rights = *s.Rights
		changes = append(changes, changeInfo(tim.GroupTipChangeFlagDefaultPermissions, tim.KeyGroupTipGroupChangeInfoUint64Value, r.Rights))
	}
	return changes
}

func (r *record) writeTopic(tx *sqlite.Tx) error {
	return tx.Exec(`UPDATE grp SET name=?, intro=?, notice=?, face=?, custom=?, mute_all=?, rights=?, info_time=? WHERE gid=?`,
		r.Name, r.Introduction, r.Notification, r.Face, r.Text, r.MuteAll, int64(r.Rights), r.LastInfo, r.gid)
}

// toSay leaves out the changes that groups of this type are silent about.
func (g *Groups) toSay(t *record, changes []object) []object {
	if g.rulesOf(t).OptionTips {
		return changes
	}
	return slices.DeleteFunc(changes, func(o object) bool {
		return o[tim.KeyGroupTipGroupChangeInfoFlag] == tim.GroupTipChangeFlagShutupAll ||
			o[tim.KeyGroupTipGroupChangeInfoFlag] == tim.GroupTipChangeFlagDefaultPermissions
	})
}
