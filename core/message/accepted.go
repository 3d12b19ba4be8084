package message

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"sync"

	"timbre/core/conversation"
	"timbre/core/outbox"
	"timbre/core/store"
	"timbre/model/tim"
	"timbre/sqlite/vault"
)

// acceptedFile lies beside the database.
const acceptedFile = "accepted.jsonl"

// accepted remembers messages between the moment when their call returns and the commit that stores them, some
// milliseconds later. A call cannot wait for the commit: a host that sends in a loop would wait for the disk each time. So
// each accepted message is added to a small file first. What the kernel has taken survives the death of the process
// (not that of the machine; what was committed survives that too), and the next login takes it up.
//
// The file is emptied whenever everything in it has been committed, so it holds what a burst has under way, rarely more.
type accepted struct {
	mu   sync.Mutex
	key  []byte // the lines are sealed with it; nil: they are plain
	file *os.File
	open int   // messages whose fate is not in the database yet
	size int64 // bytes in the file: whole lines
}

// note is a line of the file.
type note struct {
	Type       int
	Peer       string
	MsgID, Key string
	ClientTime int64
	Rand       uint32
	Platform   int
	Flags      int
	Elements   json.RawMessage
	Extra      json.RawMessage `json:",omitempty"`
	LocalInt   uint32          `json:",omitempty"`
	LocalStr   string          `json:",omitempty"`
}

// OpenAccepted takes up what an earlier process had accepted and not stored, and remembers from now on. With folder ""
// nothing is remembered. Call it after Connect and before the outbox is loaded.
//
// With a key, the database's, the lines are sealed.
func (m *Messages) OpenAccepted(folder string, key []byte) error {
	if folder == "" {
		return nil
	}
	file, err := os.OpenFile(filepath.Join(folder, acceptedFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	notes, size := readNotes(file, key)
	m.accepted.mu.Lock()
	m.accepted.key, m.accepted.file, m.accepted.size, m.accepted.open = key, file, size, 1 // this very recovery
	m.accepted.mu.Unlock()
	if len(notes) == 0 {
		m.accepted.stored()
		return nil
	}
	m.log.Info("taking up messages that were accepted and not stored", "count", len(notes))
	m.store.Submit(store.Change{
		Durable: true,
		Apply: func(tx *store.Tx) error {
			tx.After(m.accepted.stored)
			return m.takeUp(tx, notes)
		},
		Failed: func(err error) { m.log.Error("accepted messages could not be stored", "err", err) },
	})
	return nil
}

// readNotes reads whole lines; a torn last one was never acknowledged to anybody.
func readNotes(r io.Reader, key []byte) (notes []note, size int64) {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return notes, size
		}
		size += int64(len(line))
		var n note
		if line, err = vault.OpenLine(key, bytes.TrimSuffix(line, []byte("\n"))); err == nil && json.Unmarshal(line, &n) == nil {
			notes = append(notes, n)
		}
	}
}

// takeUp stores those messages that the database does not have, with intents that nobody waits for.
func (m *Messages) takeUp(tx *store.Tx, notes []note) error {
	m.arrivals(tx)
	for _, n := range notes {
		known, err := one(tx, `WHERE msg_id=? AND key=?`, n.MsgID, n.Key)
		if err != nil {
			return err
		}
		if known != nil {
			continue
		}
		d := &Draft{typ: n.Type, peer: n.Peer, live: conversation.NoGroup, row: &Row{MsgID: n.MsgID, Key: n.Key, Sender: m.self.User, ClientTime: n.ClientTime,
			Rand: n.Rand, Status: tim.MsgSending, Unread: -1, Platform: n.Platform, Flags: n.Flags, Elements: string(n.Elements),
			Extra: string(n.Extra), LocalInt: n.LocalInt, LocalStr: n.LocalStr}}
		d.uploads, _ = checkFiles(d.row.Elements) // a file that is gone fails when its turn comes
		if _, err := m.keepIntent(tx, d, &outbox.Intent{}); err != nil {
			return err
		}
	}
	return nil
}

// remember appends a message. An error loses only the protection, not the message.
func (a *accepted) remember(d *Draft) error {
	r := d.row
	line, err := json.Marshal(note{Type: d.typ, Peer: d.peer, MsgID: r.MsgID, Key: r.Key, ClientTime: r.ClientTime, Rand: r.Rand,
		Platform: r.Platform, Flags: r.Flags, Elements: json.RawMessage(r.Elements), Extra: json.RawMessage(r.Extra),
		LocalInt: r.LocalInt, LocalStr: r.LocalStr})
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.file == nil {
		return nil
	}
	a.open++
	if line, err = vault.SealLine(a.key, line); err != nil {
		return err
	}
	// Not O_APPEND: Windows refuses to truncate such a file, and a line that was torn is written over.
	n, err := a.file.WriteAt(append(line, '\n'), a.size)
	if err == nil {
		a.size += int64(n)
	}
	return err
}

// stored says that one remembered message is in the database, or was refused to its caller.
func (a *accepted) stored() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.file == nil {
		return
	}
	a.open--
	if a.open == 0 && a.size > 0 && a.file.Truncate(0) == nil {
		a.size = 0
	}
}

// close gives the file back.
func (a *accepted) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.file != nil {
		a.file.Close()
		a.file = nil
	}
}

// Close gives back what the messages hold open. The store must be closed before.
func (m *Messages) Close() {
	m.indexer.close()
	m.accepted.close()
}
