package message

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/tidwall/gjson"

	"timbre/core/event"
	"timbre/core/guard"
	"timbre/core/media"
	"timbre/core/outbox"
	"timbre/core/store"
	"timbre/core/transport"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/sqlite"
)

// maxUploads is how many messages upload at the same time.
const maxUploads = 3

// Files moves files to and from the server.
type Files interface {
	Upload(ctx context.Context, l media.Local, progress media.Progress) (media.Stored, error)
	Download(ctx context.Context, r media.Remote, path string, progress media.Progress) error
	Prepare(path string, level int) (media.Image, error)
}

// uploads is the messages whose files are on their way, and downloads. A message waits there, and not in its lane, so what is sent after
// it overtakes it: a text does not wait for a film.
type uploads struct {
	mu      sync.Mutex
	running map[int64]context.CancelCauseFunc // by message row
	stopped error
	life    context.Context // ends with the account
	end     context.CancelFunc
	slots   chan struct{}
	wg      sync.WaitGroup
}

var (
	errCancelled       = errors.New("cancelled by the user")
	errStalled         = errors.New("nothing moved for too long")
	errDeleted         = errors.New("deleted on its way")
	errInside    error = &transport.Error{Code: tim.ErrSDKInternalError, Text: "internal error"}
)

// begin says whether a transfer may begin; done must follow.
func (u *uploads) begin() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.stopped == nil {
		u.wg.Add(1)
	}
	return u.stopped == nil
}

// keepUploads notes that a message waits for its files, so that a later process goes on with them.
func (m *Messages) keepUploads(tx *store.Tx, ref int64) error {
	return tx.Exec(`INSERT OR IGNORE INTO upload (ref) VALUES (?)`, ref)
}

// LoadUploads goes on with the uploads that an earlier process left. Call it when the user is logged in.
func (m *Messages) LoadUploads(tx *store.Tx) error {
	return tx.Query(`SELECT ref FROM upload ORDER BY ref`, func(scan func(...any) error) error {
		var ref int64
		err := scan(&ref)
		tx.After(func() { m.startUpload(ref) })
		return err
	})
}

// startUpload uploads the files of a message and then sends it.
func (m *Messages) startUpload(ref int64) {
	u := &m.uploads
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case u.running[ref] != nil:
		return
	case u.stopped != nil: // the account was closed while the message was being stored
		m.uploadFailed(ref, u.stopped, u.stopped)
		return
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	u.running[ref] = cancel
	u.wg.Go(func() {
		err := errInside
		guard.Run(m.log, "an upload", func() { err = m.upload(ctx, ref, func() { cancel(errStalled) }) })
		u.mu.Lock()
		delete(u.running, ref)
		u.mu.Unlock()
		if err != nil {
			m.uploadFailed(ref, err, context.Cause(ctx))
		}
		cancel(nil)
	})
}

