package message

import (
	"database/sql"

	"github.com/tidwall/gjson"

	"timbre/core/conversation"
	"timbre/core/store"
	"timbre/model/tim"
	"timbre/sqlite"
)

// Schema holds the messages of the account, all conversations in one table.
var Schema = sqlite.Schema{Module: "message", Steps: []string{`
CREATE TABLE message (
	id          INTEGER PRIMARY KEY AUTOINCREMENT,
	conv        INTEGER NOT NULL,           -- conversation.id
	seq         INTEGER,                    -- the server's number in the conversation, NULL until it has one
	sort        INTEGER NOT NULL,           -- place in the history, see sortOf
	msg_id      TEXT    NOT NULL,
	sender      TEXT    NOT NULL,
	client_time INTEGER NOT NULL,           -- seconds
	server_time INTEGER NOT NULL,           -- milliseconds, 0 until sent
	rand        INTEGER NOT NULL,
	status      INTEGER NOT NULL,           -- TIMMsgStatus
	platform    INTEGER NOT NULL DEFAULT 0,
	count       INTEGER NOT NULL DEFAULT 0, -- the sender's countable messages up to this one
	flags       INTEGER NOT NULL DEFAULT 0,
	key         TEXT    NOT NULL DEFAULT '',-- idempotency key of an own message of this device
	elements    TEXT    NOT NULL,           -- JSON array
	extra       TEXT    NOT NULL DEFAULT '',-- JSON object of keys that are not at their default, or ''
	local_int   INTEGER NOT NULL DEFAULT 0,
	local_str   TEXT    NOT NULL DEFAULT '',
	moment      INTEGER GENERATED ALWAYS AS (iif(server_time>0,server_time,client_time*1000)) VIRTUAL -- when it was sent, milliseconds
) STRICT;
CREATE UNIQUE INDEX message_seq ON message (conv, seq) WHERE seq IS NOT NULL;
CREATE INDEX message_sort ON message (conv, sort, moment);
CREATE INDEX message_msg_id ON message (msg_id);
CREATE TABLE msg_range (
	conv INTEGER NOT NULL,
	lo   INTEGER NOT NULL, -- every message of the server with lo <= seq <= hi is here
	hi   INTEGER NOT NULL,
	PRIMARY KEY (conv, lo)
) STRICT, WITHOUT ROWID;
`, `
ALTER TABLE message ADD COLUMN version INTEGER NOT NULL DEFAULT 0;  -- how often the server's message was changed
ALTER TABLE message ADD COLUMN revoked TEXT    NOT NULL DEFAULT ''; -- JSON, a protocol.Revocation
ALTER TABLE message ADD COLUMN readers INTEGER NOT NULL DEFAULT 0;  -- members that confirmed it
ALTER TABLE message ADD COLUMN unread  INTEGER NOT NULL DEFAULT -1; -- members that did not, -1: unknown
CREATE TABLE upload (ref INTEGER PRIMARY KEY) STRICT;               -- messages whose files are on their way
`, `
CREATE TABLE kept ( -- see beside
	type      INTEGER NOT NULL, -- of the conversation
	peer      TEXT    NOT NULL, -- likewise
	msg_id    TEXT    NOT NULL,
	local_int INTEGER NOT NULL,
	local_str TEXT    NOT NULL,
	deleted   INTEGER NOT NULL,
	PRIMARY KEY (type, peer, msg_id)
) STRICT, WITHOUT ROWID;
`, `
CREATE TABLE trimmed (
	conv INTEGER PRIMARY KEY,
	time INTEGER NOT NULL -- of the newest message of the server that a trimming has deleted, milliseconds
) STRICT;
`, `
ALTER TABLE message ADD COLUMN card TEXT NOT NULL DEFAULT ''; -- name card that the sender had in the group
`}}

// flagUnread marks a local message (saved by the host) that was not declared read.
const flagUnread = 1

// Further flags.
const (
	flagNotLast   = 2 // does not become the conversation's last one
	flagConfirmed = 4 // this user has sent his receipt
	flagPeerRead  = 8 // the receiver of a one-to-one message has sent his
)

// flag sets what a message's keys say.
func (r *Row) flag() {
	if r.Extra != "" && gjson.Get(r.Extra, tim.KeyMsgExcludedFromLastMessage).Bool() {
		r.Flags |= flagNotLast
	}
}

func (r *Row) last() bool { return r.Flags&flagNotLast == 0 }

