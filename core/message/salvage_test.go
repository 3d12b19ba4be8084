package message

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"

	"timbre/core/conversation"
	"timbre/core/outbox"
	"timbre/core/store"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/sqlite"
)

// ship is an account in a folder; "" is in memory.
func ship(t *testing.T, folder string) *Messages {
	t.Helper()
	st, err := store.Open(folder, conversation.Schema, Schema, outbox.Schema, SearchSchema)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	a := newAttic(t)
	a.Messages.store = st
	return a.Messages
}

// texts is everything that a database has, in words.
func (m *Messages) texts(t *testing.T) (all []string) {
	t.Helper()
	err := m.store.Read(context.Background(), func(q sqlite.Queryer) error {
		for _, query := range []string{
			`SELECT 'message '||c.type||' '||c.peer||' '||m.msg_id||' '||m.status||' '||m.key||' '||m.sort FROM message m JOIN conversation c ON c.id=m.conv ORDER BY m.msg_id`,
			`SELECT 'draft '||type||' '||peer||' '||draft FROM conversation WHERE draft<>'' ORDER BY peer`,
			`SELECT 'intent '||kind||' '||lane FROM outbox ORDER BY kind`,
			`SELECT 'kept '||type||' '||peer||' '||msg_id||' '||local_int||' '||local_str||' '||deleted FROM kept ORDER BY msg_id`,
			`SELECT 'read '||peer||' '||read_seq||' '||read_count FROM conversation WHERE read_seq>0 ORDER BY peer`,
		} {
			if err := q.Query(query, func(scan func(...any) error) error {
				var s string
				err := scan(&s)
				all = append(all, s)
				return err
			}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestWhatOnlyThisDeviceHadIsSalvagedOnce(t *testing.T) {
	folder := t.TempDir()
	old := ship(t, folder)
	err := old.store.Write(context.Background(), func(tx *store.Tx) error {
		for i, s := range []string{
			`INSERT INTO conversation (id,type,peer,draft) VALUES (1,1,'bob','{"draft_user_define":"x"}')`,
			`INSERT INTO conversation (id,type,peer,read_seq,read_count) VALUES (2,2,'group',9,7)`,
			`INSERT INTO outbox (lane,kind,ref,key) VALUES ('msg bob','send',1,'k1')`,
			`INSERT INTO outbox (lane,kind,ref,key) VALUES ('read','read',2,'k2')`,
		} {
			if err := tx.Exec(s); err != nil {
				return fmt.Errorf("%d: %w", i, err)
			}
		}
		for i, status := range []int{tim.MsgSending, tim.MsgSendFail, tim.MsgLocalImported, tim.MsgSendSucc, tim.MsgDeleted, tim.MsgDeleted, tim.MsgSendSucc} {
			r := &Row{Conv: int64(1 + i%2), Sort: int64(2*i + 1), MsgID: fmt.Sprint("id", i), Sender: "ann", ClientTime: 1000, Status: status, Key: fmt.Sprint("key", i),
				Elements: `[{"elem_type":0,"text_elem_content":"x"}]`}
			switch i {
			case 3, 5, 6: // the server has it
				r.Seq = uint64(i)
			}
			if i == 6 {
				r.LocalInt, r.LocalStr = 7, "mine"
			}
			if err := r.insert(tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var saved *Salvage
	if err := old.store.Settle(context.Background()); err != nil {
		t.Fatal(err)
	}
	old.store.Close()
	if err := sqlite.Inspect(context.Background(), filepath.Join(folder, "timbre.db"), nil, func(q sqlite.Queryer) error {
		saved = Salvaged(q)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	m := ship(t, "")
	m.log = slog.New(slog.DiscardHandler)
	want := []string{"message 1 bob id0 1 key0 1", "message 2 group id1 3 key1 3", "message 1 bob id2 5 key2 5",
		`draft 1 bob {"draft_user_define":"x"}`, "intent read read", "intent send msg bob", "read group 9 7",
		"kept 2 group id5 0  1", "kept 1 bob id6 7 mine 0"}
	slices.Sort(want)
	for range 2 { // the second time as after a crash
		m.TakeUp(saved)
		got := m.texts(t)
		slices.Sort(got)
		if got = slices.Compact(got); !slices.Equal(got, want) {
			t.Errorf("taken up is %q\nwant %q", got, want)
		}
	}
}

// TestWhatWasKeptOfAMessageComesBackWithIt pulls messages of which a damaged database knew more than the server.
func TestWhatWasKeptOfAMessageComesBackWithIt(t *testing.T) {
	m := ship(t, "")
	m.log = slog.New(slog.DiscardHandler)
	m.TakeUp(&Salvage{beside: []beside{
		{typ: tim.ConvC2C, peer: "bob", msgID: "1", localInt: 7, localStr: "mine"},
		{typ: tim.ConvC2C, peer: "bob", msgID: "2", deleted: true},
		{typ: tim.ConvC2C, peer: "eve", msgID: "3", deleted: true},
	}})
	pull := func(seq uint64, from origin) *Row {
		t.Helper()
		var row *Row
		err := m.store.Write(context.Background(), func(tx *store.Tx) (err error) {
			row, err = m.receive(tx, &protocol.Message{Seq: seq, From: "bob", To: "ann", Time: 1000, Count: seq,
				Content: fmt.Appendf(nil, `{"id":"%d","el":[{"elem_type":0,"text_elem_content":"x"}]}`, seq)}, from)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return row
	}
	for range 2 {
		if r := pull(1, listed); r.LocalInt != 7 || r.LocalStr != "mine" || r.Status == tim.MsgDeleted {
			t.Errorf("the message with custom data is %+v", r)
		}
		if r := pull(2, pulled); r.Status != tim.MsgDeleted {
			t.Errorf("the deleted message is %+v", r)
		}
		if r := pull(3, pulled); r.Status == tim.MsgDeleted {
			t.Errorf("the message of another conversation is %+v", r)
		}
	}
	if got := m.texts(t); !slices.Contains(got, "kept 1 eve 3 0  1") || slices.ContainsFunc(got, func(s string) bool { return s[:5] == "kept " && s != "kept 1 eve 3 0  1" }) {
		t.Errorf("what still waits: %q", got)
	}
}
