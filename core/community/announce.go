package community

import (
	"slices"

	"timbre/core/store"
	"timbre/model/tim"
	"timbre/protocol"
)

// rights tells the host what became of a permission group.
func (c *Communities) rights(tx *store.Tx, e *protocol.Entry) error {
	d, err := parse[protocol.RightsChange](e.Data)
	if err != nil {
		return err
	}
	d.Rights.Community = e.Group
	switch d.Change {
	case protocol.ChangeCreated:
		c.emit(tx, tim.OpTIMSetCommunityCreatePermissionGroupCallback, e.Group, rights(&d.Rights).json())
	case protocol.ChangeSet:
		c.emit(tx, tim.OpTIMSetCommunityChangePermissionGroupInfoCallback, e.Group, rights(&d.Rights).json())
	case protocol.ChangeDeleted:
		c.emit(tx, tim.OpTIMSetCommunityDeletePermissionGroupCallback, e.Group, string(protocol.Marshal(d.IDs)))
	default:
		if how, known := rightsEvents[d.Change]; known {
			c.emit(tx, how.setter, e.Group, object{tim.KeyPermissionGroupID: d.Rights.ID, how.key: how.value(&d)}.json())
		}
	}
	return nil
}

// rightsEvents is the events about what a permission group has, each with the one key that its payload carries beside the
// group's id.
var rightsEvents = map[string]struct {
	setter tim.Op
	key    string
	value  func(*protocol.RightsChange) any
}{
	protocol.ChangeEnlist: {tim.OpTIMSetCommunityAddMembersToPermissionGroupCallback, tim.KeyMemberIDList, users},
	protocol.ChangeDelist: {tim.OpTIMSetCommunityRemoveMembersFromPermissionGroupCallback, tim.KeyMemberIDList, users},
	protocol.ChangeGrant:  {tim.OpTIMSetCommunityAddTopicPermissionCallback, tim.KeyTopicPermissionMap, granted},
	protocol.ChangeAlter:  {tim.OpTIMSetCommunityModifyTopicPermissionCallback, tim.KeyTopicPermissionMap, granted},
	protocol.ChangeRevoke: {tim.OpTIMSetCommunityDeleteTopicPermissionCallback, tim.KeyTopicIDList, revoked},
}

func users(d *protocol.RightsChange) any { return slices.Concat([]string{}, d.Users) }

// revoked is the topics in which a permission group has no rights any more.
func revoked(d *protocol.RightsChange) any {
	all := slices.Concat([]string{}, d.Topics)
	for id := range d.Rights.Topics {
		if !slices.Contains(all, id) {
			all = append(all, id)
		}
	}
	slices.Sort(all)
	return all
}

// granted is the rights in topics, in the order of the topics' ids.
func granted(d *protocol.RightsChange) any { return permissions(d.Rights.Topics) }
