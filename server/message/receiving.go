package message

import (
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/changelog"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// beneath keeps what lies under a shield. The interface has one receive option, and not receiving anything is one of its
// values; other interfaces have two switches, shielding and not disturbing, of which one stays as it is when the other one
// changes. So the option stands where it always did, and only what a shield covers stands here.
const beneath = `
	CREATE TABLE beneath (
		uid INTEGER NOT NULL,
		conv INTEGER NOT NULL,
		option INTEGER NOT NULL, -- TIMReceiveMessageOpt when the shield goes
		PRIMARY KEY (uid, conv)
	) STRICT, WITHOUT ROWID;
	CREATE INDEX pair_shut_lo ON pair (lo) WHERE opt_lo<>0;
	CREATE INDEX pair_shut_hi ON pair (hi) WHERE opt_hi<>0;`

// Receiving is a receive option taken apart.
type Receiving struct {
	Shield bool
	Option int // TIMReceiveMessageOpt without the shield
}

// Shown is what the interface calls it.
func (r Receiving) Shown() int {
	if r.Shield {
		return tim.RecvMsgOptNotReceive
	}
	return r.Option
}

// Flags is what the two switches say.
func (r Receiving) Flags() protocol.ReceiveFlags {
	return protocol.ReceiveFlags{NoDisturb: r.Option != tim.RecvMsgOptReceive, Shield: r.Shield}
}

// With applies a change of the switches. Who is not disturbed except when he is spoken to stays so.
func (r Receiving) With(f *protocol.SetReceiveFlags) Receiving {
	if f.Shield != nil {
		r.Shield = *f.Shield
	}
	switch {
	case f.NoDisturb == nil:
	case !*f.NoDisturb:
		r.Option = tim.RecvMsgOptReceive
	case r.Option == tim.RecvMsgOptReceive:
		r.Option = tim.RecvMsgOptNotNotify
	}
	return r
}

// Becomes is what an option of the interface makes of it: a shield keeps what it covers.
func (r Receiving) Becomes(option int) Receiving {
	if option == tim.RecvMsgOptNotReceive {
		return Receiving{true, r.Option}
	}
	return Receiving{Option: option}
}

// Receiving takes an option of a user apart. conv is a pair's id, or the negative of a group's number.
func (m *Messages) Receiving(q sqlite.Queryer, uid, conv int64, option int) (r Receiving, err error) {
	if option != tim.RecvMsgOptNotReceive {
		return Receiving{Option: option}, nil
	}
	r.Shield = true
	_, err = q.Get(`SELECT option FROM beneath WHERE uid=? AND conv=?`, []any{&r.Option}, uid, conv)
	return r, err
}

// Cover keeps what the shield of an option covers; the option itself is stored by who has it.
func (m *Messages) Cover(tx *sqlite.Tx, uid, conv int64, was, now Receiving) error {
	switch {
	case was == now:
		return nil
	case !now.Shield || now.Option == tim.RecvMsgOptReceive:
		return tx.Exec(`DELETE FROM beneath WHERE uid=? AND conv=?`, uid, conv)
	}
	return tx.Exec(`INSERT OR REPLACE INTO beneath (uid, conv, option) VALUES (?,?,?)`, uid, conv, now.Option)
}

// SetFlags changes the switches for one other user.
func (m *Messages) SetFlags(tx *sqlite.Tx, user User, app uint64, peer User, f *protocol.SetReceiveFlags) ([]changelog.Change, error) {
	change, err := m.receive(tx, user, app, peer, func(r Receiving) Receiving { return r.With(f) })
	return []changelog.Change{change}, err
}

// receive changes how a user receives from another one.
func (m *Messages) receive(tx *sqlite.Tx, user User, app uint64, peer User, change func(Receiving) Receiving) (c changelog.Change, err error) {
	pair, err := m.pending(tx).open(tx, user.UID, peer.UID, app)
	if err != nil {
		return c, err
	}
	me := pair.side(user.UID)
	was, err := m.Receiving(tx, user.UID, pair.id, me.option)
	if err != nil {
		return c, err
	}
	now := change(was)
	if err := m.Cover(tx, user.UID, pair.id, was, now); err != nil {
		return c, err
	}
	if me.option != now.Shown() {
		me.option, pair.moved = now.Shown(), true
	}
	return m.log.Note(tx, user.UID, changelog.Pointer{Kind: protocol.EntryOption, Peer: peer.Name,
		Time: m.now().UnixMilli(), Data: protocol.Marshal(protocol.OptionChange{Option: now.Shown()})})
}

// wholeDay is the span of an option for everything that has no end.
const wholeDay = 24 * 3600

// SetAllFlags changes the switches for everything, which cannot be shielded. Not being disturbed counts all day, unless the
// user has said when.
func (m *Messages) SetAllFlags(tx *sqlite.Tx, user User, f *protocol.SetReceiveFlags) ([]changelog.Change, error) {
	if f.Shield != nil {
		return nil, refusal.New(tim.ErrInvalidParameters, "only a user or a group can be shielded")
	}
	all, err := allOption(tx, user.UID)
	if err != nil {
		return nil, err
	}
	switch all.Option = (Receiving{Option: all.Option}).With(f).Option; {
	case all.Option == tim.RecvMsgOptReceive:
		all = protocol.AllOption{}
	case all.Duration == 0:
		all.Duration = wholeDay
	}
	return m.SetAllOption(tx, user, all)
}

// AllFlags answers the switches that are on: for everything, and for other users. Those of groups are theirs to add.
func (m *Messages) AllFlags(q sqlite.Queryer, uid int64) (protocol.AllReceiveFlags, error) {
	a := protocol.AllReceiveFlags{Users: map[string]protocol.ReceiveFlags{}, Groups: map[string]protocol.ReceiveFlags{}}
	all, err := allOption(q, uid)
	if err != nil {
		return a, err
	}
	a.All = Receiving{Option: all.Option}.Flags()
	type row struct {
		pair, peer int64
		option     int
	}
	var rows []row
	err = q.Query(`SELECT id, hi, opt_lo FROM pair WHERE lo=? AND opt_lo<>0
		UNION ALL SELECT id, lo, opt_hi FROM pair WHERE hi=? AND lo<>hi AND opt_hi<>0`, func(scan func(...any) error) error {
		var r row
		err := scan(&r.pair, &r.peer, &r.option)
		rows = append(rows, r)
		return err
	}, uid, uid)
	for _, r := range rows {
		if err != nil {
			break
		}
		var name string
		var how Receiving
		if how, err = m.Receiving(q, uid, r.pair, r.option); err == nil {
			name, err = m.names.Name(q, r.peer)
		}
		a.Users[name] = how.Flags()
	}
	return a, err
}
