package client

import (
	"context"
	"strings"
	"time"

	"timbre/core/message"
	"timbre/core/store"
	"timbre/sqlite"
)

// salvageTime is how long a login looks into a damaged database for what the server has not.
const salvageTime = 5 * time.Second

// deviceSize is the length of a device's id, base 32.
const deviceSize = 16

// salvage reads what is left of a damaged database, once; nil when there is none. It also keeps the device's id, so that the
// server knows the device again.
func (s *session) salvage(key []byte) *message.Salvage {
	ctx, cancel := context.WithTimeout(context.Background(), salvageTime)
	defer cancel()
	saved := &message.Salvage{}
	name, err := s.store.Inspect(ctx, key, func(q sqlite.Queryer) error {
		if device, err := store.Meta(q, metaDevice); err == nil && validDevice(device) {
			s.device = device
		}
		saved = message.Salvaged(q)
		return nil
	})
	if err != nil {
		s.client.cfg.Log.Warn("nothing can be read of the damaged database", "err", err)
	}
	if name == "" {
		return nil
	}
	saved.From = name
	return saved
}

func validDevice(id string) bool {
	return len(id) == deviceSize && strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}
