package operator_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"timbre/model/tim"
	"timbre/server/account"
	"timbre/server/operator"
	"timbre/server/refusal"
)

// groups is one topic, and one group.
type groups struct{ told []string }

func (s *groups) NotifyGroup(_ context.Context, of uint64, group string, users []string, data string) error {
	return s.did("notify", of, group, users, data)
}

func (s *groups) RemoveMembers(_ context.Context, of uint64, group string, users []string, reason string) error {
	return s.did("remove", of, group, users, reason)
}

func (s *groups) RecycleGroup(_ context.Context, of uint64, group string) error {
	return s.did("dismiss", of, group, nil, "")
}

func (s *groups) did(what string, of uint64, group string, users []string, text string) error {
	if of != app || group != "team" {
		return refusal.New(tim.ErrSVRGroupNotFound, "there is no such group")
	}
	s.told = append(s.told, fmt.Sprint(what, users, text))
	return nil
}

func (s *groups) TellTopic(_ context.Context, of uint64, topic, data string) error {
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
	s := &groups{}
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

func TestGroupsAreManaged(t *testing.T) {
	s := &groups{}
	for _, c := range []struct {
		sig, path, text string
		status          int
	}{
		{ticket(operator.Administrator), "notify?group=team", "hi", http.StatusOK},
		{ticket(operator.Administrator), "notify?group=team&user=a&user=b", "hi", http.StatusOK},
		{ticket(operator.Administrator), "remove?group=team&user=a", "why", http.StatusOK},
		{ticket(operator.Administrator), "dismiss?group=team", "", http.StatusOK},
		{ticket(operator.Administrator), "dismiss?group=none", "", http.StatusNotFound},
		{ticket(operator.Administrator), "remove?group=team" + strings.Repeat("&user=a", 101), "", http.StatusBadRequest},
		{ticket("alice"), "dismiss?group=team", "", http.StatusUnauthorized},
	} {
		q := httptest.NewRequest(http.MethodPost, fmt.Sprintf("/admin/%s&app=%d", c.path, app), strings.NewReader(c.text))
		q.Header.Set("Authorization", "Bearer "+c.sig)
		w := httptest.NewRecorder()
		operator.New(account.NewTickets(account.Secrets{app: secret}), nil, s, 12<<10, time.Now).ServeHTTP(w, q)
		if w.Code != c.status {
			t.Errorf("%s: %d %s", c.path, w.Code, w.Body)
		}
	}
	if want := []string{"notify[]hi", "notify[a b]hi", "remove[a]why", "dismiss[]"}; !slices.Equal(s.told, want) {
		t.Errorf("did %q, want %q", s.told, want)
	}
}
