package community

import (
	"timbre/model"
	"timbre/sqlite"
)

// maxDeciders is how many members are told of a request: with more of them nearly everybody could decide.
const maxDeciders = 500

// Deciders implements group.Rights.
func (c *Communities) Deciders(q sqlite.Queryer, gid int64) (uids []int64, err error) {
	need, _ := model.GroupRightTo(model.GroupApprove)
	err = q.Query(`SELECT DISTINCT m.uid FROM permission_group p JOIN permission_member m ON m.pid=p.pid
		WHERE p.gid=? AND p.rights&?<>0 ORDER BY m.uid LIMIT ?`, func(scan func(...any) error) error {
		var uid int64
		err := scan(&uid)
		uids = append(uids, uid)
		return err
	}, gid, int64(need.Community), maxDeciders)
	return uids, err
}
