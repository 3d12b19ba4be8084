package client

import (
	"net/url"

	"timbre/core/media"
	"timbre/core/outbox"
	"timbre/core/sync"
	"timbre/core/transport"
	"timbre/sqlite"
)

// Diagnostics is what a client is doing at one moment.
type Diagnostics struct {
	Status     int    // TIMLoginStatus
	User       string // whose database is open, "" when none is
	Server     string // host and port
	Connection transport.Stats
	Database   *DatabaseDiagnostics // nil when none is open
}

// DatabaseDiagnostics is what the modules that work on a user's database are doing.
type DatabaseDiagnostics struct {
	Outbox outbox.Stats
	Sync   sync.Stats
	SQLite sqlite.Stats
	Files  media.Stats
}

// Diagnostics tells what the client is doing. It waits for no disk and no server. The parts are asked one after the other,
// so what moves from one to another meanwhile may be seen twice or not at all.
func (c *Client) Diagnostics() Diagnostics {
	c.mu.Lock()
	d, s := Diagnostics{Status: c.status}, c.session
	c.mu.Unlock()
	d.Connection = c.link.Stats()
	if u, err := url.Parse(c.cfg.Settings.ServerURL()); err == nil {
		d.Server = u.Host
	}
	if s != nil {
		d.User = s.user
		d.Database = &DatabaseDiagnostics{Outbox: s.outbox.Stats(), Sync: s.sync.Stats(), SQLite: s.store.Stats(), Files: s.files.Stats()}
	}
	return d
}