// Row is a message as the database has it.
type Row struct {
	ID         int64
	Conv       int64
	Seq        uint64 // 0: none
	Sort       int64
	MsgID      string
	Sender     string
	ClientTime int64
	ServerTime int64
	Rand       uint32
	Status     int
	Platform   int
	Count      uint64
	Flags      int
	Key        string
	Elements   string
	Extra      string
	LocalInt   uint32
	LocalStr   string
	Version    uint64
	Revoked    string
	Readers    uint64
	Unread     int64
	Card       string
}

// sortOf is the place of a message of the server. Local messages stand at odd places between; ties go by their moment,
// then by id. So a message that waits for its number stands after all that have one, and takes its true place when it
// gets it.
func sortOf(seq uint64) int64 { return int64(seq) * 2 }

// after is the place of a local message that follows everything up to seq.
func after(seq uint64) int64 { return int64(seq)*2 + 1 }

// moment is the column of the same name.
func (r *Row) moment() int64 {
	if r.ServerTime > 0 {
		return r.ServerTime
	}
	return r.ClientTime * 1000
}

const columns = `id,conv,seq,sort,msg_id,sender,client_time,server_time,rand,status,platform,count,flags,key,elements,extra,local_int,local_str,version,revoked,readers,unread,card`

func scanRow(scan func(...any) error) (*Row, error) {
	r := &Row{}
	var seq sql.NullInt64
	err := scan(&r.ID, &r.Conv, &seq, &r.Sort, &r.MsgID, &r.Sender, &r.ClientTime, &r.ServerTime, &r.Rand, &r.Status,
		&r.Platform, &r.Count, &r.Flags, &r.Key, &r.Elements, &r.Extra, &r.LocalInt, &r.LocalStr, &r.Version, &r.Revoked, &r.Readers, &r.Unread, &r.Card)
	r.Seq = uint64(seq.Int64)
	return r, err
}

// rows runs a query for whole rows; where is everything after FROM message.
func rows(q sqlite.Queryer, where string, args ...any) ([]*Row, error) {
	var all []*Row
	err := q.Query(`SELECT `+columns+` FROM message `+where, func(scan func(...any) error) error {
		r, err := scanRow(scan)
		all = append(all, r)
		return err
	}, args...)
	return all, err
}

// one returns the first row of a query, nil when there is none.
func one(q sqlite.Queryer, where string, args ...any) (*Row, error) {
	all, err := rows(q, where+` LIMIT 1`, args...)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return all[0], nil
}

func byID(q sqlite.Queryer, id int64) (*Row, error) { return one(q, `WHERE id=?`, id) }

func byMsgID(q sqlite.Queryer, msgID string) (*Row, error) {
	return one(q, `WHERE msg_id=? ORDER BY id DESC`, msgID)
}

// insert adds the row and sets its ID.
func (r *Row) insert(tx *store.Tx) (err error) {
	r.ID, err = tx.Insert(`INSERT INTO message
		(conv,seq,sort,msg_id,sender,client_time,server_time,rand,status,platform,count,flags,key,elements,extra,local_int,local_str,
		version,revoked,readers,unread,card) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`, r.Conv, nullSeq(r.Seq), r.Sort, r.MsgID, r.Sender, r.ClientTime,
		r.ServerTime, r.Rand, r.Status, r.Platform, r.Count, r.Flags, r.Key, r.Elements, r.Extra, r.LocalInt, r.LocalStr,
		r.Version, r.Revoked, r.Readers, r.Unread, r.Card)
	return err
}

// settle writes what the server or a failure decided.
func (r *Row) settle(tx *store.Tx) error {
	return tx.Exec(`UPDATE message SET seq=?,sort=?,server_time=?,status=?,count=?,unread=?,card=? WHERE id=?`,
		nullSeq(r.Seq), r.Sort, r.ServerTime, r.Status, r.Count, r.Unread, r.Card, r.ID)
}

// amend writes what became of a message.
func (r *Row) amend(tx *store.Tx) error {
	return tx.Exec(`UPDATE message SET status=?,flags=?,elements=?,extra=?,version=?,revoked=?,readers=?,unread=? WHERE id=?`,
		r.Status, r.Flags, r.Elements, r.Extra, r.Version, r.Revoked, r.Readers, r.Unread, r.ID)
}

func nullSeq(seq uint64) any {
	if seq == 0 {
		return nil
	}
	return int64(seq)
}

// latest finds the row that the conversation shows as its last message, 0 when there is none.
func latest(q sqlite.Queryer, c *conversation.Conversation) (int64, error) {
	var id int64
	_, err := q.Get(`SELECT id FROM message WHERE conv=? AND status<>? AND flags&?=0 ORDER BY sort DESC, moment DESC, id DESC LIMIT 1`,
		[]any{&id}, c.ID, tim.MsgDeleted, flagNotLast)
	return id, err
}
