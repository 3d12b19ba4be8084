package group

import (
	"timbre/protocol"
	"timbre/sqlite"
)

// inform reports to some users what the actor did, each in his own log.
func (g *Groups) inform(tx *sqlite.Tx, a *Actor, r *record, o *Outcome, what protocol.Report, uids ...int64) (err error) {
	if what.Operator, err = g.describe(tx, r, a.UID); err != nil {
		return err
	}
	what.Platform = a.Platform
	for _, uid := range uids {
		if err := g.report(tx, r, o, uid, what); err != nil {
			return err
		}
	}
	return nil
}
