package language

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"timbre/model/tim"
	"timbre/server/refusal"
)

const (
	maxAnswer = 1 << 20 // bytes of JSON
	// maxText is how many bytes of text an answer may have: written as JSON, where a byte can become six, it must still
	// fit into a line of the protocol.
	maxText = 128 << 10
)

// The bodies of requests and answers. What an answer lacks is nil: an empty text is something else.
type (
	translation struct {
		Texts []string `json:"texts"`
		From  string   `json:"from"`
		To    string   `json:"to"`
	}
	translated struct {
		Texts []*string `json:"texts"`
	}
	sound struct {
		URL      string `json:"url"`
		Language string `json:"language"`
	}
	transcribed struct {
		Text *string `json:"text"`
	}
)

// Reasons why an answer is of no use. They go into the log, so they quote nothing of it.
var (
	errTooLong = errors.New("the answer is too long")
	errNoJSON  = errors.New("the answer is not the JSON expected")
	errCount   = errors.New("the answer has another number of texts than the request")
)

// statusError is a status other than 200.
type statusError int

func (e statusError) Error() string { return fmt.Sprintf("status %d", int(e)) }

func (a *translated) texts(count int) ([]string, error) {
	if len(a.Texts) != count {
		return nil, errCount
	}
	texts, size := make([]string, count), 0
	for i, t := range a.Texts {
		if t == nil {
			return nil, errNoJSON
		}
		texts[i] = *t
		size += len(*t)
	}
	if size > maxText {
		return nil, errTooLong
	}
	return texts, nil
}

func (a *transcribed) text() (string, error) {
	switch {
	case a.Text == nil:
		return "", errNoJSON
	case len(*a.Text) > maxText:
		return "", errTooLong
	}
	return *a.Text, nil
}

// ask puts a question and reads the result out of the answer.
func ask[A, R any](ctx context.Context, l *Language, path string, question any, read func(*A) (R, error)) (result R, err error) {
	start := time.Now()
	within, cancel := context.WithTimeout(ctx, l.cfg.Timeout)
	defer cancel()
	body, err := l.post(within, path, question)
	var answer A
	if err == nil && json.Unmarshal(body, &answer) != nil {
		err = errNoJSON
	}
	if err == nil {
		result, err = read(&answer)
	}
	if err != nil {
		if ctx.Err() == nil { // otherwise nobody wants the answer any more
			l.cfg.Log.Warn("the language backend failed", "path", path, "after", time.Since(start), "error", err)
		}
		return result, refused(err)
	}
	return result, nil
}

// post sends a question and returns the body of the answer.
func (l *Language) post(ctx context.Context, path string, question any) ([]byte, error) {
	body, err := json.Marshal(question)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimRight(l.cfg.URL, "/")+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	if l.cfg.Token != "" {
		r.Header.Set("Authorization", "Bearer "+l.cfg.Token)
	}
	answer, err := l.cfg.HTTP.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, statusError(answer.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	if err == nil && len(text) > maxAnswer {
		err = errTooLong
	}
	return text, err
}

// refused is what the client hears of a failure.
func refused(err error) error {
	switch {
	case errors.Is(err, statusError(http.StatusBadRequest)), errors.Is(err, statusError(http.StatusUnprocessableEntity)):
		return invalid("the language backend does not take this language, text or sound")
	case errors.Is(err, errTooLong), errors.Is(err, errNoJSON), errors.Is(err, errCount):
		return refusal.New(tim.ErrSVRCommRspJSONParseFailed, "the answer of the language backend makes no sense")
	case errors.Is(err, context.DeadlineExceeded):
		return refusal.New(tim.ErrSVRCommRequestTimeout, "the language backend did not answer in time")
	}
	return refusal.New(tim.ErrSVRCommRequestTimeout, "the language backend failed")
}
