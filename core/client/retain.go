package client

import (
	"time"
)

const (
	// retainDelay lets a login settle before old messages are looked for.
	retainDelay = 3 * time.Second
	// retainEvery is how often that is done again.
	retainEvery = 24 * time.Hour
)

// retain keeps the database within the bounds that the host has set, until the session ends.
func (s *session) retain() {
	for pause := retainDelay; ; pause = retainEvery {
		select {
		case <-time.After(pause):
		case <-s.life.Done():
			return
		}
		keep, log := s.client.cfg.Settings.Get().Retention, s.client.cfg.Log
		if keep.KeepDays == 0 && keep.MaxBytes == 0 {
			continue
		}
		done, err := s.messages.Trim(s.life, keep, true)
		if err != nil && s.life.Err() == nil {
			log.Warn("old messages could not be removed", "err", err)
		}
		if done.Deleted > 0 {
			log.Info("old messages were removed", "count", done.Deleted, "bytes_before", done.Before, "bytes_after", done.After)
		}
	}
}
