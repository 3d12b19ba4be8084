package operator

import (
	"context"
	"io"
	"net/http"
	"unicode/utf8"

	"timbre/model"
	"timbre/protocol"
	"timbre/server/refusal"
)

// Groups is what an operator may do in groups. A refusal says why he may not, or that there is no such group.
type Groups interface {
	// TellTopic hands something of the operator's to the members of a topic's community, those who are connected later too.
	TellTopic(ctx context.Context, app uint64, topic, data string) error
	// NotifyGroup hands something to the members of a group who are connected, or to those of some users.
	NotifyGroup(ctx context.Context, app uint64, group string, users []string, data string) error
	// RemoveMembers takes members out of a group, its owner too.
	RemoveMembers(ctx context.Context, app uint64, group string, users []string, reason string) error
	// RecycleGroup ends a group.
	RecycleGroup(ctx context.Context, app uint64, group string) error
}

// inGroup serves a request whose body is a text and whose query may name users. Do gets at most model.MaxKicks of them.
func (o *Operator) inGroup(do func(r *http.Request, app uint64, users []string, text string) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		app, _ := o.app(r)
		text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, min(int64(o.limit), protocol.MaxLine)))
		users := r.URL.Query()["user"]
		switch {
		case err != nil:
			http.Error(w, "the text is too long", http.StatusRequestEntityTooLarge)
			return
		case !utf8.Valid(text):
			http.Error(w, "the text is no UTF-8", http.StatusBadRequest)
			return
		case len(users) > model.MaxKicks:
			http.Error(w, "too many users", http.StatusBadRequest)
			return
		}
		err = do(r, app, users, string(text))
		if no := refusal.Of(err); no != nil {
			http.Error(w, no.Desc, http.StatusNotFound)
		} else if err != nil {
			http.Error(w, "the server failed", http.StatusInternalServerError)
		}
	}
}

func (o *Operator) topic(r *http.Request, app uint64, _ []string, text string) error {
	return o.groups.TellTopic(r.Context(), app, r.URL.Query().Get("topic"), text)
}

func (o *Operator) notify(r *http.Request, app uint64, users []string, text string) error {
	return o.groups.NotifyGroup(r.Context(), app, r.URL.Query().Get("group"), users, text)
}

func (o *Operator) remove(r *http.Request, app uint64, users []string, text string) error {
	return o.groups.RemoveMembers(r.Context(), app, r.URL.Query().Get("group"), users, text)
}

func (o *Operator) dismiss(r *http.Request, app uint64, _ []string, _ string) error {
	return o.groups.RecycleGroup(r.Context(), app, r.URL.Query().Get("group"))
}
