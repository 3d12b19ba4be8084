package message

import (
	"context"
	"time"

	"timbre/core/store"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/sqlite"
)

// Retention says which messages may go from this device. Zero values keep everything.
type Retention struct {
	KeepDays int   // older ones go
	MaxBytes int64 // the oldest go until the database is not larger
}

// Trimmed is what a trimming did. The sizes are the database's in bytes.
type Trimmed struct {
	Deleted       int
	Before, After int64
}

const (
	// trimBatch is how many messages go in one transaction.
	trimBatch = 200
	// trimPause lets others work between two transactions of a trimming that nobody waits for.
	trimPause = 20 * time.Millisecond
	// trimRounds bounds how often the size is measured: how much a message takes is an estimate.
	trimRounds = 20
)

// Trim deletes old messages here, in small transactions, and gives the space back. What goes becomes a hole, which history
// fills again from the server if it still has it. A conversation's last message stays, and so do messages on their way and
// the marks of messages that were deleted on this device alone, which would come back without them.
//
// Somebody waits for a trimming that is not idle: it takes what time it can get, and writes the file of an older release
// anew to make it smaller. An idle one pauses between its steps and leaves such a file as large as it is.
func (m *Messages) Trim(ctx context.Context, keep Retention, idle bool) (Trimmed, error) {
	t := &trimmer{m: m, ctx: ctx, idle: idle}
	space, err := m.store.Space(ctx)
	if err != nil {
		return t.Trimmed, err
	}
	t.Before, t.After = space.Total, space.Total
	if keep.KeepDays > 0 {
		err = t.olderThan(m.self.Now().Add(-time.Duration(keep.KeepDays) * 24 * time.Hour).UnixMilli())
	}
	if err == nil && keep.MaxBytes > 0 {
		err = t.largerThan(keep.MaxBytes)
	}
	if err != nil || idle && t.Deleted == 0 {
		return t.Trimmed, err
	}
	if err = t.compact(); err == nil {
		err = m.store.Shrink(ctx, !idle, t.pause)
	}
	if space, e := m.store.Space(ctx); e == nil {
		t.After = space.Total
	}
	return t.Trimmed, err
}

type trimmer struct {
	Trimmed
	m    *Messages
	ctx  context.Context
	idle bool
}

func (t *trimmer) pause() {
	if !t.idle {
		return
	}
	select {
	case <-time.After(trimPause):
	case <-t.ctx.Done():
	}
}

// mayGo is the condition for messages that may be deleted.
const mayGo = `status<>1 AND (status<>` + deleted + ` OR seq IS NULL) AND id<>(SELECT last_msg FROM conversation c WHERE c.id=message.conv)`

// olderThan deletes what was sent before a time in milliseconds.
func (t *trimmer) olderThan(moment int64) error {
	var convs []int64
	if err := t.m.store.Read(t.ctx, func(q sqlite.Queryer) error {
		return q.Query(`SELECT id FROM conversation c WHERE ?>(SELECT m.moment FROM message m WHERE m.conv=c.id ORDER BY m.sort, m.moment LIMIT 1)-?`,
			func(scan func(...any) error) error {
				var id int64
				err := scan(&id)
				convs = append(convs, id)
				return err
			}, moment, slack)
	}); err != nil {
		return err
	}
	for _, conv := range convs {
		if err := t.conversation(conv, moment); err != nil {
			return err
		}
	}
	return nil
}

// conversation deletes one conversation's old messages.
func (t *trimmer) conversation(conv, moment int64) error {
	for more := true; more; t.pause() {
		n := 0
		err := t.m.store.Write(t.ctx, func(tx *store.Tx) (err error) {
			n, err = t.m.trimSome(tx, conv, moment)
			return err
		})
		if err != nil {
			return err
		}
		t.Deleted += n
		more = n == trimBatch
	}
	return nil
}

