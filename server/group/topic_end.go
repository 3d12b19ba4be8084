package group

import (
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// DeleteTopics ends topics of a community, and says of each what became of it.
func (g *Groups) DeleteTopics(tx *sqlite.Tx, a *Actor, gid int64, names []string) (protocol.Topics, Outcome, error) {
	return once(g, tx, a, func(o *Outcome) (answer protocol.Topics, err error) {
		r, err := findCommunity(tx, gid)
		if err != nil {
			return answer, err
		}
		if m, err := g.member(tx, r, a.UID); err != nil || m == nil {
			return answer, orElse(err, outside())
		}
		if len(names) == 0 || len(names) > model.MaxTopics {
			return answer, refusal.New(tim.ErrSVRGroupInvalidParameters, "from 1 to 200 topics are deleted at a time")
		}
		var gone []string
		for _, name := range names {
			f, err := g.deleteTopic(tx, a, r, o, name)
			if err != nil {
				return answer, err
			}
			if answer.List = append(answer.List, f); f.Code == 0 {
				gone = append(gone, name)
			}
		}
		if len(gone) == 0 {
			return answer, nil
		}
		g.Ending()
		return answer, g.note(tx, r, o, protocol.EntryTopic, protocol.TopicChange{Change: protocol.ChangeDeleted, IDs: gone, By: a.Name})
	})
}

func (g *Groups) deleteTopic(tx *sqlite.Tx, a *Actor, r *record, o *Outcome, name string) (f protocol.FoundGroup, err error) {
	f.Group.ID = name
	t, err := topicNamed(tx, a.App, r.gid, name)
	if err == nil {
		_, err = g.permit(tx, t, a.UID, model.GroupManageTopics)
	}
	if no := refusal.Of(err); no != nil {
		f.Code, f.Desc = no.Code, no.Desc
		return f, nil
	}
	if err != nil {
		return f, err
	}
	o.Closed = append(o.Closed, t.gid)
	return f, g.endBranch(tx, t.gid)
}

// endBranch takes a topic away from everybody at once, and frees its id for another one. Its rows go later, in pieces, under
// an id that nobody can have given to a topic.
func (g *Groups) endBranch(tx *sqlite.Tx, gid int64) error {
	var key id
	if _, err := tx.Get(`SELECT app, id FROM grp WHERE gid=?`, []any{&key.app, &key.name}, gid); err != nil {
		return err
	}
	g.unlearn(key, gid)
	if err := tx.Exec(`UPDATE grp SET dismissed=?, id=id||char(10)||gid WHERE gid=?`, g.now().Unix(), gid); err != nil {
		return err
	}
	if g.near.Rights != nil {
		if err := g.near.Rights.Ended(tx, gid); err != nil {
			return err
		}
	}
	return g.messages.CloseBranch(tx, gid)
}
