package message

import (
	"context"

	"timbre/core/event"
	"timbre/core/media"
	"timbre/core/transport"
	"timbre/model/tim"
	"timbre/protocol"
)

// Download fetches the file of an element. progress gets the JSON of each step, done the end.
func (m *Messages) Download(id, url, path string, progress func(json string), done event.Done) {
	if id == "" && url == "" || path == "" {
		done(tim.ErrInvalidParameters, "an id or a URL, and a path are needed", "")
		return
	}
	var last string
	m.transfer(func(ctx context.Context) error {
		return m.files.Download(ctx, media.Remote{ID: id, URL: url}, path, func(now, total int64) {
			w := writer{b: []byte{'{'}}
			w.num(tim.KeyMsgDownloadElemResultCurrentSize, now)
			w.num(tim.KeyMsgDownloadElemResultTotalSize, total)
			last = string(append(w.b, '}'))
			progress(last)
		})
	}, func(bad *transport.Error) {
		if bad != nil {
			done(bad.Code, bad.Text, last)
			return
		}
		done(0, "", last)
	})
}

// transfer fetches something that may take long, and then says how it failed, nil when it did not. The end of the account cuts
// it off, and waits until that is said.
func (m *Messages) transfer(fetch func(context.Context) error, said func(*transport.Error)) {
	closed := func() *transport.Error {
		return &transport.Error{Code: m.self.Ended(), Text: "the account was closed meanwhile"}
	}
	if !m.uploads.begin() {
		said(closed())
		return
	}
	defer m.uploads.wg.Done()
	switch err := fetch(m.uploads.life); {
	case err == nil:
		said(nil)
	case m.uploads.life.Err() != nil:
		said(closed())
	default:
		said(transport.AsError(err))
	}
}

// Translate answers texts in another language; from may be "" for whichever it is.
func (m *Messages) Translate(texts []string, from, to string, done event.Done) {
	if from == "" {
		from = "auto"
	}
	if len(texts) == 0 || to == "" {
		done(tim.ErrInvalidParameters, "texts and a target language are needed", "")
		return
	}
	var a protocol.Translated
	if bad := m.ask(protocol.OpTranslate, "", protocol.Translate{Texts: texts, From: from, To: to}, &a); bad != nil {
		done(bad.Code, bad.Text, "")
		return
	}
	out := make([]string, 0, len(a.Texts))
	for i, t := range a.Texts {
		if i < len(texts) {
			w := writer{b: []byte{'{'}}
			w.text(tim.KeyMsgTranslateTextSourceText, texts[i])
			w.text(tim.KeyMsgTranslateTextTargetText, t)
			out = append(out, string(append(w.b, '}')))
		}
	}
	done(0, "", array(out))
}

// Transcribe answers what is said in a sound file.
func (m *Messages) Transcribe(url, language string, done event.Done) {
	var a protocol.Transcribed
	if bad := m.ask(protocol.OpTranscribe, "", protocol.Transcribe{URL: url, Language: language}, &a); bad != nil {
		done(bad.Code, bad.Text, "")
		return
	}
	done(0, "", a.Text)
}
