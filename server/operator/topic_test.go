package operator_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"timbre/model/tim"
	"timbre/server/account"
	"timbre/server/operator"
	"timbre/server/refusal"
)

// topics is one topic.
type topics struct{ told []string }

func (s *topics) TellTopic(_ context.Context, of uint64, topic, data string) error {
	switch {
	case of != app:
		return errors.New("another app")
	case topic != "c@TOPIC#_t":
		return refusal.New(tim.ErrSVRGroupNotFound, "there is no such group")
	}
	s.told = append(s.told, data)
	return nil
}

func TestTopicIsTold(t *testing.T) {
	s := &topics{}
	for _, c := range []struct {
		sig, topic, data string
		status           int
	}{
		{ticket(operator.Administrator), "c@TOPIC%23_t", `{"a":1}`, http.StatusOK},
		{ticket(operator.Administrator), "c@TOPIC%23_none", "x", http.StatusNotFound},
		{ticket(operator.Administrator), "c@TOPIC%23_t", "\xff", http.StatusBadRequest},
		{ticket(operator.Administrator), "c@TOPIC%23_t", strings.Repeat("x", 12<<10+1), http.StatusRequestEntityTooLarge},
		{ticket("alice"), "c@TOPIC%23_t", "x", http.StatusUnauthorized},
	} {
		q := httptest.NewRequest(http.MethodPost, fmt.Sprintf("/admin/topic?app=%d&topic=%s", app, c.topic), strings.NewReader(c.data))
		q.Header.Set("Authorization", "Bearer "+c.sig)
		w := httptest.NewRecorder()
		operator.New(account.NewTickets(account.Secrets{app: secret}), nil, s, 12<<10, time.Now).ServeHTTP(w, q)
		if w.Code != c.status {
			t.Errorf("%q of %q: %d %s", c.topic, c.data[:min(len(c.data), 20)], w.Code, w.Body)
		}
	}
	if len(s.told) != 1 || s.told[0] != `{"a":1}` {
		t.Errorf("told %q", s.told)
	}
}
