package gateway

import (
	"cmp"
	"context"
	"maps"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/changelog"
	"timbre/server/message"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// handler is what to do for an operation.
type handler struct {
	session bool // only for who has logged in
	handle  func(*conn, *protocol.Request)
}

// handlers is every operation; those of groups stand beside what they do.
func handlers() map[string]handler {
	all := map[string]handler{
		protocol.OpLogin:    {false, (*conn).login},
		protocol.OpPing:     {false, (*conn).ping},
		protocol.OpLogout:   {true, (*conn).logout},
		protocol.OpSend:     {true, (*conn).sendMessage},
		protocol.OpRange:    {true, (*conn).messageRange},
		protocol.OpRead:     {true, (*conn).readConversation},
		protocol.OpClear:    {true, (*conn).clearConversation},
		protocol.OpDiff:     {true, (*conn).diff},
		protocol.OpSnapshot: {true, (*conn).snapshot},
		protocol.OpProfiles: {true, (*conn).profiles},
		protocol.OpTinyIDs:  {true, (*conn).profiles},

		protocol.OpGet:           {true, (*conn).getMessages},
		protocol.OpRevoke:        {true, (*conn).revokeMessage},
		protocol.OpEdit:          {true, (*conn).editMessage},
		protocol.OpDelete:        {true, (*conn).deleteMessages},
		protocol.OpConfirm:       {true, (*conn).confirmMessages},
		protocol.OpReceipts:      {true, (*conn).receipts},
		protocol.OpReaders:       {true, (*conn).readers},
		protocol.OpSetExtensions: {true, (*conn).setExtensions},
		protocol.OpExtensions:    {true, (*conn).extensions},
		protocol.OpReact:         {true, (*conn).react},
		protocol.OpReactions:     {true, (*conn).reactions},
		protocol.OpReactionUsers: {true, (*conn).reactionUsers},
		protocol.OpPin:           {true, (*conn).pinMessage},
		protocol.OpPinned:        {true, (*conn).pinnedMessages},
		protocol.OpSetOption:     {true, (*conn).setOption},
		protocol.OpOptions:       {true, (*conn).options},
		protocol.OpSearch:        {true, (*conn).searchMessages},

		protocol.OpSetAttributes: {true, (*conn).setAttributes},
		protocol.OpAttributes:    {true, (*conn).attributes},
		protocol.OpSetConvGroup:  {true, (*conn).setConvGroup},
		protocol.OpDevices:       {true, (*conn).devices},

		protocol.OpGroups:         {true, (*conn).groupStates},
		protocol.OpGroupCreate:    {true, (*conn).createGroup},
		protocol.OpGroupInfo:      {true, (*conn).groupInfo},
		protocol.OpGroupJoined:    {true, (*conn).joinedGroups},
		protocol.OpGroupMembers:   {true, (*conn).groupMembers},
		protocol.OpGroupSetMember: {true, (*conn).setMember},

		protocol.OpFileToken:  {true, (*conn).fileToken},
		protocol.OpTranslate:  {true, (*conn).translate},
		protocol.OpTranscribe: {true, (*conn).transcribe},
	}
	for _, more := range []map[string]handler{lifeHandlers(), informationHandlers(), transHandlers(), communityHandlers()} {
		maps.Copy(all, more)
	}
	for op, room := range liveHandlers() {
		all[op] = byRoom(room, all[op])
	}
	return all
}

func (c *conn) ping(r *protocol.Request) {
	c.reply(r.ID, protocol.Marshal(protocol.Pong{Time: c.g.Now().UnixMilli()}), nil)
	c.Wake()
}

func (c *conn) user() message.User { return message.User{UID: c.self.UID, Name: c.self.User} }

// peer finds another user of the same app. It answers the request itself when there is none or the database fails.
func (c *conn) peer(id uint64, name string) (message.User, bool) {
	if uid, ok := c.g.Accounts.CachedUID(c.self.App, name); ok {
		return message.User{UID: uid, Name: name}, true
	}
	u := message.User{Name: name}
	var found bool
	err := c.g.Store.Read(context.Background(), func(q sqlite.Queryer) (err error) {
		u.UID, found, err = c.g.Accounts.UID(q, c.self.App, name)
		return err
	})
	if err == nil && !found {
		err = refusal.New(tim.ErrSVRMsgInvalidID, "there is no such user")
	}
	if err != nil {
		c.reply(id, nil, err)
		c.Wake()
	}
	return u, err == nil
}

// keyed says whether the request has a key by which a repetition is known.
func (c *conn) keyed(r *protocol.Request) bool {
	if model.ValidKey(r.Key) {
		return true
	}
	c.refuse(r.ID, tim.ErrInvalidParameters, "the request needs a key of at most 128 printable characters")
	return false
}

func (c *conn) readConversation(r *protocol.Request) {
	body, err := decode[protocol.Read](r.Body)
	c.move(r, body.Target, &message.Move{Seq: body.Seq}, err, c.g.Messages.Read)
}

func (c *conn) clearConversation(r *protocol.Request) {
	body, err := decode[protocol.Clear](r.Body)
	if err == nil && body.Keep && body.Hide {
		err = refusal.New(tim.ErrInvalidParameters, "keep and hide together leave nothing to do")
	}
	c.move(r, body.Target, &message.Move{Seq: body.Seq, Keep: body.Keep, Hide: body.Hide}, err, c.g.Convs.Clear)
}

func (c *conn) deleteMessages(r *protocol.Request) {
	body, err := decode[protocol.Delete](r.Body)
	if err == nil && len(body.Seqs) > protocol.MaxRange {
		err = refusal.New(tim.ErrInvalidParameters, "too many messages in one request")
	}
	c.move(r, body.Target, &message.Move{}, err, func(tx *sqlite.Tx, v *message.Move) (protocol.Changed, []changelog.Change, error) {
		if err := c.offered(tx, v.Where, model.GroupReadHistory); err != nil {
			return protocol.Changed{}, nil, err
		}
		return c.g.Messages.Delete(tx, v, body.Seqs)
	})
}

func (c *conn) move(r *protocol.Request, t protocol.Target, v *message.Move, err error,
	fn func(*sqlite.Tx, *message.Move) (protocol.Changed, []changelog.Change, error)) {
	if err != nil {
		c.reply(r.ID, nil, err)
		c.Wake()
		return
	}
	if c.busyRow(r.ID) || !c.keyed(r) {
		return
	}
	w, ok := c.where(r.ID, t)
	if !ok {
		return
	}
	v.User, v.Where, v.Key = c.user(), w, r.Key
	c.change(r.ID, func(tx *sqlite.Tx) (changed, error) {
		answer, changes, err := fn(tx, v)
		return changed{body: protocol.Marshal(answer), changes: changes}, err
	})
}

func (c *conn) diff(r *protocol.Request) {
	body, err := decode[protocol.Diff](r.Body)
	c.query(r.ID, func(q sqlite.Queryer) ([]byte, error) {
		if err != nil {
			return nil, err
		}
		owner := c.self.UID
		if body.Group != "" {
			w, err := c.whereIn(q, protocol.Target{Group: body.Group})
			if err != nil {
				return nil, err
			}
			if role, err := c.g.Groups.Role(q, w.GID, c.self.UID); err != nil || role == 0 {
				return nil, cmp.Or(err, refusal.New(tim.ErrSVRGroupPermissionDeny, "not a member of the group"))
			}
			owner = changelog.GroupLog(w.GID)
		}
		return c.g.Reader.Diff(q, c.self.UID, owner, body)
	})
}

func (c *conn) snapshot(r *protocol.Request) {
	body, err := decode[protocol.Snapshot](r.Body)
	c.query(r.ID, func(q sqlite.Queryer) ([]byte, error) {
		if err != nil {
			return nil, err
		}
		head, err := changelog.Head(q, c.self.UID)
		if err != nil {
			return nil, err
		}
		return c.g.Messages.Snapshot(q, c.self.UID, c.g.Epoch, head, body)
	})
}

func (c *conn) profiles(r *protocol.Request) {
	body, err := decode[protocol.Users](r.Body)
	c.query(r.ID, func(q sqlite.Queryer) ([]byte, error) {
		if err == nil && len(body.Names)+len(body.TinyIDs) > model.MaxUsers {
			err = refusal.New(tim.ErrInvalidParameters, "too many users in one request")
		}
		if err != nil {
			return nil, err
		}
		found, err := c.g.Accounts.Profiles(q, c.self.App, body)
		return protocol.Marshal(protocol.Profiles{Profiles: found}), err
	})
}
