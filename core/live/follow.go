package live

import (
	"encoding/json"

	"timbre/core/store"
	"timbre/model/tim"
	"timbre/protocol"
)

// Apply follows the user's own log: a report may say that he is not in a room any more, and a lasting group may have got the id
// of a room that is over.
func (r *Rooms) Apply(tx *store.Tx, e *protocol.Entry) error {
	switch e.Kind {
	case protocol.EntryReport:
		var d protocol.Report
		if err := json.Unmarshal(e.Data, &d); err != nil || !d.Gone {
			return err
		}
		group := e.Group
		tx.After(func() { r.Left(group) })
	case protocol.EntryGroup:
		var d protocol.Membership
		if err := json.Unmarshal(e.Data, &d); err != nil || !d.In || d.Group == nil || isLive(d.Group.Type) {
			return err
		}
		group := e.Group
		tx.After(func() { r.forget(group) })
	}
	return nil
}

func isLive(groupType int) bool {
	return groupType == tim.GroupAVChatRoom || groupType == tim.GroupBChatRoom
}

// forget says that a group is no live room.
func (r *Rooms) forget(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leave(id)
	delete(r.rooms, id)
	delete(r.types, id)
}

// GroupState follows nothing: no state of a live room is kept.
func (r *Rooms) GroupState(*store.Tx, *protocol.GroupState, bool) error { return nil }

// GroupGone likewise.
func (r *Rooms) GroupGone(*store.Tx, string) error { return nil }

// Forget likewise.
func (r *Rooms) Forget(*store.Tx) error { return nil }
