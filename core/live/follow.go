package live

import (
	"encoding/json"

	"timbre/core/store"
	"timbre/protocol"
)

// Apply follows the user's own log: a report may say that he is not in a room any more.
func (r *Rooms) Apply(tx *store.Tx, e *protocol.Entry) error {
	if e.Kind != protocol.EntryReport {
		return nil
	}
	var d protocol.Report
	if err := json.Unmarshal(e.Data, &d); err != nil || !d.Gone {
		return err
	}
	group := e.Group
	tx.After(func() { r.Left(group) })
	return nil
}

// GroupState follows nothing: no state of a live room is kept.
func (r *Rooms) GroupState(*store.Tx, *protocol.GroupState, bool) error { return nil }

// GroupGone likewise.
func (r *Rooms) GroupGone(*store.Tx, string) error { return nil }

// Forget likewise.
func (r *Rooms) Forget(*store.Tx) error { return nil }
