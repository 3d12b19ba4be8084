package message

import (
	"sync"

	"timbre/core/event"
	"timbre/model/tim"
)

// MaxBatch is to how many users one message may be sent at once.
const MaxBatch = 500

// SendMany sends a message to each of several users and answers what became of each.
func (m *Messages) SendMany(users []string, json string, done event.Done) {
	var mu sync.Mutex
	results, open := make([]string, len(users)), len(users)
	for i, user := range users {
		end := func(code int, desc, msg string) {
			if msg == "" {
				msg = "{}"
			}
			w := writer{b: []byte{'{'}}
			w.num(tim.KeyMsgBatchSendResultCode, int64(code))
			w.text(tim.KeyMsgBatchSendResultDesc, desc)
			w.text(tim.KeyMsgBatchSendResultIdentifier, user)
			w.raw(tim.KeyMsgBatchSendResultMsg, msg)
			mu.Lock()
			defer mu.Unlock()
			results[i] = string(append(w.b, '}'))
			if open--; open == 0 {
				done(0, "", array(results))
			}
		}
		d, err := m.NewDraft(tim.ConvC2C, user, json)
		if err != nil {
			end(tim.ErrInvalidParameters, err.Error(), "")
			continue
		}
		m.Send(d, end)
	}
}
