package message

import (
	"context"
	"errors"

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
	if !m.uploads.begin() {
		done(m.self.Ended(), "the account was closed meanwhile", "")
		return
	}
	defer m.uploads.wg.Done()
	ctx, cancel := context.WithCancel(m.uploads.life)
	defer cancel()
	var last string
	err := m.files.Download(ctx, media.Remote{ID: id, URL: url}, path, func(now, total int64) {
		w := writer{b: []byte{'{'}}
		w.num(tim.KeyMsgDownloadElemResultCurrentSize, now)
		w.num(tim.KeyMsgDownloadElemResultTotalSize, total)
		last = string(append(w.b, '}'))
		progress(last)
	})
	var why *transport.Error
	switch {
	case err == nil:
		done(0, "", last)
	case m.uploads.life.Err() != nil:
		done(m.self.Ended(), "the account was closed meanwhile", last)
	case errors.As(err, &why):
		done(why.Code, why.Text, last)
	default:
		done(tim.ErrSDKInternalError, err.Error(), last)
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
