package community

import (
	"cmp"

	"timbre/core/conversation"
	"timbre/core/event"
	"timbre/core/store"
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
)

// Apply follows the logs beside the messages: which topics there are, and what permission groups are.
func (c *Communities) Apply(tx *store.Tx, e *protocol.Entry) error {
	switch e.Kind {
	case protocol.EntryGroup:
		return c.membership(tx, e)
	case protocol.EntryTopic:
		return c.topic(tx, e)
	case protocol.EntryRights:
		return c.rights(tx, e)
	}
	return nil
}

// GroupState learns of a topic from its state. When it was made is told by the community's log, if that is still to come.
func (c *Communities) GroupState(tx *store.Tx, st *protocol.GroupState, _ bool) error {
	if st.Group.Parent == "" {
		return nil
	}
	c.moves.Add(1)
	return keep(tx, st.Group.Parent, &st.Group, false)
}

// GroupGone lets go of all topics of a community. Of a group that the user does not want to hear of the server says nothing
// either; whether a topic is gone, the list of all topics says.
func (c *Communities) GroupGone(tx *store.Tx, group string) error {
	conv, err := conversation.Find(tx, tim.ConvGroup, group)
	if err != nil || conv != nil && conv.Option == tim.RecvMsgOptNotReceive {
		return err
	}
	return c.leave(tx, group)
}

// Forget is for a server with other logs than before: it names every topic anew.
func (c *Communities) Forget(tx *store.Tx) error { return tx.Exec(`DELETE FROM topic`) }

// membership applies that the user came into a community, or left it, or what has changed for him in one of its topics.
func (c *Communities) membership(tx *store.Tx, e *protocol.Entry) error {
	c.moves.Add(1)
	d, err := parse[protocol.Membership](e.Data)
	switch {
	case err != nil:
		return err
	case model.CommunityOf(e.Group) != "":
		return c.own(tx, e.Group, d.Group)
	case !d.In:
		return c.leave(tx, e.Group)
	}
	for i := range d.Topics {
		st := &d.Topics[i]
		if err := keep(tx, e.Group, &st.Group, true); err != nil {
			return err
		}
		if err := c.Messages.EnterTopic(tx, st); err != nil {
			return err
		}
	}
	return nil
}

// own takes over what a topic says of the user.
func (c *Communities) own(tx *store.Tx, id string, now *protocol.Group) error {
	t, err := find(tx, id)
	if t == nil || err != nil || now == nil || now.Self == nil {
		return err
	}
	t.Self = now.Self
	return keep(tx, model.CommunityOf(id), &t.Group, false)
}

// leave ends the following of a community's topics.
func (c *Communities) leave(tx *store.Tx, community string) error {
	all, err := topics(tx, community)
	if err != nil {
		return err
	}
	for i := range all {
		c.Messages.LeaveTopic(tx, all[i].ID)
	}
	return tx.Exec(`DELETE FROM topic WHERE community=?`, community)
}

// topic applies what became of topics.
func (c *Communities) topic(tx *store.Tx, e *protocol.Entry) error {
	c.moves.Add(1)
	d, err := parse[protocol.TopicChange](e.Data)
	if err != nil {
		return err
	}
	switch d.Change {
	case protocol.ChangeCreated:
		return c.created(tx, e, &d)
	case protocol.ChangeSet:
		return c.changed(tx, e.Group, d.Topic)
	case protocol.ChangeDeleted:
		return c.deleted(tx, e, &d)
	case protocol.ChangeCustom:
		c.emit(tx, tim.OpTIMSetCommunityReceiveTopicRESTCustomDataCallback, cmp.Or(topicOf(&d), e.Group), d.Data)
	}
	return nil
}

// topicOf is the topic that something was sent to.
func topicOf(d *protocol.TopicChange) string {
	switch {
	case d.Topic != nil:
		return d.Topic.ID
	case len(d.IDs) > 0:
		return d.IDs[0]
	}
	return ""
}

// created begins to follow a topic. Its state may have come before the news of it.
func (c *Communities) created(tx *store.Tx, e *protocol.Entry, d *protocol.TopicChange) error {
	g := d.Topic
	if g == nil {
		return nil
	}
	t, err := find(tx, g.ID)
	switch {
	case err != nil:
		return err
	case t == nil:
		if err = keep(tx, e.Group, g, true); err == nil {
			err = c.Messages.NewTopic(tx, g)
		}
	case !t.told:
		err = keep(tx, e.Group, &t.Group, true)
	default:
		return nil
	}
	if err == nil {
		c.emit(tx, tim.OpTIMSetCommunityCreateTopicCallback, e.Group, g.ID)
		c.report(tx, e, d, tim.GroupReportTopicCreate, g.ID, g.Name)
	}
	return err
}

// report tells the host of a topic's beginning or end as the interface's reports do, too.
func (c *Communities) report(tx *store.Tx, e *protocol.Entry, d *protocol.TopicChange, kind int, topic, name string) {
	c.Groups.Tell(tx, topic, &protocol.Report{Type: kind, Name: name, Operator: protocol.Member{User: d.By}}, e.Time)
}

// changed takes over a topic's information. The conversation tells the host, with whatever else the batch changes in it.
func (c *Communities) changed(tx *store.Tx, community string, g *protocol.Group) error {
	if g == nil {
		return nil
	}
	t, err := find(tx, g.ID)
	if t == nil || err != nil {
		return err
	}
	g.Self = t.Self
	if err := keep(tx, community, g, false); err != nil {
		return err
	}
	return c.Messages.DescribeTopic(tx, g)
}

// deleted lets go of topics, and tells the host of those that it has heard of.
func (c *Communities) deleted(tx *store.Tx, e *protocol.Entry, d *protocol.TopicChange) error {
	var gone []topic
	var ids []string
	for _, id := range d.IDs {
		t, err := find(tx, id)
		if err != nil {
			return err
		}
		if t == nil {
			continue
		}
		if err := c.drop(tx, id); err != nil {
			return err
		}
		gone, ids = append(gone, *t), append(ids, id)
	}
	if len(gone) > 0 {
		c.emit(tx, tim.OpTIMSetCommunityDeleteTopicCallback, e.Group, string(protocol.Marshal(ids)))
	}
	for i := range gone {
		c.report(tx, e, d, tim.GroupReportTopicDelete, gone[i].ID, gone[i].Name)
	}
	return nil
}

// drop lets go of a topic with everything that was said in it.
func (c *Communities) drop(tx *store.Tx, id string) error {
	if err := tx.Exec(`DELETE FROM topic WHERE id=?`, id); err != nil {
		return err
	}
	return c.Messages.DropTopic(tx, id)
}

// emit tells the host of something once tx is committed. Listeners of the older callbacks of topics hear it too.
func (c *Communities) emit(tx *store.Tx, setter tim.Op, texts ...string) {
	args := make([]event.Arg, len(texts))
	for i, t := range texts {
		args[i] = event.Text(t)
	}
	tx.After(func() { c.Sink.Emit(event.Event{Setter: setter, Args: args}) })
}