// trimSome deletes a conversation's next messages and returns how many there were.
func (m *Messages) trimSome(tx *store.Tx, conv, moment int64) (int, error) {
	near, args, err := until(tx, conv, moment)
	if err != nil {
		return 0, err
	}
	where := `WHERE conv=? AND ` + near + ` AND moment<?`
	args = append(append([]any{conv}, args...), moment)
	var ids []int64
	last, newest := int64(0), int64(0)
	if err := tx.Query(`SELECT id,coalesce(seq,0),server_time FROM message `+where+` AND `+mayGo+` ORDER BY sort,moment LIMIT ?`,
		func(scan func(...any) error) error {
			var id, seq, time int64
			err := scan(&id, &seq, &time)
			ids, last = append(ids, id), max(last, seq)
			if seq > 0 {
				newest = max(newest, time)
			}
			return err
		}, append(args, trimBatch)...); err != nil {
		return 0, err
	}
	if len(ids) < trimBatch { // the marks of deleted messages stay, without their content
		err = tx.Exec(`UPDATE message SET elements='[]', extra='', local_str='' `+where+` AND status=? AND elements<>'[]'`, append(args, tim.MsgDeleted)...)
	}
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	list := string(protocol.Marshal(ids))
	const listed = `WHERE id IN (SELECT value FROM json_each(?))`
	if err := m.unindex(tx, listed, list); err != nil {
		return 0, err
	}
	if err := tx.Exec(`DELETE FROM message `+listed, list); err != nil {
		return 0, err
	}
	if newest > 0 {
		if err := tx.Exec(`INSERT INTO trimmed VALUES (?,?) ON CONFLICT DO UPDATE SET time=max(time,excluded.time)`, conv, newest); err != nil {
			return 0, err
		}
	}
	return len(ids), m.forgetUpTo(tx, conv, uint64(last))
}

// wasTrimmed says whether a message that is not here may be one that a trimming deleted: the host has heard of it. The server's
// times ascend in a conversation, and unlike its numbers they stay what they are when it gets other logs.
func wasTrimmed(q sqlite.Queryer, conv, time int64) (bool, error) {
	return q.Get(`SELECT 1 FROM trimmed WHERE conv=? AND time>=?`, []any{new(int64)}, conv, time)
}

// forgetUpTo makes a hole of everything up to a number.
func (m *Messages) forgetUpTo(tx *store.Tx, conv int64, seq uint64) error {
	if seq == 0 {
		return nil
	}
	n := m.numbers(tx)
	var later []uint64
	for _, have := range n.byConv[conv] { // this batch has brought them, and they are gone again
		if have > seq {
			later = append(later, have)
		}
	}
	n.byConv[conv] = later
	if err := tx.Exec(`DELETE FROM msg_range WHERE conv=? AND hi<=?`, conv, int64(seq)); err != nil {
		return err
	}
	return tx.Exec(`UPDATE msg_range SET lo=?+1 WHERE conv=? AND lo<=?`, int64(seq), conv, int64(seq))
}

// largerThan deletes the oldest messages until the database fits into so many bytes, as far as it can. What the search
// index still has of deleted ones goes first.
func (t *trimmer) largerThan(size int64) error {
	for range trimRounds {
		used, err := t.used()
		if err != nil || used <= size {
			return err
		}
		if err := t.compact(); err != nil {
			return err
		}
		if used, err = t.used(); err != nil || used <= size {
			return err
		}
		moment, err := t.share(used-size, used)
		if err != nil || moment == 0 {
			return err
		}
		before := t.Deleted
		if err := t.olderThan(moment + 1); err != nil || t.Deleted == before {
			return err
		}
	}
	return nil
}

func (t *trimmer) used() (int64, error) {
	space, err := t.m.store.Space(t.ctx)
	return space.Total - space.Free, err
}

// share finds the time up to which so large a part of the messages was sent, 0 when none may go.
func (t *trimmer) share(part, whole int64) (moment int64, err error) {
	err = t.m.store.Read(t.ctx, func(q sqlite.Queryer) error {
		var n int64
		if _, err := q.Get(`SELECT count(*) FROM message WHERE `+mayGo, []any{&n}); err != nil || n == 0 {
			return err
		}
		skip := min(int64(float64(n)*float64(part)/float64(whole))+trimBatch/4, n) - 1
		_, err := q.Get(`SELECT moment FROM message WHERE `+mayGo+` ORDER BY moment LIMIT 1 OFFSET ?`, []any{&moment}, skip)
		return err
	})
	return moment, err
}

// compact lets go of what the search index still has of deleted messages.
func (t *trimmer) compact() error {
	for more := true; more; t.pause() {
		if err := t.m.store.Write(t.ctx, func(tx *store.Tx) (err error) {
			more, err = t.m.search.Compact(tx.Tx)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}
