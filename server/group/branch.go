package group

import (
	"slices"

	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/message"
	"timbre/server/session"
	"timbre/sqlite"
)

// A topic is a branch of a community: a group whose members are the community's. It has a history of its own, and each
// member chooses for each topic how he receives; all other rows of a membership are the community's. So a new topic costs
// the same however many members there are, and a new member costs as much as there are topics.

// branches returns the topics of a community by number.
func branches(q sqlite.Queryer, parent int64) ([]int64, error) {
	return numbers(q, `SELECT gid FROM grp WHERE parent<>0 AND parent=? AND dismissed=0 ORDER BY gid`, parent)
}

// seesPast says whether a newcomer to a community sees what was said before he came: there as a whole, and in a topic if
// one is given.
func (g *Groups) seesPast(r, topic *record) bool {
	if !r.ByRights { // and a newcomer is in no permission group
		return g.rulesOf(r).History
	}
	return r.Rights&tim.CommunityPermissionGetHistoryMessage != 0 ||
		topic != nil && topic.Rights&tim.TopicPermissionGetHistoryMessage != 0
}

// maxBranchStates bounds the last messages that a newcomer gets with the topics of a community, in bytes.
const maxBranchStates = protocol.MaxLine / 4

// enterBranches gives a new member of a community his places in its topics and returns where each of them stands. His
// sessions follow them. The last messages of all topics may be too long together: then the later ones come without.
func (g *Groups) enterBranches(tx *sqlite.Tx, r *record, o *Outcome, u message.User) (states []protocol.GroupState, err error) {
	if !r.Topics {
		return nil, nil
	}
	topics, err := records(tx, `WHERE parent<>0 AND parent=? AND dismissed=0 ORDER BY gid`, r.gid)
	if err != nil || len(topics) == 0 {
		return nil, err
	}
	m, err := g.member(tx, r, u.UID)
	if err != nil {
		return nil, err
	}
	size := 0
	for _, topic := range topics {
		st, err := g.enterBranch(tx, r, topic, u, *m)
		if err != nil {
			return nil, err
		}
		for _, msg := range st.Msgs {
			size += len(msg)
		}
		if size > maxBranchStates {
			st.Msgs = st.Msgs[:0]
		}
		o.Joined = append(o.Joined, session.Seat{UID: u.UID, GID: topic.gid})
		states = append(states, *st)
	}
	return states, nil
}

// enterBranch does it for one topic. What the user is in the community he is there.
func (g *Groups) enterBranch(tx *sqlite.Tx, r, topic *record, u message.User, m member) (*protocol.GroupState, error) {
	if err := g.messages.SitInBranch(tx, topic.gid, u.UID, g.seesPast(r, topic)); err != nil {
		return nil, err
	}
	st, err := g.messages.StateNow(tx, u, topic.gid)
	if err != nil {
		return nil, err
	}
	until, err := mutedUntil(tx, topic.gid, u.UID)
	if err != nil {
		return nil, err
	}
	m.option, m.muteUntil = tim.RecvMsgOptReceive, max(m.muteUntil, until)
	st.Group = topic.Group
	st.Group.Self = m.self()
	return st, g.stand(tx, topic, u.UID, &st.Group)
}

// leaveBranches takes away what only a member has in the topics of a community and in its permission groups.
func (g *Groups) leaveBranches(tx *sqlite.Tx, r *record, o *Outcome, uid int64) error {
	if r.Type != tim.GroupCommunity {
		return nil
	}
	if g.near.Rights != nil {
		if err := g.near.Rights.Left(tx, r.gid, uid); err != nil {
			return err
		}
	}
	gids, err := branches(tx, r.gid)
	if err != nil || len(gids) == 0 {
		return err
	}
	for _, gid := range gids {
		o.Left = append(o.Left, session.Seat{UID: uid, GID: gid})
	}
	return tx.Exec(`DELETE FROM topic_option WHERE uid=? AND gid IN (SELECT gid FROM grp WHERE parent<>0 AND parent=?)`, uid, r.gid)
}

// rehear has a member's sessions follow what he wants to hear of now, and nothing else: a group, and of a community its topics.
func (g *Groups) rehear(tx *sqlite.Tx, r *record, o *Outcome, uid int64) error {
	followed, err := g.Followed(tx, uid)
	if err != nil {
		return err
	}
	gids, err := branches(tx, r.gid)
	for _, gid := range append(gids, r.gid) {
		seat := session.Seat{UID: uid, GID: gid}
		if _, follows := slices.BinarySearch(followed, gid); follows {
			o.Joined = append(o.Joined, seat)
		} else {
			o.Left = append(o.Left, seat)
		}
	}
	return err
}

// branchOff completes what a member of a community is in one of its topics.
func (m *member) branchOff(q sqlite.Queryer, topic, uid int64) error {
	m.option = tim.RecvMsgOptReceive
	if _, err := q.Get(`SELECT option FROM topic_option WHERE uid=? AND gid=?`, []any{&m.option}, uid, topic); err != nil {
		return err
	}
	until, err := mutedUntil(q, topic, uid)
	m.muteUntil = max(m.muteUntil, until)
	return err
}

// setOption notes how a member receives from a group or topic.
func setOption(tx *sqlite.Tx, r *record, uid int64, option int) error {
	if r.parent == 0 {
		return tx.Exec(`UPDATE member SET option=? WHERE gid=? AND uid=?`, option, r.gid, uid)
	}
	return tx.Exec(`INSERT INTO topic_option (uid, gid, option) VALUES (?,?,?) ON CONFLICT (uid, gid) DO UPDATE SET option=excluded.option`,
		uid, r.gid, option)
}