// upload uploads what is missing. stalled ends it when nothing moved for as long as a request may take.
func (m *Messages) upload(ctx context.Context, ref int64, stalled func()) error {
	select {
	case m.uploads.slots <- struct{}{}:
		defer func() { <-m.uploads.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	watch := time.AfterFunc(m.self.Timeout(), stalled)
	defer watch.Stop()
	alive := func() { watch.Reset(m.self.Timeout()) }
	var row *Row
	if err := m.store.Read(ctx, func(q sqlite.Queryer) (err error) {
		row, err = byID(q, ref)
		return err
	}); err != nil {
		return err
	}
	if row == nil || row.Status != tim.MsgSending {
		return errDeleted
	}
	for i := range gjson.Parse(row.Elements).Array() {
		element := gjson.Parse(row.Elements).Array()[i]
		if !uploadNeeded(element) {
			continue
		}
		a, err := m.announce(ctx, row)
		if err != nil {
			return err
		}
		done, err := m.uploadElement(ctx, a, i, element, alive)
		if err != nil {
			return err
		}
		if row.Elements, err = replaced(row.Elements, i, done); err != nil {
			return err
		}
		if err := m.store.Write(ctx, func(tx *store.Tx) error {
			return tx.Exec(`UPDATE message SET elements=? WHERE id=? AND status=?`, row.Elements, ref, tim.MsgSending)
		}); err != nil {
			return err
		}
	}
	return m.uploaded(ctx, row)
}

// uploaded hands the message to its lane. It waits for the commit, whatever becomes of ctx: who takes the message back must
// know whether it has left.
func (m *Messages) uploaded(ctx context.Context, row *Row) error {
	return m.store.Write(context.Background(), func(tx *store.Tx) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		present, err := byID(tx, row.ID)
		switch {
		case err != nil:
			return err
		case present == nil || present.Status != tim.MsgSending:
			return errDeleted
		}
		e, err := m.book.OpenByID(tx, row.Conv)
		switch {
		case err != nil:
			return err
		case e == nil:
			return errDeleted
		}
		in := &outbox.Intent{Op: protocol.OpSend, Timeout: m.self.Timeout(), Keep: m.self.Patient(), Lane: lane(e.Type, e.Peer),
			Kind: KindSend, Ref: row.ID, Key: row.Key,
			Body: protocol.AppendSend(nil, e.Peer, e.Type == tim.ConvGroup, row.content())}
		if err := outbox.Add(tx, in); err != nil {
			return err
		}
		tx.After(func() { m.outbox.Enter(in) })
		return tx.Exec(`DELETE FROM upload WHERE ref=?`, row.ID)
	})
}

// uploadFailed ends a message whose files did not get there. One that the end of the process cut off is left for the next.
func (m *Messages) uploadFailed(ref int64, err, cause error) {
	why := &transport.Error{Code: tim.ErrSVRResSendCancel, Text: "the upload was cut off"}
	status := tim.MsgSendFail
	switch {
	case errors.Is(cause, errCancelled), errors.Is(err, errDeleted):
		why, status = &transport.Error{Code: tim.ErrSDKSendMessageFailedWithCancel, Text: "cancelled"}, tim.MsgCancel
	case errors.Is(cause, errStalled):
		why = &transport.Error{Code: tim.ErrSVRResTransferTimeout, Text: "the upload did not get on"}
	case cause != nil:
		if m.self.Patient() { // the message goes out after the next login
			m.tell(ref, why.Code, why.Text, "")
			return
		}
	case errors.As(err, &why):
	default:
		why = m.dbError(err)
	}
	m.store.Submit(store.Change{
		Apply: func(tx *store.Tx) error {
			m.arrivals(tx)
			if err := tx.Exec(`DELETE FROM upload WHERE ref=?`, ref); err != nil {
				return err
			}
			row, err := byID(tx, ref)
			if row == nil || err != nil {
				tx.After(func() { m.tell(ref, why.Code, why.Text, "") })
				return err
			}
			before := row.Status
			if before == tim.MsgSending {
				row.Status = status
				if err := row.settle(tx); err != nil {
					return err
				}
			}
			return m.settled(tx, row, before, nil, why.Code, why.Text)
		},
		Failed: func(err error) { m.tell(ref, why.Code, why.Text, "") },
	})
}

// StopUploads ends all uploads and waits until they have told so. Those of a patient user go on after the next login.
func (m *Messages) StopUploads(why error) {
	u := &m.uploads
	u.mu.Lock()
	u.stopped = why
	for _, cancel := range u.running {
		cancel(why)
	}
	u.mu.Unlock()
	u.end()
	u.wg.Wait()
}

// Cancel takes back a message that has not left yet.
func (m *Messages) Cancel(s Subject, done event.Done) {
	if s.row == nil && m.passing.take(s.ID, done) {
		return
	}
	if s.row == nil || s.row.Sender != m.self.User || s.row.Status != tim.MsgSending {
		done(tim.ErrSDKInvalidCancelMessage, "no message on its way has this id", "")
		return
	}
	ref := s.row.ID
	m.uploads.mu.Lock()
	cancel := m.uploads.running[ref]
	m.uploads.mu.Unlock()
	switch {
	case cancel != nil:
		m.wait(ref, func(code int, _, json string) {
			if code == tim.ErrSDKSendMessageFailedWithCancel {
				done(0, "", json)
				return
			}
			done(tim.ErrSDKInvalidCancelMessage, "the message has left already", "")
		})
		cancel(errCancelled)
	case m.outbox.Cancel(lane(s.Type, s.Peer), ref, &transport.Error{Code: tim.ErrSDKSendMessageFailedWithCancel, Text: "cancelled"},
		func() {
			m.wait(ref, func(_ int, _, json string) { done(0, "", json) })
		}):
	default:
		done(tim.ErrSDKInvalidCancelMessage, "the message has left already", "")
	}
}
