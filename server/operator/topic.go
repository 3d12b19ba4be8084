package operator

import (
	"context"
	"io"
	"net/http"
	"unicode/utf8"

	"timbre/protocol"
	"timbre/server/refusal"
)

// Topics are the topics of communities.
type Topics interface {
	// TellTopic hands something of the operator's to the members of a topic's community, those who are connected later too.
	TellTopic(ctx context.Context, app uint64, topic, data string) error
}

func (o *Operator) topic(w http.ResponseWriter, r *http.Request) {
	app, _ := o.app(r)
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, min(int64(o.limit), protocol.MaxLine)))
	switch {
	case err != nil:
		http.Error(w, "the data is too long", http.StatusRequestEntityTooLarge)
		return
	case !utf8.Valid(data):
		http.Error(w, "the data is no UTF-8 text", http.StatusBadRequest)
		return
	}
	err = o.topics.TellTopic(r.Context(), app, r.URL.Query().Get("topic"), string(data))
	if no := refusal.Of(err); no != nil {
		http.Error(w, no.Desc, http.StatusNotFound)
	} else if err != nil {
		http.Error(w, "the server failed", http.StatusInternalServerError)
	}
}
