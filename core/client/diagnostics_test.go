package client

import (
	"log/slog"
	"testing"

	"timbre/core/event"
	"timbre/core/outbox"
	"timbre/core/store"
	"timbre/model/tim"
	"timbre/sqlite"
)

type deaf struct{}

func (deaf) Emit(event.Event) {}
func (deaf) Waiting() int     { return 0 }

// TestDiagnosticsWaitForNothing: they are there while the database's writer is stuck.
func TestDiagnosticsWaitForNothing(t *testing.T) {
	settings := NewSettings()
	settings.Change(func(v *Values) { v.DataFolder, v.InitServer = t.TempDir(), "ws://user:password@127.0.0.1:9/path" })
	c := New(Config{AppID: 1, Settings: settings, Sink: deaf{}, Log: slog.New(slog.DiscardHandler)})
	defer c.Close()
	if d := c.Diagnostics(); d.User != "" || d.Database != nil || d.Status != tim.LoginStatusUnLogined || d.Server != "127.0.0.1:9" {
		t.Errorf("before the login: %+v", d)
	}
	if err := c.OpenCache("alice"); err != nil {
		t.Fatal(err)
	}
	before := c.Diagnostics().Database.SQLite
	inside, leave := make(chan struct{}), make(chan struct{})
	c.session.store.Submit(store.Change{Apply: func(*store.Tx) error {
		close(inside)
		<-leave
		return nil
	}})
	<-inside
	for range 3 {
		c.session.store.Submit(store.Change{Apply: func(*store.Tx) error { return nil }})
	}
	d := c.Diagnostics()
	close(leave)
	if d.User != "alice" || d.Database == nil || d.Database.Outbox != (outbox.Stats{}) {
		t.Fatalf("with a database: %+v", d)
	}
	if s := d.Database.SQLite; s.Busy == 0 || s.Queued != 3 || s.Jobs != before.Jobs || s.Size == 0 {
		t.Errorf("while the writer is stuck: %+v", s)
	}
	if err := c.session.store.Read(t.Context(), func(sqlite.Queryer) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if s := c.Diagnostics().Database.SQLite; s.Queued != 0 || s.Jobs < before.Jobs+4 || s.Failed != 0 {
		t.Errorf("afterwards: %+v", s)
	}
}
