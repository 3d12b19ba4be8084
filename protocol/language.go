package protocol

// Operations that the server passes on to the operator's language backend. They change nothing and carry no key. Their
// answers may overtake others and be overtaken.
const (
	OpTranslate  = "text.translate"
	OpTranscribe = "voice.text"
)

// Translate is the body of OpTranslate.
type Translate struct {
	Texts []string `json:"texts"`
	From  string   `json:"from,omitempty"` // language of the texts; "" or "auto": the backend finds out
	To    string   `json:"to"`             // language wanted
}

// Translated answers OpTranslate: one text for each in the request, in its order.
type Translated struct {
	Texts []string `json:"texts"`
}

// Transcribe is the body of OpTranscribe.
type Transcribe struct {
	URL      string `json:"url"`                // of the sound, http or https
	Language string `json:"language,omitempty"` // spoken; "": Chinese mixed with English
}

// Transcribed answers OpTranscribe.
type Transcribed struct {
	Text string `json:"text"`
}
