package community

import (
	"context"
	"slices"

	"timbre/core/event"
	"timbre/core/group"
	"timbre/core/message"
	"timbre/core/store"
	"timbre/core/transport"
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/sqlite"
)

// CreateTopic makes a topic and answers its id.
func (c *Communities) CreateTopic(t protocol.CreateTopic, done event.Done) {
	c.made(protocol.OpTopicCreate, t, done)
}

// DeleteTopics ends topics and answers what became of each.
func (c *Communities) DeleteTopics(community string, ids []string, done event.Done) {
	if len(ids) == 0 {
		done(tim.ErrInvalidParameters, "no topics are named", "")
		return
	}
	var a protocol.Topics
	c.Groups.Do(protocol.OpTopicDelete, protocol.AskTopics{Community: community, Topics: ids}, &a, done, func() string {
		return listOf(a.List, func(f *protocol.FoundGroup) object { return operated(f.Code, f.Desc, f.Group.ID) })
	})
}

// operated is a TopicOperationResult.
func operated(code int, desc, topic string) object {
	return object{tim.KeyCommunityTopicOperationResultErrorCode: code, tim.KeyCommunityTopicOperationResultErrorMessage: desc,
		tim.KeyCommunityTopicOperationResultTopicID: topic}
}

// SetTopic changes a topic at the server, and the draft, if it is given, on this device.
func (c *Communities) SetTopic(t protocol.SetTopic, draft *string, done event.Done) {
	changed := t != (protocol.SetTopic{Topic: t.Topic})
	if changed && draft == nil {
		c.plain(protocol.OpTopicSet, t, done)
		return
	}
	if changed {
		if why := c.Groups.Change(protocol.OpTopicSet, t, &struct{}{}); why != nil {
			done(why.Code, why.Text, "")
			return
		}
	}
	if draft != nil {
		if err := c.Messages.DraftTopic(t.Topic, message.TextDraft(*draft)); err != nil {
			why := c.Groups.DatabaseError(err)
			done(why.Code, why.Text, "")
			return
		}
	}
	done(0, "", "")
}

// Topics answers topics of a community, all when none are named: as the server has them, or without a network as this device
// knows them.
func (c *Communities) Topics(community string, ids []string, done event.Done) {
	var a protocol.Topics
	moves := c.moves.Load()
	why := c.Groups.Ask(protocol.OpTopics, protocol.AskTopics{Community: community, Topics: ids}, &a)
	switch {
	case why != nil && group.Unreachable(why.Code):
		a.List, why = c.known(community, ids)
	case why == nil && len(ids) == 0:
		why = c.dropOthers(community, a.List, moves)
	}
	if why != nil {
		done(why.Code, why.Text, "[]")
		return
	}
	var text string
	err := c.Store.Read(context.Background(), func(q sqlite.Queryer) (err error) {
		text, err = c.found(q, a.List)
		return err
	})
	if why := c.Groups.DatabaseError(err); why != nil {
		done(why.Code, why.Text, "[]")
		return
	}
	done(0, "", text)
}

// found is an array of TopicInfoResult.
func (c *Communities) found(q sqlite.Queryer, list []protocol.FoundGroup) (string, error) {
	var failed error
	text := listOf(list, func(f *protocol.FoundGroup) object {
		o, err := c.info(q, &f.Group)
		if err != nil {
			failed = err
		}
		return object{tim.KeyCommunityTopicInfoResultErrorCode: f.Code, tim.KeyCommunityTopicInfoResultErrorMessage: f.Desc,
			tim.KeyCommunityTopicInfoResultTopicInfo: o}
	})
	return text, failed
}

// dropOthers lets go of the topics that an answer with all of them does not name. If the logs have told of something since, they
// may be ahead of it.
func (c *Communities) dropOthers(community string, all []protocol.FoundGroup, moves uint64) *transport.Error {
	here, why := c.known(community, nil)
	here = slices.DeleteFunc(here, func(t protocol.FoundGroup) bool {
		return slices.ContainsFunc(all, func(f protocol.FoundGroup) bool { return f.Group.ID == t.Group.ID })
	})
	if why != nil || len(here) == 0 {
		return why
	}
	return c.Groups.DatabaseError(c.Store.Write(context.Background(), func(tx *store.Tx) error {
		if c.moves.Load() != moves {
			return nil
		}
		for i := range here {
			if err := c.drop(tx, here[i].Group.ID); err != nil {
				return err
			}
		}
		return nil
	}))
}

// known is the topics that this device knows of.
func (c *Communities) known(community string, ids []string) (list []protocol.FoundGroup, why *transport.Error) {
	err := c.Store.Read(context.Background(), func(q sqlite.Queryer) error {
		all, err := topics(q, community)
		byID := map[string]*protocol.Group{}
		for i := range all {
			byID[all[i].ID] = &all[i]
			if len(ids) == 0 {
				list = append(list, protocol.FoundGroup{Group: all[i]})
			}
		}
		for _, id := range ids {
			list = append(list, one(byID[id], id))
		}
		return err
	})
	return list, c.Groups.DatabaseError(err)
}

func one(g *protocol.Group, id string) protocol.FoundGroup {
	if g == nil {
		return protocol.FoundGroup{Code: tim.ErrSVRGroupNotFound, Desc: "this device knows no such topic, and there is no network",
			Group: protocol.Group{ID: id}}
	}
	return protocol.FoundGroup{Group: *g}
}

// IsTopic says whether an id is one of a topic.
func IsTopic(id string) bool { return model.CommunityOf(id) != "" }
