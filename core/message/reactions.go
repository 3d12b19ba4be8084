package message

import (
	"encoding/json"
	"slices"

	"timbre/core/event"
	"timbre/core/store"
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
)

// React adds this user to a reaction to a message, or takes him out.
func (m *Messages) React(s Subject, id string, on bool, done event.Done) {
	bad := s.Unknown()
	if bad == nil {
		bad = m.ask(protocol.OpReact, m.newKey(), protocol.React{Target: s.target(), Seq: s.Seq, ID: id, On: on}, nil)
	}
	if bad != nil {
		done(bad.Code, bad.Text, "")
		return
	}
	done(0, "", "")
}

// Reactions answers the reactions to messages of one conversation, each with at most users of those who reacted.
func (m *Messages) Reactions(list []Subject, users int, done event.Done) {
	if len(list) > model.MaxReactionAsk || users > 10 {
		done(tim.ErrInvalidParameters, "at most 20 messages and 10 users a reaction", "")
		return
	}
	for i := range list {
		if bad := list[i].Unknown(); bad != nil {
			done(bad.Code, bad.Text, "")
			return
		}
	}
	var a protocol.Reactions
	if bad := m.ask(protocol.OpReactions, "", protocol.Seqs{Target: list[0].target(), Seqs: seqs(list), Max: users}, &a); bad != nil {
		done(bad.Code, bad.Text, "")
		return
	}
	texts := make([]string, 0, len(list))
	for i, r := range a.List {
		if i == len(list) {
			break
		}
		w := writer{b: []byte{'{'}}
		w.num(tim.KeyMsgReactionResultCode, int64(r.Code))
		w.text(tim.KeyMsgReactionResultInfo, reactionTexts[r.Code])
		w.text(tim.KeyMsgReactionResultMsgId, list[i].ID)
		w.raw(tim.KeyMsgReactionResultReactionList, reactions(r.Reactions))
		texts = append(texts, string(append(w.b, '}')))
	}
	done(0, "", array(texts))
}

var reactionTexts = map[int]string{tim.ErrInvalidParameters: "the server has no such message for this user"}

func reactions(list []protocol.Reaction) string {
	texts := make([]string, len(list))
	for i, r := range list {
		users := make([]string, len(r.Users))
		for j, p := range r.Users {
			users[j] = profileOf(p)
		}
		w := writer{b: []byte{'{'}}
		w.text(tim.KeyMsgReactionID, r.ID)
		w.raw(tim.KeyMsgReactionPartialUserInfoList, array(users))
		w.flag(tim.KeyMsgReactionReactedByMyself, r.Mine)
		w.uint(tim.KeyMsgReactionTotalUserCount, r.Total)
		texts[i] = string(append(w.b, '}'))
	}
	return array(texts)
}

// profileOf is a user as a message shows it.
func profileOf(p protocol.Profile) string {
	w := writer{b: []byte{'{'}}
	w.text(tim.KeyUserProfileFaceUrl, p.Face)
	w.text(tim.KeyUserProfileFriendRemark, "")
	w.text(tim.KeyUserProfileIdentifier, p.User)
	w.text(tim.KeyUserProfileNickName, p.Nick)
	return string(append(w.b, '}'))
}

// ReactionUsers answers a page of those who reacted.
func (m *Messages) ReactionUsers(s Subject, id string, next uint64, count int, done event.Done) {
	bad := s.Unknown()
	var page protocol.Page
	if bad == nil {
		bad = m.ask(protocol.OpReactionUsers, "", protocol.ReactionUsers{Target: s.target(), Seq: s.Seq, ID: id, Next: next, Count: count}, &page)
	}
	if bad != nil {
		done(bad.Code, bad.Text, "")
		return
	}
	users := make([]string, len(page.Users))
	for i, p := range page.Users {
		users[i] = profileOf(p)
	}
	w := writer{b: []byte{'{'}}
	w.flag(tim.KeyMsgReactionUserResultIsFinished, page.Next == 0)
	w.uint(tim.KeyMsgReactionUserResultNextSeq, page.Next)
	w.raw(tim.KeyMsgReactionUserResultUserInfoArray, array(users))
	done(0, "", string(append(w.b, '}')))
}

// reacted tells the host that somebody reacted.
func (m *Messages) reacted(tx *store.Tx, entry *protocol.Entry) error {
	var d protocol.ReactionChange
	if err := json.Unmarshal(entry.Data, &d); err != nil {
		return err
	}
	id, err := m.idOf(tx, entry)
	if id == "" || err != nil {
		return err
	}
	d.Mine = slices.Contains(d.Others, m.self.User) ||
		slices.ContainsFunc(d.Users, func(p protocol.Profile) bool { return p.User == m.self.User })
	w := writer{b: []byte{'[', '{'}}
	w.text(tim.KeyMsgReactionChangeInfoMsgId, id)
	w.raw(tim.KeyMsgReactionChangeInfoReactionList, reactions([]protocol.Reaction{d.Reaction}))
	text := string(append(w.b, "}]"...))
	tx.After(func() {
		m.sink.Emit(event.Event{Setter: tim.OpTIMSetMsgReactionsChangedCallback, Args: []event.Arg{event.Text(text)}})
	})
	return nil
}
