package gateway

import (
	"timbre/protocol"
	"timbre/sqlite"
)

// Files gives leave to use the file addresses, and learns which files messages use.
type Files interface {
	Token(app uint64, uid int64) protocol.FileToken
	// Touch keeps the files that a message names from being deleted as unused.
	Touch(tx *sqlite.Tx, ids []string) error
}

func (c *conn) fileToken(r *protocol.Request) {
	c.reply(r.ID, protocol.Marshal(c.g.Files.Token(c.self.App, c.self.UID)), nil)
	c.Wake()
}
