package group

import (
	"maps"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/message"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// SetMember changes what a member is in a group: all that the request names, or nothing when a part of it is refused.
func (g *Groups) SetMember(tx *sqlite.Tx, a *Actor, gid int64, target message.User, s *protocol.SetMember) (Outcome, error) {
	_, o, err := once(g, tx, a, func(o *Outcome) (answer struct{}, err error) {
		r, err := find(tx, gid)
		if err != nil {
			return answer, err
		}
		m, err := g.maySetMember(tx, a, r, target, s)
		if err != nil {
			return answer, err
		}
		if s.Role != nil && *s.Role != m.role {
			if err = g.changeRole(tx, a, r, o, target.UID, *s.Role); err != nil {
				return answer, err
			}
		}
		if err = g.label(tx, r, o, target.UID, m, s); err != nil {
			return answer, err
		}
		if s.Mute != nil {
			if err = g.mute(tx, a, r, o, target.UID, *s.Mute); err != nil {
				return answer, err
			}
		}
		return answer, g.option(tx, r, o, target, s.Option)
	})
	return o, err
}

// maySetMember refuses what may not be done, before anything is. It returns what the target is now.
func (g *Groups) maySetMember(tx *sqlite.Tx, a *Actor, r *record, target message.User, s *protocol.SetMember) (*member, error) {
	me, err := g.member(tx, r, a.UID)
	if err != nil {
		return nil, err
	}
	m, err := g.member(tx, r, target.UID)
	switch {
	case err != nil:
		return nil, err
	case me == nil:
		return nil, outside()
	case s.Role == nil && s.Option == nil && s.Mute == nil && s.Card == nil && s.Custom == nil:
		return nil, refusal.New(tim.ErrSVRGroupInvalidParameters, "nothing is to be changed")
	case r.parent != 0 && (s.Role != nil || s.Card != nil || s.Custom != nil):
		return nil, refusal.New(tim.ErrSVRGroupInvalidParameters, "what members of a topic are they are in its community")
	}
	for _, check := range []func(*sqlite.Tx, *Actor, *record, message.User, *protocol.SetMember, *member, *member) error{
		g.mayChangeRole, g.mayMute, g.mayLabel, g.mayReceive} {
		if err := check(tx, a, r, target, s, me, m); err != nil {
			return nil, err
		}
	}
	if m == nil {
		return nil, refusal.New(tim.ErrSVRGroupInvalidParameters, "this user is not a member of the group")
	}
	return m, nil
}

func (g *Groups) mayChangeRole(tx *sqlite.Tx, a *Actor, r *record, target message.User, s *protocol.SetMember, _, _ *member) error {
	if s.Role == nil {
		return nil
	}
	_, err := g.maySetRole(tx, a, r, target, *s.Role)
	return err
}

func (g *Groups) mayReceive(tx *sqlite.Tx, a *Actor, r *record, target message.User, s *protocol.SetMember, me, _ *member) error {
	switch {
	case s.Option == nil:
		return nil
	case target.UID != a.UID:
		return refusal.New(tim.ErrSVRGroupInvalidParameters, "how a member receives is his own matter")
	case *s.Option < tim.RecvMsgOptReceive || *s.Option > tim.RecvMsgOptNotNotifyExceptAt:
		return refusal.New(tim.ErrSVRGroupInvalidParameters, "there is no such receive option")
	}
	return g.allow(tx, r, a.UID, me, model.GroupSetReceive)
}

// mayLabel refuses who may not change a member's card and custom fields: his own everybody may, those of others who may
// remove them.
func (g *Groups) mayLabel(tx *sqlite.Tx, a *Actor, r *record, target message.User, s *protocol.SetMember, me, m *member) error {
	if s.Card == nil && s.Custom == nil {
		return nil
	}
	if err := g.allow(tx, r, a.UID, me, model.GroupSetCard); err != nil {
		return err
	}
	if target.UID != a.UID {
		if err := g.allow(tx, r, a.UID, me, model.GroupKick); err != nil {
			return err
		}
		if m != nil {
			if err := g.above(r, me, m); err != nil {
				return err
			}
		}
	}
	if s.Card != nil && len(*s.Card) > model.MaxNameCard {
		return refusal.New(tim.ErrSDKGroupInvalidNameCard, "a name card has at most 50 bytes")
	}
	if m == nil {
		return nil
	}
	return checkFields(merge(m.custom, s.Custom), model.MaxMemberFields, model.MaxMemberField)
}

// label writes a member's card and custom fields and tells everybody.
func (g *Groups) label(tx *sqlite.Tx, r *record, o *Outcome, uid int64, m *member, s *protocol.SetMember) error {
	card, custom := m.card, merge(m.custom, s.Custom)
	if s.Card != nil {
		card = *s.Card
	}
	if card == m.card && maps.Equal(custom, m.custom) {
		return nil
	}
	if err := tx.Exec(`UPDATE member SET card=?, custom=? WHERE gid=? AND uid=?`, card, fieldsText(custom), r.gid, uid); err != nil {
		return err
	}
	return g.altered(tx, r, o, uid)
}

// altered tells a member and everybody what he is in the group now.
func (g *Groups) altered(tx *sqlite.Tx, r *record, o *Outcome, uid int64) error {
	if !g.rulesOf(r).Live { // there is no membership that lasts
		if err := g.tell(tx, r, o, uid, protocol.Membership{In: true, Changed: true}); err != nil {
			return err
		}
	}
	return g.announce(tx, r, o, uid)
}

// option changes how a member receives.
func (g *Groups) option(tx *sqlite.Tx, r *record, o *Outcome, user message.User, option *int) error {
	if option == nil {
		return nil
	}
	more, err := g.SetOption(tx, user, message.Where{GID: r.gid, Group: r.ID}, *option)
	o.Changes, o.Joined, o.Left = append(o.Changes, more.Changes...), append(o.Joined, more.Joined...), append(o.Left, more.Left...)
	return err
}
