package conversation

import (
	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/changelog"
	"timbre/server/message"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// attributes is what a user has attached to a conversation, without its places in groups.
type attributes struct {
	pinned bool
	marks  uint64
	custom string
}

// Set changes one attribute of some conversations. Where are those of the request, in its order.
func (c *Conversations) Set(tx *sqlite.Tx, user message.User, key string, where []message.Where, s *protocol.SetAttributes) (
	a protocol.ConvsSet, changes []changelog.Change, err error) {
	if err = check(s); err != nil {
		return a, nil, err
	}
	if found, err := c.messages.Answered(tx, user, key, &a); found || err != nil {
		return a, nil, err
	}
	sum, err := sumUp(tx, user.UID)
	if err != nil {
		return a, nil, err
	}
	var entry protocol.AttributesChange
	for _, w := range where {
		now, code, err := c.set(tx, user, w, s, &sum)
		if err != nil {
			return a, nil, err
		}
		a.Codes = append(a.Codes, code)
		if now != nil {
			entry.Convs = append(entry.Convs, public(target(w), *now))
		}
	}
	if len(entry.Convs) == 0 {
		return a, nil, nil
	}
	if a.Pos, changes, err = c.note(tx, user, protocol.EntryAttributes, entry); err != nil {
		return a, nil, err
	}
	return a, changes, c.messages.Remember(tx, user, key, a)
}

// check refuses what no conversation can have.
func check(s *protocol.SetAttributes) error {
	given := 0
	for _, set := range [...]bool{s.Pin != nil, s.Mark != nil, s.Custom != nil} {
		if set {
			given++
		}
	}
	switch {
	case given != 1:
		return refusal.New(tim.ErrInvalidParameters, "one of pin, mark and custom is to be set")
	case s.Mark != nil && !model.ValidMarks(s.Mark.Bits):
		return refusal.New(tim.ErrInvalidParameters, "marks are the bits 0 to 3 and 32 to 63")
	case s.Custom != nil && len(*s.Custom) > model.MaxConvCustom:
		return refusal.New(tim.ErrInvalidParameters, "the custom data of a conversation has at most 256 bytes")
	}
	return nil
}

// set changes one conversation. It returns the attributes that it has now, or nil when nothing changed, and why not.
func (c *Conversations) set(tx *sqlite.Tx, user message.User, w message.Where, s *protocol.SetAttributes, sum *sums) (
	*attributes, int, error) {
	was, err := find(tx, user.UID, number(w))
	if err != nil {
		return nil, 0, err
	}
	now := was.changed(s)
	if code, err := c.refused(tx, user, w, was, now, sum); code != 0 || now == was || err != nil {
		return nil, code, err
	}
	sum.add(was, -1)
	sum.add(now, 1)
	return &now, 0, now.write(tx, user.UID, number(w))
}

func find(q sqlite.Queryer, uid, conv int64) (a attributes, err error) {
	var marks int64
	_, err = q.Get(`SELECT pinned, marks, custom FROM conv_attribute WHERE uid=? AND conv=?`,
		[]any{&a.pinned, &marks, &a.custom}, uid, conv)
	a.marks = uint64(marks)
	return a, err
}

func (a attributes) write(tx *sqlite.Tx, uid, conv int64) error {
	if a == (attributes{}) {
		return tx.Exec(`DELETE FROM conv_attribute WHERE uid=? AND conv=?`, uid, conv)
	}
	return tx.Exec(`INSERT INTO conv_attribute (uid, conv, pinned, marks, custom) VALUES (?,?,?,?,?)
		ON CONFLICT (uid, conv) DO UPDATE SET pinned=excluded.pinned, marks=excluded.marks, custom=excluded.custom`,
		uid, conv, a.pinned, int64(a.marks), a.custom)
}

// changed is what the attributes become.
func (a attributes) changed(s *protocol.SetAttributes) attributes {
	switch {
	case s.Pin != nil:
		a.pinned = *s.Pin
	case s.Mark != nil && s.Mark.On:
		a.marks |= s.Mark.Bits
	case s.Mark != nil:
		a.marks &^= s.Mark.Bits
	default:
		a.custom = *s.Custom
	}
	return a
}

// adds says whether the attributes have something that they did not have before.
func (a attributes) adds(was attributes) bool {
	return a.pinned && !was.pinned || a.marks&^was.marks != 0 || a.custom != "" && a.custom != was.custom
}

// refused says why a conversation may not become what it would. What is attached to one that the user cannot open any more
// may be taken away, and nothing may be added.
func (c *Conversations) refused(tx *sqlite.Tx, user message.User, w message.Where, was, now attributes, sum *sums) (int, error) {
	if was == (attributes{}) || now.adds(was) {
		if open, err := c.open(tx, user, w); err != nil || !open {
			return tim.ErrSVRConvConvMarkOperateFailed, err
		}
	}
	switch {
	case now.pinned && !was.pinned && sum.pinned >= model.MaxPinned:
		return model.CodePinnedLimit, nil
	case now.marks != 0 && was.marks == 0 && sum.marked >= model.MaxAttributed,
		now.custom != "" && was.custom == "" && sum.custom >= model.MaxAttributed:
		return tim.ErrSVRConvConvMarkTotalCountExceedLimit, nil
	}
	return 0, nil
}

// sums is how many of a user's conversations have what.
type sums struct{ pinned, marked, custom int }

func sumUp(q sqlite.Queryer, uid int64) (s sums, err error) {
	_, err = q.Get(`SELECT count(nullif(pinned,0)), count(nullif(marks,0)), count(nullif(custom,'')) FROM conv_attribute WHERE uid=?`,
		[]any{&s.pinned, &s.marked, &s.custom}, uid)
	return s, err
}

func (s *sums) add(a attributes, n int) {
	if a.pinned {
		s.pinned += n
	}
	if a.marks != 0 {
		s.marked += n
	}
	if a.custom != "" {
		s.custom += n
	}
}

// public is the attributes as they travel.
func public(t protocol.Target, a attributes) protocol.Attributes {
	return protocol.Attributes{Target: t, Pinned: a.pinned, Marks: a.marks, Custom: a.custom}
}
