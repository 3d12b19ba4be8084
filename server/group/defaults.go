package group

import "timbre/sqlite"

// Defaults is what the rights of a community's members begin with.
type Defaults struct {
	Community int64
	On        bool   // permission groups decide
	Rights    uint64 // CommunityPermission bits of every member
	InTopic   uint64 // TopicPermission bits of every member, in the topic that was asked about
}

// Defaults returns what the rights of members begin with in a community, or in one of its topics.
func (g *Groups) Defaults(q sqlite.Queryer, gid int64) (d Defaults, err error) {
	var rights, topic int64
	_, err = q.Get(`SELECT c.gid, c.by_rights, c.rights, CASE g.parent WHEN 0 THEN 0 ELSE g.rights END
		FROM grp g JOIN grp c ON c.gid=CASE g.parent WHEN 0 THEN g.gid ELSE g.parent END WHERE g.gid=?`,
		[]any{&d.Community, &d.On, &rights, &topic}, gid)
	d.Rights, d.InTopic = uint64(rights), uint64(topic)
	return d, err
}
